//! Bodies of the event endpoints.

use std::collections::BTreeMap;

use protocol::{CameraId, EventId, SiteId, TaskId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    deadlines::Light,
    handling::types::{AppealState, Note},
    lifecycle::{Action, Reason, State},
};
use crate::api;

/// The picture that decided.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Snapshot {
    pub(crate) url: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Whether it has been uploaded.
    pub(crate) available: bool,
}

/// The video around the decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Clip {
    pub(crate) url: String,
    /// Whether it has been uploaded.
    pub(crate) available: bool,
    pub(crate) duration_ms: u32,
    /// Time of its first frame.
    #[schema(value_type = i64)]
    pub(crate) starts_at: Timestamp,
}

/// An event as lists show it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventSummary {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: EventId,
    pub(crate) algorithm: api::Algorithm,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) camera_id: CameraId,
    pub(crate) camera_name: String,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) site_id: SiteId,
    pub(crate) site_name: String,
    pub(crate) severity: api::Severity,
    /// Where it is in its closed loop 处置.
    pub(crate) state: State,
    pub(crate) phase: api::Phase,
    /// `null` when the whole picture counts.
    pub(crate) zone: Option<String>,
    #[schema(value_type = i64)]
    pub(crate) started_at: Timestamp,
    #[schema(value_type = i64)]
    pub(crate) decided_at: Timestamp,
    #[schema(value_type = Option<i64>)]
    pub(crate) ended_at: Option<Timestamp>,
    /// When its first revision was stored here.
    #[schema(value_type = i64)]
    pub(crate) received_at: Timestamp,
    pub(crate) score: f32,
    /// Revision of what the edge says.
    pub(crate) revision: u32,
    /// Version of what people did with it; send it back with an action.
    pub(crate) version: i64,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) clip: Option<Clip>,
    /// Number of the report 上报编号.
    pub(crate) number: String,
    /// The first event of the same subject at the same place; its own id when it is the first.
    #[schema(value_type = String, format = "uuid")]
    pub(crate) group_id: EventId,
    /// How many events the group has.
    pub(crate) group_count: u32,
    /// Who should take the next step 责任人.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) assignee_id: Option<UserId>,
    pub(crate) assignee_name: Option<String>,
    /// Until when the next step is due 办理时限; `null` at the ends of the closed loop.
    #[schema(value_type = Option<i64>)]
    pub(crate) due_at: Option<Timestamp>,
    /// Light of the due time 红黄灯.
    pub(crate) light: Option<Light>,
    /// Reminders that were given since the due time passed, 0 to 3.
    pub(crate) overdue_level: u32,
    /// Appeal 申诉 against it, when there was one.
    pub(crate) appeal: Option<AppealState>,
    /// How many notes there are.
    pub(crate) note_count: u32,
}

/// A page of events, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventList {
    pub(crate) items: Vec<EventSummary>,
    pub(crate) next_cursor: Option<String>,
}

/// A picture or clip of an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceItem {
    pub(crate) kind: api::EvidenceKind,
    /// SHA-256 of the bytes, hexadecimal.
    pub(crate) hash: String,
    pub(crate) bytes: u64,
    pub(crate) media_type: String,
    #[schema(value_type = i64)]
    pub(crate) starts_at: Timestamp,
    pub(crate) duration_ms: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) url: String,
    /// Whether it has been uploaded.
    pub(crate) available: bool,
}

/// One step of the closed loop.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    #[schema(value_type = i64)]
    pub(crate) at: Timestamp,
    pub(crate) username: String,
    pub(crate) action: Action,
    pub(crate) from_state: State,
    pub(crate) to_state: State,
    pub(crate) reason: Option<Reason>,
    pub(crate) remark: Option<String>,
}

