//! What tasks can look for.

use std::sync::Arc;

use protocol::{Algorithm, Severity, TaskParams};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::types::{AlgorithmInfo, AlgorithmList};
use crate::state::App;

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_algorithms))
}

/// Every algorithm with its default parameters.
#[utoipa::path(
    get,
    path = "/api/v1/algorithms",
    tag = "algorithms",
    operation_id = "list_algorithms",
    responses((status = 200, description = "all algorithms", body = AlgorithmList)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_algorithms() -> axum::Json<AlgorithmList> {
    let describe = |algorithm: Algorithm| AlgorithmInfo {
        id: algorithm.into(),
        name_zh: algorithm.name_zh(),
        name_en: algorithm.name_en(),
        requirement: algorithm.requirement(),
        default_severity: Severity::default_of(algorithm).into(),
        defaults: TaskParams::defaults(algorithm).into(),
    };
    axum::Json(AlgorithmList { items: Algorithm::ALL.into_iter().map(describe).collect() })
}
