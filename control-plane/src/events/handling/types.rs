//! Bodies of the endpoints of handling.

use protocol::{EventId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use server_kit::{ErrorBody, Role};
use utoipa::ToSchema;

use crate::events::lifecycle::{Action, Reason, State};

/// State of an appeal 申诉.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AppealState {
    /// 待裁决
    Open,
    /// 成立: the event is a false alarm.
    Accepted,
    /// 驳回: the event goes on.
    Rejected,
}

impl AppealState {
    /// Stable name in the API and the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Accepted, Self::Rejected].into_iter().find(|s| s.as_str() == text)
    }
}

/// What a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoteKind {
    /// 评论
    Comment,
    /// 指派
    Assignment,
    /// 申诉
    Appeal,
    /// 申诉成立
    AppealAccepted,
    /// 申诉驳回
    AppealRejected,
    /// 超期提醒
    Overdue,
}

impl NoteKind {
    const ALL: [Self; 6] =
        [Self::Comment, Self::Assignment, Self::Appeal, Self::AppealAccepted, Self::AppealRejected, Self::Overdue];

    /// Stable name in the API and the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Assignment => "assignment",
            Self::Appeal => "appeal",
            Self::AppealAccepted => "appeal_accepted",
            Self::AppealRejected => "appeal_rejected",
            Self::Overdue => "overdue",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// A note on an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EventNote)]
pub(crate) struct Note {
    pub(crate) id: String,
    #[schema(value_type = i64)]
    pub(crate) at: Timestamp,
    pub(crate) kind: NoteKind,
    /// Empty for a reminder of the clock.
    pub(crate) username: String,
    pub(crate) text: String,
    /// Where its pictures are.
    pub(crate) pictures: Vec<String>,
}

/// A comment to write.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentInput {
    /// At most 1000 characters; may be empty when there are pictures.
    pub(crate) text: String,
    /// Hashes of pictures that were uploaded to this event, at most 9.
    #[serde(default)]
    pub(crate) pictures: Vec<String>,
}

/// A picture that has arrived.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Picture {
    /// SHA-256 of its bytes; name it in a comment.
    pub(crate) hash: String,
    pub(crate) url: String,
    pub(crate) bytes: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Who should take the next step, and until when. What is `null` is taken away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentInput {
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) assignee_id: Option<UserId>,
    /// In the future; the usual term when `null`.
    #[schema(value_type = Option<i64>)]
    pub(crate) due_at: Option<Timestamp>,
    /// `version` of the event as it was shown.
    pub(crate) version: i64,
}

/// An appeal against an event 申诉.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppealInput {
    /// Why the event is no violation, 1 to 1000 characters.
    pub(crate) text: String,
    /// Hashes of pictures that were uploaded to this event, at most 9.
    #[serde(default)]
    pub(crate) pictures: Vec<String>,
    /// `version` of the event as it was shown.
    pub(crate) version: i64,
}

/// The decision on an appeal 裁决.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppealDecisionInput {
    /// Whether the event is a false alarm after all.
    pub(crate) accept: bool,
    /// Why the alarm was false; needed to accept.
    #[serde(default)]
    pub(crate) reason: Option<Reason>,
    /// 1 to 1000 characters.
    pub(crate) remark: String,
    /// `version` of the event as it was shown.
    pub(crate) version: i64,
}

/// One event of a bulk action, as it was shown.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkItemInput {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: EventId,
    pub(crate) version: i64,
}

/// One step for many events.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkActionInput {
    /// 1 to 200 events, each once.
    pub(crate) items: Vec<BulkItemInput>,
    pub(crate) action: Action,
    #[serde(default)]
    pub(crate) reason: Option<Reason>,
    #[serde(default)]
    pub(crate) remark: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) assignee_id: Option<UserId>,
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) due_at: Option<Timestamp>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) duplicate_of: Option<EventId>,
}

/// What became of one event of a bulk action.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BulkResult {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: EventId,
    pub(crate) ok: bool,
    /// State and version after it; `null` when the event is not there.
    pub(crate) state: Option<State>,
    pub(crate) version: Option<i64>,
    /// Why nothing was done.
    pub(crate) error: Option<ErrorBody>,
}

/// What became of each event, in the order they were sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BulkResults {
    pub(crate) items: Vec<BulkResult>,
    pub(crate) done: u32,
    pub(crate) failed: u32,
}

/// What waits for people 智能提醒.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Reminders {
    /// 待处理 events.
    pub(crate) pending: u64,
    /// 待复核 events.
    pub(crate) in_review: u64,
    /// Events that are overdue.
    pub(crate) overdue: u64,
    /// Appeals that nobody has decided.
    pub(crate) appeals: u64,
    /// Open events of the signed-in user.
    pub(crate) mine: u64,
    /// Of these, overdue.
    pub(crate) mine_overdue: u64,
}

/// Somebody who can be made responsible.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AssigneeInfo {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) role: Role,
}

/// Everybody who can be made responsible.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AssigneeList {
    pub(crate) items: Vec<AssigneeInfo>,
}
