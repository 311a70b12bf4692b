//! Bodies of the site endpoints.

use protocol::SiteId;
use serde::Serialize;
use utoipa::ToSchema;

/// A construction site 工地.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Site {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: SiteId,
    pub(crate) name: String,
}

/// All sites.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SiteList {
    pub(crate) items: Vec<Site>,
    pub(crate) next_cursor: Option<String>,
}
