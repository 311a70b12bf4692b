//! Bodies of the quarantine.

use protocol::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A message that could not be taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedMessage {
    /// SHA-256 of topic and bytes.
    pub(crate) hash: String,
    pub(crate) topic: String,
    /// Why, in words.
    pub(crate) reason: String,
    /// Size of the message, bytes.
    pub(crate) size: u64,
    /// How often the same message came.
    pub(crate) times: u64,
    #[schema(value_type = i64)]
    pub(crate) first_at: Timestamp,
    #[schema(value_type = i64)]
    pub(crate) last_at: Timestamp,
    /// The first 2000 characters; what is no text is shown as `�`.
    pub(crate) preview: String,
    /// Whether all of it is kept, so that it can be tried again.
    pub(crate) complete: bool,
}

/// A page of the quarantine, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineList {
    pub(crate) items: Vec<QuarantinedMessage>,
    pub(crate) next_cursor: Option<String>,
}

/// What became of a message that was tried again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// Whether it was taken; then it is not in the quarantine any more.
    pub(crate) taken: bool,
    /// Why not; empty when it was.
    pub(crate) reason: String,
}
