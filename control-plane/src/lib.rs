//! The control plane: sites, cameras, tasks, edges, events and their closed loop, for the people of a site.
//!
//! A folder per feature: `routes.rs` is its API, `store.rs` its SQL, `types.rs` what the API shows. What edges
//! say comes in through `ingest`; what they should do goes down as desired state. Nothing here calls an
//! edge, knows video, or tells anything that is not committed.

mod algorithms;
mod api;
mod bootstrap;
mod cameras;
mod china_time;
mod config;
pub mod edges;
mod events;
mod evidence;
mod guard;
mod ingest;
mod openapi;
mod references;
mod reports;
mod server;
mod session;
mod sites;
mod state;
mod stream;
mod tasks;
#[cfg(test)]
mod tests;
mod users;
mod web;
mod words;

pub use bootstrap::{
    Bootstrap, BootstrapOutcome, bootstrap, configured, ensure_camera, ensure_task, open_database, renew_edge_secret,
    renew_password,
};
pub use config::{PlaneConfig, PlaneEnvironment, PlaneError, default_max_evidence_bytes};
pub use openapi::document;
pub use server::run;
use server_kit::Migration;

/// The tables of the control plane.
const MIGRATIONS: &[Migration] = &[
    Migration { name: "plane_0001_spine", sql: include_str!("../migrations/0001_spine.sql") },
    Migration { name: "plane_0002_supervision", sql: include_str!("../migrations/0002_supervision.sql") },
    Migration { name: "plane_0003_edges", sql: include_str!("../migrations/0003_edges.sql") },
    Migration { name: "plane_0004_reference_pictures", sql: include_str!("../migrations/0004_reference_pictures.sql") },
];