/// Everything about an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventDetail {
    #[serde(flatten)]
    pub(crate) summary: EventSummary,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) task_id: TaskId,
    /// `null` when the task was never known here.
    pub(crate) task_name: Option<String>,
    /// Generation of the desired state that the task came from.
    pub(crate) generation: u64,
    pub(crate) model: api::ModelRef,
    pub(crate) track: Option<u64>,
    /// Boxes on the deciding frame.
    pub(crate) boxes: Vec<api::TimedBox>,
    /// Where the subject was before, oldest first.
    pub(crate) path: Vec<api::TimedBox>,
    pub(crate) why: api::Why,
    pub(crate) evidence: Vec<EvidenceItem>,
    /// Oldest first.
    pub(crate) history: Vec<HistoryEntry>,
    /// What the signed-in user may do now.
    pub(crate) actions: Vec<Action>,
    /// Comments, assignments, appeals and reminders, oldest first.
    pub(crate) notes: Vec<Note>,
    /// The event that this one repeats, when somebody said which.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) duplicate_of: Option<EventId>,
    /// Whether the signed-in user may appeal now.
    pub(crate) can_appeal: bool,
    /// Whether the signed-in user may decide the open appeal.
    pub(crate) can_decide_appeal: bool,
}

/// One step to take.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionInput {
    pub(crate) action: Action,
    /// Needed for `false_alarm`.
    pub(crate) reason: Option<Reason>,
    /// At most 1000 characters.
    pub(crate) remark: Option<String>,
    /// `version` of the event as it was shown.
    pub(crate) version: i64,
    /// For `dispatch`: who is responsible; the one it has already when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) assignee_id: Option<UserId>,
    /// For `dispatch`: until when, in the future; the usual term when left out.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) due_at: Option<Timestamp>,
    /// For `duplicate`: the event that this one repeats.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) duplicate_of: Option<EventId>,
}

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    #[param(inline)]
    pub(crate) state: Option<State>,
    #[param(inline)]
    pub(crate) algorithm: Option<api::Algorithm>,
    #[param(value_type = Option<String>, format = "uuid")]
    pub(crate) camera_id: Option<CameraId>,
    #[param(inline)]
    pub(crate) severity: Option<api::Severity>,
    /// Decided at or after, microseconds.
    pub(crate) from: Option<i64>,
    /// Decided before, microseconds.
    pub(crate) to: Option<i64>,
    #[param(value_type = Option<String>, format = "uuid")]
    pub(crate) site_id: Option<SiteId>,
    /// Several states, with commas between them.
    #[param(example = "pending,confirmed")]
    pub(crate) states: Option<String>,
    /// Several algorithms, with commas between them.
    pub(crate) algorithms: Option<String>,
    /// Several grades, with commas between them.
    pub(crate) severities: Option<String>,
    /// Several cameras, with commas between them; at most 100.
    pub(crate) camera_ids: Option<String>,
    /// Free text: a number of a report, or words that are all in camera, task, zone, site or algorithm. Looks
    /// back 90 days at most from `to` (or now) unless `from` says less. At most 100 characters.
    pub(crate) q: Option<String>,
    /// Whose events: a user's id, `me`, or `nobody`.
    pub(crate) assignee: Option<String>,
    /// Only events whose next step is overdue (`true`) or not (`false`).
    pub(crate) overdue: Option<bool>,
    /// Only events with an appeal in this state.
    #[param(inline)]
    pub(crate) appeal: Option<AppealState>,
    /// Only events of this group.
    #[param(value_type = Option<String>, format = "uuid")]
    pub(crate) group_id: Option<EventId>,
    /// Only the first event of each group.
    pub(crate) grouped: Option<bool>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// 1 to 200; 50 when left out.
    pub(crate) limit: Option<u32>,
}

/// Events per state. Every state is there.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct StateCounts {
    pub(crate) pending: u64,
    pub(crate) confirmed: u64,
    pub(crate) dispatched: u64,
    pub(crate) in_progress: u64,
    pub(crate) in_review: u64,
    pub(crate) closed: u64,
    pub(crate) false_alarm: u64,
    pub(crate) duplicate: u64,
    pub(crate) ignored: u64,
}

/// How many events there are.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct EventCounters {
    pub(crate) by_state: StateCounts,
    /// By algorithm id; every algorithm is there.
    pub(crate) by_algorithm: BTreeMap<&'static str, u64>,
    /// Decided since midnight, China Standard Time.
    pub(crate) today: u64,
}
