//! The agent on an edge box.
//!
//! Desired state comes down and is reconciled into running cameras and tasks; events go up through the
//! outbox, the one place after which nothing may be lost. Works without the control plane for weeks.
//!
//! ```text
//! desired state ─▶ reconcile ─▶ pipeline ─▶ outbox ─▶ link (MQTT)     ─▶ control plane
//!                                                 └─▶ evidence (HTTP) ─▶
//! ```

pub mod agent;
pub mod config;
pub mod evidence;
pub mod health;
pub mod link;
pub mod outbox;
pub mod pipeline;
pub mod reconcile;
pub mod references;
mod tls;

pub use agent::{EdgeEnvironment, EdgeError, run};
pub use config::EdgeConfig;
pub use pipeline::replay;
