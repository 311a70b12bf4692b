//! Approving a reference picture, muting a place, and the way of a picture to its edge.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use protocol::{ContentHash, EventId, Mute, ReferencePicture, TaskId};
use server_kit::{
    ApiError, Json, Path, Principal,
    objects::{Pieces, UploadError},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    jpeg, store,
    types::{ApprovedPicture, ApprovedPictures, MuteInput},
};
use crate::{
    events,
    guard::CallingEdge,
    state::App,
    tasks::{self, types::Task},
};

/// A 4K picture in good quality is about 2 MB.
const MAX_PICTURE_BYTES: usize = 6_000_000;

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    let approve = OpenApiRouter::new()
        .routes(routes!(list_references, approve_reference))
        .layer(DefaultBodyLimit::max(MAX_PICTURE_BYTES));
    OpenApiRouter::new().merge(approve).routes(routes!(mute_event)).routes(routes!(edge_reference))
}

/// Every picture that was approved for a task, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/tasks/{id}/references",
    tag = "tasks",
    operation_id = "list_references",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the pictures", body = ApprovedPictures)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_references(
    State(app): State<Arc<App>>,
    Path(id): Path<TaskId>,
) -> Result<axum::Json<ApprovedPictures>, ApiError> {
    let mut c = app.db.read().await?;
    tasks::store::get(&mut c, id).await?.ok_or_else(no_task)?;
    Ok(axum::Json(ApprovedPictures { items: store::of_task(&mut c, id).await? }))
}

/// Approves a picture as the state that the task compares with from now on; earlier ones are kept.
#[utoipa::path(
    post,
    path = "/api/v1/tasks/{id}/references",
    tag = "tasks",
    operation_id = "approve_reference",
    params(("id" = String, Path, format = "uuid")),
    request_body(content = Vec<u8>, content_type = "image/jpeg"),
    responses((status = 201, description = "approved", body = Task)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn approve_reference(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<TaskId>,
    body: Bytes,
) -> Result<(StatusCode, axum::Json<Task>), ApiError> {
    let now = app.now();
    let stored = tasks::store::get(&mut *app.db.read().await?, id).await?.ok_or_else(no_task)?;
    if !stored.spec.algorithm.compares_with_reference() {
        return Err(ApiError::invalid(
            "algorithm",
            format!("{} does not compare with a picture", stored.spec.algorithm.name_en()),
            format!("{}不使用参考画面", stored.spec.algorithm.name_zh()),
        ));
    }
    let Some((width, height)) = jpeg::size(&body) else {
        return Err(ApiError::invalid(
            "body",
            "send one JPEG picture of the camera, 64 to 8192 pixels a side",
            "请上传该摄像头的一张 JPEG 图片，边长 64 到 8192 像素",
        ));
    };
    let hash = ContentHash::of(&body);
    keep(&app, &hash, body).await?;

    let mut tx = app.db.begin().await?;
    let mut row = tasks::store::get(&mut tx, id).await?.ok_or_else(no_task)?;
    let newest = store::of_task(&mut tx, id).await?.first().map_or(0, |p| p.version);
    let version = newest.max(row.spec.reference.as_ref().map_or(0, |r| r.version)) + 1;
    let picture = ApprovedPicture {
        version,
        url: events::store::evidence_url(hash.as_str()),
        hash: hash.to_string(),
        width,
        height,
        approved_by: principal.username.clone(),
        approved_at: now,
    };
    store::insert(&mut tx, id, &picture).await?;
    row.spec.reference = Some(ReferencePicture { version, picture: hash, approved_at: now });
    let (task, seq) = tasks::routes::replace(&mut tx, row, now).await?;
    tx.commit().await?;
    tasks::routes::told(&app, seq);
    Ok((StatusCode::CREATED, axum::Json(task)))
}

/// Raises nothing any more for the thing at this place: the subject of a false alarm that does not move.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/mute",
    tag = "events",
    operation_id = "mute_event",
    params(("id" = String, Path, format = "uuid")),
    request_body = MuteInput,
    responses((status = 200, description = "the task with the muted place", body = Task)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn mute_event(
    State(app): State<Arc<App>>,
    Path(id): Path<EventId>,
    Json(input): Json<MuteInput>,
) -> Result<axum::Json<Task>, ApiError> {
    if input.days.is_some_and(|days| !(1..=3_650).contains(&days)) {
        return Err(ApiError::invalid("days", "mute for 1 to 3650 days", "屏蔽时长为 1 到 3650 天"));
    }
    let now = app.now();
    let until = input.days.map(|days| now + Duration::from_hours(24 * u64::from(days)));
    let mut tx = app.db.begin().await?;
    let (event, _) = events::store::body(&mut tx, id).await?.ok_or_else(|| ApiError::not_found("event", "事件"))?;
    let subject = event.boxes.iter().find(|b| b.subject).ok_or_else(|| {
        ApiError::invalid(
            "id",
            "this event has no single subject whose place could be muted",
            "该事件没有可屏蔽的单个目标",
        )
    })?;
    let mut row = tasks::store::get(&mut tx, event.task).await?.ok_or_else(no_task)?;
    row.spec.mutes.retain(|mute| mute.until.is_none_or(|until| until > now));
    row.spec.mutes.push(Mute { bbox: subject.bbox, class: subject.class.clone(), embedding: Vec::new(), until });
    protocol::Task::try_from(row.spec.clone()).map_err(|e| crate::words::invalid_task(&e))?;
    let (task, seq) = tasks::routes::replace(&mut tx, row, now).await?;
    tx.commit().await?;
    tasks::routes::told(&app, seq);
    Ok(axum::Json(task))
}

/// The bytes of an approved picture, for the edge whose task compares with it.
#[utoipa::path(
    get,
    path = "/edge/v1/references/{hash}",
    tag = "edge",
    operation_id = "edge_reference",
    params(("hash" = String, Path, description = "SHA-256 of the bytes, hexadecimal")),
    responses((status = 200, description = "the picture", content_type = "image/jpeg", body = Vec<u8>)),
    security(("edge" = [])),
)]
pub(crate) async fn edge_reference(
    State(app): State<Arc<App>>,
    Extension(edge): Extension<CallingEdge>,
    Path(hash): Path<ContentHash>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("reference picture", "参考画面");
    if !store::is_of_edge(&mut *app.db.read().await?, edge.0, &hash).await? {
        return Err(missing());
    }
    let bytes = match tokio::fs::read(app.objects.path(&hash)).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(ApiError::unavailable(&error)),
    };
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], Body::from(bytes)).into_response())
}

/// Puts a picture into the object store.
async fn keep(app: &App, hash: &ContentHash, bytes: Bytes) -> Result<(), ApiError> {
    struct Whole(Option<Bytes>);
    impl Pieces for Whole {
        async fn next(&mut self) -> Option<Result<Bytes, String>> {
            self.0.take().map(Ok)
        }
    }
    let progress = app.objects.progress(hash).await.map_err(|e| ApiError::unavailable(&e))?;
    if progress.complete {
        return Ok(());
    }
    let total = bytes.len() as u64;
    // What an earlier try left is part of the same bytes.
    let rest = bytes.slice(usize::try_from(progress.offset).unwrap_or(0).min(bytes.len())..);
    match app.objects.append(hash, progress.offset, total, &mut Whole(Some(rest))).await {
        Ok(_) => Ok(()),
        Err(UploadError::TooLarge(_)) => Err(ApiError::too_large()),
        Err(error) => Err(ApiError::unavailable(&error)),
    }
}

fn no_task() -> ApiError {
    ApiError::not_found("task", "任务")
}
