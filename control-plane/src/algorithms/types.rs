//! Bodies of the algorithm endpoints.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api;

/// An algorithm that tasks can use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlgorithmInfo {
    pub(crate) id: api::Algorithm,
    pub(crate) name_zh: &'static str,
    pub(crate) name_en: &'static str,
    /// The row of the requirements that asks for it.
    pub(crate) requirement: &'static str,
    pub(crate) default_severity: api::Severity,
    pub(crate) defaults: api::TaskParams,
}

/// All algorithms.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlgorithmList {
    pub(crate) items: Vec<AlgorithmInfo>,
}
