//! The all-in-one: broker, control plane, stream gateway, edge agent and demo cameras in one process.
//!
//! The parts talk over the same MQTT topics and HTTP paths as when they run apart, so development, test
//! and production send the same bytes. [`compose`] is the composition root; each role can also run alone.

pub mod broker;
pub mod compose;
pub mod config;
pub mod demo;
pub mod logging;
pub mod roles;
pub mod secrets;
pub mod smoke;
