//! Bodies of joining.

use protocol::{EdgeId, Secret, SiteId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeTokenInput {
    /// What the edge will be called, 1 to 100 characters.
    pub(crate) name: String,
    /// Where it will stand; may be left out while there is only one site.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) site_id: Option<SiteId>,
    /// How long the token can be used, 60 to 604,800 seconds; a day when left out.
    #[serde(default)]
    pub(crate) valid_secs: Option<u64>,
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EdgeTokenState {
    /// It can be used.
    Open,
    /// An edge joined by it.
    Used,
    Expired,
    Revoked,
}

/// A one-time token by which an edge joins.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EdgeToken {
    pub(crate) id: String,
    pub(crate) name: String,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) site_id: SiteId,
    pub(crate) state: EdgeTokenState,
    /// Who made it.
    pub(crate) created_by: String,
    #[schema(value_type = i64)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = i64)]
    pub(crate) expires_at: Timestamp,
    #[schema(value_type = Option<i64>)]
    pub(crate) used_at: Option<Timestamp>,
    /// The edge that joined by it.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) edge_id: Option<EdgeId>,
}

/// A token that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NewEdgeToken {
    #[serde(flatten)]
    pub(crate) about: EdgeToken,
    /// Shown once; type it into the edge.
    pub(crate) token: String,
}

/// Tokens, newest first; at most 200.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EdgeTokenList {
    pub(crate) items: Vec<EdgeToken>,
}

/// What an edge sends to join.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinInput {
    #[schema(value_type = String, format = Password)]
    pub(crate) token: Secret,
    /// 64 lower-case hexadecimal digits of randomness that the edge made and keeps.
    #[schema(value_type = String, format = Password)]
    pub(crate) secret: Secret,
}

/// Who the edge is from now on. It signs in to MQTT with its id and its secret, and to HTTP with
/// `Bearer {edge_id}.{secret}`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Joined {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) edge_id: EdgeId,
    #[schema(value_type = String, format = "uuid")]
    pub(crate) site_id: SiteId,
    pub(crate) name: String,
}

/// A secret that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NewEdgeSecret {
    /// Shown once; the edge's old one is void from now on.
    pub(crate) secret: String,
}

/// The secret that an edge wants to have from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeSecretInput {
    /// 64 lower-case hexadecimal digits of randomness that the edge made and keeps.
    #[schema(value_type = String, format = Password)]
    pub(crate) secret: Secret,
}
