//! What the control plane is told at its start.

use std::{fmt, path::PathBuf, sync::Arc};

use protocol::{Secret, viewer_token::ViewerKey};
use runtime::Clock;
use serde::Deserialize;
use server_kit::{Db, DbError};
use tokio::net::TcpListener;

/// Configuration of the control plane.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaneConfig {
    /// Address of the MQTT broker: `mqtt://host:port`.
    pub mqtt_url: String,
    /// User at the broker; may read and write every edge's topics.
    pub mqtt_username: String,
    /// Password at the broker.
    pub mqtt_password: Secret,
    /// Where pictures and clips are kept.
    pub data_dir: PathBuf,
    /// The built console; a plain page stands in when it is left out or missing.
    #[serde(default)]
    pub console_dir: Option<PathBuf>,
    /// `sqlite:path` or `postgres://user:password@host/name`.
    pub database_url: Secret,
    /// Whether cameras may be on this machine. Off: an address that people type must not reach local services.
    #[serde(default)]
    pub allow_loopback_cameras: bool,
    /// The largest picture or clip, bytes.
    #[serde(default = "default_max_evidence_bytes")]
    pub max_evidence_bytes: u64,
}

/// 200 MB: a clip of a minute in 4K.
pub const fn default_max_evidence_bytes() -> u64 {
    200_000_000
}

/// What the caller makes and hands in.
pub struct PlaneEnvironment {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Bound by the caller, who so knows the port.
    pub listener: TcpListener,
    /// From [`crate::open_database`].
    pub db: Db,
    /// Shared with the gateway, which checks what is signed here.
    pub viewer_key: ViewerKey,
    /// Further routes on the same origin, with their own access control (live video).
    pub extra: Option<axum::Router>,
}

impl fmt::Debug for PlaneEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaneEnvironment").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// Why the control plane cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The folder for pictures and clips.
    #[error("the evidence folder {path} cannot be used: {source}")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The broker's address.
    #[error("mqtt_url must be mqtt://host:port without user or password, got {0:?}")]
    MqttUrl(String),
    /// A part failed.
    #[error(transparent)]
    Task(#[from] runtime::TaskFailed),
    /// Hashing a password.
    #[error(transparent)]
    Password(#[from] server_kit::accounts::PasswordError),
}
