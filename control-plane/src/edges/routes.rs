//! Edges.

use std::sync::Arc;

use axum::extract::State;
use protocol::Timestamp;
use server_kit::ApiError;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    reports,
    store::{self, EdgeRow},
    types::{Edge, EdgeList},
};
use crate::state::App;

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_edges))
}

/// Every edge with what it should run, what it runs and how it is.
#[utoipa::path(
    get,
    path = "/api/v1/edges",
    tag = "edges",
    operation_id = "list_edges",
    responses((status = 200, description = "all edges", body = EdgeList)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_edges(State(app): State<Arc<App>>) -> Result<axum::Json<EdgeList>, ApiError> {
    let edges = store::all(&mut *app.db.read().await?).await?;
    let items = edges.into_iter().map(|edge| describe(edge, app.now())).collect();
    Ok(axum::Json(EdgeList { items, next_cursor: None }))
}

fn describe(edge: EdgeRow, now: Timestamp) -> Edge {
    Edge {
        id: edge.id,
        name: edge.name,
        site_id: edge.site,
        online: reports::is_online(edge.online, edge.last_seen_at, now),
        last_seen_at: edge.last_seen_at,
        desired_generation: edge.generation,
        reported_generation: edge.reported_generation,
        refusals: edge.reported.map(|r| r.refusals.into_iter().map(Into::into).collect()).unwrap_or_default(),
        health: edge.health.map(Into::into),
    }
}
