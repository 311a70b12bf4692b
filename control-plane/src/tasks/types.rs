//! Bodies of the task endpoints.

use protocol::{CameraId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api;

/// A task as written.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskInput {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) camera_id: CameraId,
    pub(crate) algorithm: api::Algorithm,
    /// 1 to 100 characters.
    pub(crate) name: String,
    /// Yes when left out.
    pub(crate) enabled: Option<bool>,
    /// Without an include zone the whole picture counts.
    pub(crate) zones: Option<Vec<api::Zone>>,
    pub(crate) lines: Option<Vec<api::Line>>,
    /// Places that were false alarms; kept as they are when left out of an edit.
    pub(crate) mutes: Option<Vec<api::Mute>>,
    /// For algorithms that compare with an approved picture; kept as it is when left out of an edit.
    pub(crate) reference: Option<api::ReferencePicture>,
    /// Always armed when left out.
    pub(crate) schedule: Option<api::Schedule>,
    pub(crate) params: Option<api::ParamsInput>,
    /// The algorithm's own when left out.
    pub(crate) severity: Option<api::Severity>,
    /// The version that was edited; needed for PUT.
    pub(crate) version: Option<i64>,
}

/// An algorithm task 算法任务.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Task {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: TaskId,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) camera_id: CameraId,
    pub(crate) camera_name: String,
    pub(crate) algorithm: api::Algorithm,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) zones: Vec<api::Zone>,
    pub(crate) lines: Vec<api::Line>,
    pub(crate) mutes: Vec<api::Mute>,
    pub(crate) reference: Option<api::ReferencePicture>,
    pub(crate) schedule: api::Schedule,
    /// What differs from the defaults.
    pub(crate) params: api::ParamsInput,
    /// What runs.
    pub(crate) effective_params: api::TaskParams,
    /// The grade of its events that was written; `null` for the algorithm's own.
    pub(crate) severity: Option<api::Severity>,
    /// The grade its events get.
    pub(crate) effective_severity: api::Severity,
    pub(crate) version: i64,
    /// Whether the edge runs it now.
    pub(crate) running: bool,
    /// Why the edge refuses it.
    pub(crate) refusal: Option<String>,
    #[schema(value_type = i64)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = i64)]
    pub(crate) updated_at: Timestamp,
}

/// A page of tasks, by camera.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TaskList {
    pub(crate) items: Vec<Task>,
    pub(crate) next_cursor: Option<String>,
}
