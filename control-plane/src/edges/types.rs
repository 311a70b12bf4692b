//! Bodies of the edge endpoints.

use protocol::{EdgeId, SiteId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api;

/// An edge box 边缘节点.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Edge {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: EdgeId,
    pub(crate) name: String,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) site_id: SiteId,
    pub(crate) online: bool,
    #[schema(value_type = Option<i64>)]
    pub(crate) last_seen_at: Option<Timestamp>,
    /// What it should run.
    pub(crate) desired_generation: u64,
    /// What it runs.
    pub(crate) reported_generation: u64,
    pub(crate) refusals: Vec<api::Refusal>,
    pub(crate) health: Option<api::EdgeHealth>,
}

/// All edges.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EdgeList {
    pub(crate) items: Vec<Edge>,
    pub(crate) next_cursor: Option<String>,
}
