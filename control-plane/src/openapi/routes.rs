//! The API document and health.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::types::{Health, Part, Readiness};
use crate::state::App;

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(openapi_document)).routes(routes!(healthz)).routes(routes!(readyz))
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "system",
    operation_id = "openapi_document",
    responses((status = 200, description = "the document", body = serde_json::Value)),
    security(()),
)]
pub(crate) async fn openapi_document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(super::document())
}

/// Whether the process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "system",
    operation_id = "healthz",
    responses((status = 200, description = "it lives", body = Health)),
    security(()),
)]
pub(crate) async fn healthz() -> axum::Json<Health> {
    axum::Json(Health { status: "ok" })
}

/// Whether everything it needs is there.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "system",
    operation_id = "readyz",
    responses(
        (status = 200, description = "ready", body = Readiness),
        (status = 503, description = "something is missing", body = Readiness),
    ),
    security(()),
)]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let database = match app.db.ping().await {
        Ok(()) => Part { ok: true, detail: String::new() },
        Err(error) => {
            tracing::warn!(reason = %error, "the database does not answer");
            Part { ok: false, detail: "the database does not answer; its reason is in the log".to_owned() }
        }
    };
    let mqtt = match app.link.trouble() {
        None => Part { ok: true, detail: String::new() },
        Some(detail) => Part { ok: false, detail },
    };
    let ready = database.ok && mqtt.ok;
    let (code, status) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    (code, axum::Json(Readiness { status, database, mqtt })).into_response()
}
