//! Sites.

use std::sync::Arc;

use axum::extract::State;
use server_kit::ApiError;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{store, types::SiteList};
use crate::state::App;

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_sites))
}

/// Every site.
#[utoipa::path(
    get,
    path = "/api/v1/sites",
    tag = "sites",
    operation_id = "list_sites",
    responses((status = 200, description = "all sites", body = SiteList)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_sites(State(app): State<Arc<App>>) -> Result<axum::Json<SiteList>, ApiError> {
    let items = store::all(&mut *app.db.read().await?).await?;
    Ok(axum::Json(SiteList { items, next_cursor: None }))
}
