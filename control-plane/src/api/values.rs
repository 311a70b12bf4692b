//! Values of the protocol as the API shows them.

use protocol::{CameraId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HolidayPlan, LineKind, Overlap, StreamState, ZoneKind};

/// A point on the picture, 0–1, origin top-left.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

/// A box on the picture, 0–1, origin top-left.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BoundingBox {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) w: f32,
    pub(crate) h: f32,
}

/// A box at a moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TimedBox {
    #[schema(value_type = i64)]
    pub(crate) at: Timestamp,
    /// Class name of the model.
    pub(crate) class: String,
    pub(crate) score: f32,
    pub(crate) bbox: BoundingBox,
    pub(crate) track: Option<u64>,
    /// Whether this is the subject of the event (else context).
    pub(crate) subject: bool,
}

/// The counts that made the decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Why {
    pub(crate) votes_for: u32,
    pub(crate) votes_against: u32,
    pub(crate) votes_needed: u32,
    pub(crate) votes_window: u32,
    pub(crate) lasted_secs: f32,
    pub(crate) dwell_secs: f32,
    pub(crate) people: u32,
    pub(crate) people_needed: u32,
    /// What else was measured.
    pub(crate) measures: Vec<Measure>,
}

/// One measured value and the limit it was held against.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Measure {
    /// A key, e.g. `share_under_water`, `layers`, `changed`; its unit belongs to it (shares 0–1, seconds, pixels).
    pub(crate) name: String,
    pub(crate) value: f32,
    pub(crate) limit: Option<f32>,
    /// A word that goes with it, e.g. the class or the kind of defect.
    pub(crate) label: Option<String>,
}

/// Which model saw it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ModelRef {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A drawn zone.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) kind: ZoneKind,
    /// Corners in drawing order, 3 to 64.
    pub(crate) points: Vec<Point>,
    /// Smallest confidence inside, 0.05–0.99; the task's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_score: Option<f32>,
}

/// A drawn line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) kind: LineKind,
    /// Points in drawing order, 2 to 16.
    pub(crate) points: Vec<Point>,
}

/// A place that was a false alarm 误报屏蔽: the same thing there raises nothing any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mute {
    pub(crate) bbox: BoundingBox,
    /// Class name of the model.
    pub(crate) class: String,
    /// What it looked like; without it the place alone decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) embedding: Vec<f32>,
    /// When it is forgotten; never when left out.
    #[schema(value_type = Option<i64>)]
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
}

/// The approved state of a region 参考画面.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReferencePicture {
    /// Counts up with each approval.
    pub(crate) version: u32,
    /// SHA-256 of the approved picture, a piece of evidence.
    pub(crate) picture: String,
    #[schema(value_type = i64)]
    pub(crate) approved_at: Timestamp,
}

/// One armed span within one weekday.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleSpan {
    /// 0 = Monday … 6 = Sunday.
    pub(crate) weekday: u8,
    /// First armed minute of the day, 0–1439.
    pub(crate) from_minute: u16,
    /// First minute that is not armed any more, 1–1440.
    pub(crate) to_minute: u16,
}

/// A weekly grid in the site's own time; without spans it is always armed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    /// Offset of the site's local time from UTC in minutes (China: 480).
    pub(crate) utc_offset_minutes: i16,
    pub(crate) spans: Vec<ScheduleSpan>,
    /// Days that do not follow the grid.
    #[serde(default)]
    pub(crate) holidays: Vec<Holiday>,
}

/// One day that does not follow the weekly grid.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Holiday {
    /// `2027-02-06`, in the site's own time.
    pub(crate) date: String,
    pub(crate) plan: HolidayPlan,
}

/// Parameters as written; what is left out takes the algorithm's default.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TaskParamsInput)]
pub(crate) struct ParamsInput {
    /// Smallest confidence of a detection, 0.05–0.99.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_score: Option<f32>,
    /// Smallest height of a person in pixels of the camera's picture, 0–2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_target_px: Option<u32>,
    /// Votes that must agree, 1–50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) votes_needed: Option<u32>,
    /// Out of how many newest votes, `votes_needed`–50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) votes_window: Option<u32>,
    /// How long the condition must last before an event is raised, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dwell_secs: Option<f32>,
    /// Quiet time after an event of the same subject, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cool_down_secs: Option<f32>,
    /// Quiet time after any event of this task, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_cool_down_secs: Option<f32>,
    /// How many people make a crowd, 2–500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crowd_size: Option<u32>,
    /// Frames analysed per second, 0.02–25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sample_fps: Option<f32>,
    /// Quiet time of the whole camera after an event of this task, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) camera_cool_down_secs: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overlap: Option<Overlap>,
    /// Share that goes with `overlap`, 0.01–1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_overlap: Option<f32>,
    /// Share of the zone that must be under water or changed, 0.005–1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) share_needed: Option<f32>,
    /// Most layers of a stack, 1–20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layers_max: Option<u32>,
    /// Reach of a vehicle, heights of a person, 0–5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reach: Option<f32>,
    /// How long smoke alone must last, 0–3600 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) smoke_dwell_secs: Option<f32>,
}

/// Complete parameters; units and ranges as in `TaskParamsInput`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TaskParams {
    pub(crate) min_score: f32,
    pub(crate) min_target_px: u32,
    pub(crate) votes_needed: u32,
    pub(crate) votes_window: u32,
    pub(crate) dwell_secs: f32,
    pub(crate) cool_down_secs: f32,
    pub(crate) task_cool_down_secs: f32,
    pub(crate) crowd_size: u32,
    pub(crate) sample_fps: f32,
    pub(crate) camera_cool_down_secs: f32,
    pub(crate) overlap: Overlap,
    pub(crate) min_overlap: f32,
    pub(crate) share_needed: f32,
    pub(crate) layers_max: u32,
    pub(crate) reach: f32,
    pub(crate) smoke_dwell_secs: f32,
}

/// State of one camera at the edge.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CameraState {
    pub(crate) state: StreamState,
    /// The reason in words; empty when online.
    pub(crate) detail: String,
    #[schema(value_type = i64)]
    pub(crate) since: Timestamp,
    pub(crate) fps: f32,
    pub(crate) kbps: f32,
    pub(crate) analysed_fps: f32,
    pub(crate) reconnects: u32,
    pub(crate) lost_packets: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// `h264`, `h265`, or empty.
    pub(crate) codec: String,
}

/// Something that needs a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HealthWarning {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// How inference runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InferenceHealth {
    pub(crate) model: String,
    pub(crate) provider: String,
    pub(crate) precision: String,
    pub(crate) fps: f32,
    pub(crate) latency_ms: f32,
}

/// Health of an edge as it reported it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EdgeHealth {
    #[schema(value_type = i64)]
    pub(crate) at: Timestamp,
    pub(crate) version: String,
    pub(crate) uptime_secs: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) disk_free_bytes: u64,
    pub(crate) outbox_events: u64,
    pub(crate) outbox_evidence_bytes: u64,
    pub(crate) dropped_evidence: u64,
    pub(crate) inference: InferenceHealth,
    pub(crate) warnings: Vec<HealthWarning>,
}

/// Something of the desired state that the edge could not apply. Exactly one of the two ids is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Refusal {
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) camera_id: Option<CameraId>,
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) task_id: Option<TaskId>,
    pub(crate) reason: String,
}
