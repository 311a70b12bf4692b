//! Bodies of the endpoints.

use protocol::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One approved picture.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ApprovedPicture {
    /// Counts up with each approval.
    pub(crate) version: u32,
    /// SHA-256 of the picture.
    pub(crate) hash: String,
    /// Where the picture is.
    pub(crate) url: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// User name of who approved it.
    pub(crate) approved_by: String,
    #[schema(value_type = i64)]
    pub(crate) approved_at: Timestamp,
}

/// Every approved picture of a task, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ApprovedPictures {
    pub(crate) items: Vec<ApprovedPicture>,
}

/// For how long a place is muted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MuteInput {
    /// 1 to 3,650 days; for good when left out.
    pub(crate) days: Option<u32>,
}
