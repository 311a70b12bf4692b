//! Health and differences of an edge.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use protocol::EdgeId;
use server_kit::{ApiError, Path, Query};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    difference::difference,
    store,
    types::{Differences, HealthHistory, HealthParams},
};
use crate::{edges, state::App};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(edge_health_history)).routes(routes!(edge_differences))
}

/// Health of an edge over the last hours, at most a week.
#[utoipa::path(
    get,
    path = "/api/v1/edges/{id}/health",
    tag = "edges",
    operation_id = "edge_health_history",
    params(("id" = String, Path, format = "uuid"), HealthParams),
    responses((status = 200, description = "the health, oldest first", body = HealthHistory)),
    security(("session" = ["read"])),
)]
pub(crate) async fn edge_health_history(
    State(app): State<Arc<App>>,
    Path(id): Path<EdgeId>,
    Query(params): Query<HealthParams>,
) -> Result<axum::Json<HealthHistory>, ApiError> {
    let hours = params.hours.unwrap_or(24);
    if !(1..=168).contains(&hours) {
        return Err(ApiError::invalid("hours", "hours must be within 1 to 168", "小时数须在 1 到 168 之间"));
    }
    let mut c = app.db.read().await?;
    edges::store::get(&mut c, id).await?.ok_or_else(no_edge)?;
    let from = app.now() - Duration::from_hours(u64::from(hours));
    Ok(axum::Json(HealthHistory { items: store::since(&mut c, id, from).await? }))
}

/// Where an edge differs from what it should run, with the reasons it gives.
#[utoipa::path(
    get,
    path = "/api/v1/edges/{id}/differences",
    tag = "edges",
    operation_id = "edge_differences",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the differences", body = Differences)),
    security(("session" = ["read"])),
)]
pub(crate) async fn edge_differences(
    State(app): State<Arc<App>>,
    Path(id): Path<EdgeId>,
) -> Result<axum::Json<Differences>, ApiError> {
    // One transaction, so that the report fits what it is compared with.
    let mut tx = app.db.begin().await?;
    let edge = edges::store::get(&mut tx, id).await?.ok_or_else(no_edge)?;
    let desired = edges::store::desired(&mut tx, id).await?.ok_or_else(no_edge)?;
    tx.commit().await?;
    Ok(axum::Json(Differences {
        desired_generation: edge.generation,
        reported_generation: edge.reported_generation,
        is_current: edge.generation == edge.reported_generation,
        items: difference(&desired, &edge.reported.unwrap_or_default()),
    }))
}

fn no_edge() -> ApiError {
    ApiError::not_found("edge", "边缘节点")
}
