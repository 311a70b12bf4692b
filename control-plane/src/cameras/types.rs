//! Bodies of the camera endpoints.

use protocol::{CameraId, EdgeId, Secret, SiteId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api;

/// A camera as written.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CameraInput {
    /// 1 to 100 characters.
    pub(crate) name: String,
    /// `rtsp://host[:port]/path`, without user or password.
    pub(crate) url: String,
    pub(crate) username: Option<String>,
    /// Absent: keep the one that is stored. Empty: none.
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) password: Option<Secret>,
    #[serde(default)]
    pub(crate) transport: Option<api::Transport>,
    /// The edge that pulls it; may be left out while there is only one.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) edge_id: Option<EdgeId>,
    /// The version that was edited; needed for PUT.
    pub(crate) version: Option<i64>,
}

/// A camera.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Camera {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: CameraId,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) site_id: SiteId,
    pub(crate) site_name: String,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) edge_id: EdgeId,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) username: Option<String>,
    pub(crate) has_password: bool,
    pub(crate) transport: api::Transport,
    pub(crate) version: i64,
    /// As the edge last reported it; `null` before its first report.
    pub(crate) state: Option<api::CameraState>,
    #[schema(value_type = i64)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = i64)]
    pub(crate) updated_at: Timestamp,
}

/// A page of cameras, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CameraList {
    pub(crate) items: Vec<Camera>,
    pub(crate) next_cursor: Option<String>,
}

/// Permission to watch one camera live.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LiveToken {
    /// Path of the WebSocket on the same origin.
    pub(crate) path: String,
    #[schema(value_type = i64)]
    pub(crate) expires_at: Timestamp,
}
