//! The quarantine.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use protocol::ContentHash;
use server_kit::{
    ApiError, Cursor, Path, Principal, Query,
    cursor::{cut, page_size},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    store,
    types::{QuarantineList, Replayed},
};
use crate::{api::PageParams, ingest::apply, state::App};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_quarantine))
        .routes(routes!(delete_quarantined))
        .routes(routes!(replay_quarantined))
}

/// Messages of edges that could not be taken, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/quarantine",
    tag = "edges",
    operation_id = "list_quarantine",
    params(PageParams),
    responses((status = 200, description = "a page of messages", body = QuarantineList)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn list_quarantine(
    State(app): State<Arc<App>>,
    Query(params): Query<PageParams>,
) -> Result<axum::Json<QuarantineList>, ApiError> {
    let limit = page_size(params.limit, 50, 200)?;
    let after = match params.cursor.as_deref().map(Cursor::decode).transpose()? {
        Some(cursor) => Some((cursor.number()?, cursor.second)),
        None => None,
    };
    let mut items = store::page(&mut *app.db.read().await?, after, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut items, limit, |m| Cursor::new(&m.last_at.as_micros(), &m.hash));
    Ok(axum::Json(QuarantineList { items, next_cursor }))
}

/// Throws a message away.
#[utoipa::path(
    delete,
    path = "/api/v1/quarantine/{hash}",
    tag = "edges",
    operation_id = "delete_quarantined",
    params(("hash" = String, Path, description = "SHA-256, hexadecimal")),
    responses((status = 204, description = "thrown away")),
    security(("session" = ["configure"])),
)]
pub(crate) async fn delete_quarantined(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(hash): Path<ContentHash>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.begin().await?;
    if !store::delete(&mut tx, hash.as_str()).await? {
        return Err(no_message());
    }
    tx.commit().await?;
    tracing::info!(user.id = %principal.user, message.hash = %hash, "a quarantined message was thrown away");
    Ok(StatusCode::NO_CONTENT)
}

/// Tries a message again, for when what stood in its way is gone; 409 when not all of it was kept.
#[utoipa::path(
    post,
    path = "/api/v1/quarantine/{hash}/replay",
    tag = "edges",
    operation_id = "replay_quarantined",
    params(("hash" = String, Path, description = "SHA-256, hexadecimal")),
    responses((status = 200, description = "what became of it", body = Replayed)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn replay_quarantined(
    State(app): State<Arc<App>>,
    Path(hash): Path<ContentHash>,
) -> Result<axum::Json<Replayed>, ApiError> {
    let (_, message) = store::get(&mut *app.db.read().await?, hash.as_str()).await?.ok_or_else(no_message)?;
    let message = message.ok_or_else(|| {
        ApiError::new(
            StatusCode::CONFLICT,
            "incomplete",
            "only the beginning of the message was kept; it cannot be tried again",
            "只保留了消息的开头部分，无法重放",
        )
    })?;
    let (committed, reason) = apply::replay(&app.db, &message, hash.as_str(), app.now()).await?;
    if let Some(newest) = committed {
        app.changes.tell(newest);
    }
    Ok(axum::Json(Replayed { taken: reason.is_none(), reason: reason.unwrap_or_default() }))
}

fn no_message() -> ApiError {
    ApiError::not_found("message", "消息")
}
