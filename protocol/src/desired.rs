//! Desired state goes down, reported state comes up. There are no calls into the edge.

use serde::{Deserialize, Serialize};

use crate::{CameraId, CameraSpec, CameraState, TaskId, TaskSpec, Timestamp};

/// The whole configuration of one edge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DesiredState {
    /// Counts up with each change.
    pub generation: u64,
    /// Cameras to pull.
    pub cameras: Vec<CameraSpec>,
    /// Tasks to run.
    pub tasks: Vec<TaskSpec>,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A camera.
    Camera(CameraId),
    /// A task.
    Task(TaskId),
}

/// Something of the desired state that the edge could not apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// What.
    pub subject: Subject,
    /// Why, in a sentence for people.
    pub reason: String,
}

/// What the edge applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportedState {
    /// The generation that is applied.
    pub generation: u64,
    /// When the report was made.
    pub at: Timestamp,
    /// What could not be applied; everything else runs.
    pub refusals: Vec<Refusal>,
    /// Every camera that is pulled.
    pub cameras: Vec<CameraState>,
    /// Tasks that run now: enabled, armed by their schedule, camera known.
    pub running_tasks: Vec<TaskId>,
}
