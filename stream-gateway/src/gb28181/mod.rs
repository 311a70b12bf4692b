//! The GB/T 28181 server: devices register here, and their channels are cameras of the hub.
//!
//! ```text
//!  UDP, TCP ─▶ server (one task, the state machine of `media::gb28181`) ─▶ devices, events
//!                 ▲ invite, bye, key frame            hub ─▶ source ─▶ receiver: RTP ─▶ PS ─▶ pictures
//! ```
//! A camera of the hub is `gb28181://device/channel`. It is invited when somebody watches, and left when
//! nobody does. What hangs is told in words, with what was counted ([`Diagnosis`]).

mod actor;
mod config;
mod connections;
mod diagnosis;
mod ports;
mod receiver;
mod registry;
mod server;
mod source;
mod stream;

pub use config::{Date, InvalidServerConfig, ServerConfig};
pub use diagnosis::Diagnosis;
pub use media::{
    GbId,
    gb28181::{CommandError, DateForm, Event, Topic},
    manscdp::{CatalogItem, Control, Query},
};
pub use registry::DeviceView;
pub use server::{Server, StartError};
