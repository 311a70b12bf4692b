//! Bodies of the system endpoints.

use serde::Serialize;
use utoipa::ToSchema;

/// The process lives.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    pub(crate) status: &'static str,
}

/// Whether everything that is needed is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready` or `not_ready`.
    pub(crate) status: &'static str,
    pub(crate) database: Part,
    pub(crate) mqtt: Part,
}

/// One needed part.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Part {
    pub(crate) ok: bool,
    /// What is wrong, in words; empty when nothing is.
    pub(crate) detail: String,
}
