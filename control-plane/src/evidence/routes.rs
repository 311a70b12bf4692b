//! Pictures and clips.

use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, BodyDataStream, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use protocol::ContentHash;
use server_kit::{
    ApiError, Path,
    objects::{Pieces, Progress, UploadError},
};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{MEDIA_TYPES, store};
use crate::{
    guard::CallingEdge,
    state::App,
    stream::{self, ChangeKind},
};

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const COMPLETE: HeaderName = HeaderName::from_static("upload-complete");

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_evidence)).routes(routes!(edge_evidence_offset, edge_evidence_append))
}

/// The bytes of a picture or clip; takes `Range`.
#[utoipa::path(
    get,
    path = "/api/v1/evidence/{hash}",
    tag = "evidence",
    operation_id = "get_evidence",
    params(("hash" = String, Path, description = "SHA-256 of the bytes, hexadecimal")),
    responses(
        (status = 200, description = "the bytes", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "the part that was asked for"),
    ),
    security(("session" = ["read"])),
)]
pub(crate) async fn get_evidence(
    State(app): State<Arc<App>>,
    Path(hash): Path<ContentHash>,
    request: Request,
) -> Result<Response, ApiError> {
    let media_type = store::media_type(&mut *app.db.read().await?, &hash).await?;
    let media_type = MEDIA_TYPES.into_iter().find(|known| media_type.as_deref() == Some(known));
    let media_type = media_type.ok_or_else(no_evidence)?;
    let Ok(response) = ServeFile::new(app.objects.path(&hash)).oneshot(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(no_evidence());
    }
    let mut response = response.map(Body::new);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    // A name that is the content's hash never means anything else; `private` keeps it out of shared caches.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    Ok(response)
}

/// How much of a piece of evidence is here: `upload-offset`, `upload-complete`.
#[utoipa::path(
    head,
    path = "/edge/v1/evidence/{hash}",
    tag = "edge",
    operation_id = "edge_evidence_offset",
    params(("hash" = String, Path, description = "SHA-256 of the bytes, hexadecimal")),
    responses((status = 204, description = "headers say how much is here")),
    security(("edge" = [])),
)]
pub(crate) async fn edge_evidence_offset(
    State(app): State<Arc<App>>,
    Extension(edge): Extension<CallingEdge>,
    Path(hash): Path<ContentHash>,
) -> Result<Response, ApiError> {
    let progress = app.objects.progress(&hash).await.map_err(|e| ApiError::unavailable(&e))?;
    if progress.complete {
        // The file may be complete and the note about it lost in a crash.
        arrived(&app, edge, &hash, progress).await?;
    }
    Ok(answer(progress))
}

/// Appends bytes from `upload-offset` on; 409 with the right offset when it is another, 422 when the whole has
/// another hash.
#[utoipa::path(
    patch,
    path = "/edge/v1/evidence/{hash}",
    tag = "edge",
    operation_id = "edge_evidence_append",
    params(
        ("hash" = String, Path, description = "SHA-256 of the bytes, hexadecimal"),
        ("upload-offset" = u64, Header, description = "where the bytes begin"),
        ("upload-length" = u64, Header, description = "size of the whole"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "taken; `upload-offset` says how much is here now")),
    security(("edge" = [])),
)]
pub(crate) async fn edge_evidence_append(
    State(app): State<Arc<App>>,
    Extension(edge): Extension<CallingEdge>,
    Path(hash): Path<ContentHash>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let (offset, total) = (number(&headers, &OFFSET)?, number(&headers, &LENGTH)?);
    known_media_type(&headers)?;
    let mut pieces = BodyPieces(body.into_data_stream());
    match app.objects.append(&hash, offset, total, &mut pieces).await {
        Ok(progress) => {
            if progress.complete {
                arrived(&app, edge, &hash, progress).await?;
            }
            Ok(answer(progress))
        }
        Err(error) => Ok(refuse(&app, &hash, error).await),
    }
}

/// Notes that a file is complete and tells whoever shows its events.
async fn arrived(app: &App, edge: CallingEdge, hash: &ContentHash, progress: Progress) -> Result<(), ApiError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if !store::mark_stored(&mut tx, hash, progress.offset, &edge.0.to_string(), now).await? {
        return Ok(());
    }
    let events = store::events_with(&mut tx, hash).await?;
    let changes: Vec<_> = events.into_iter().map(|id| (ChangeKind::Event, id)).collect();
    let seq = stream::append(&mut tx, &changes, now).await?;
    tx.commit().await?;
    app.changes.tell(seq);
    Ok(())
}

fn answer(progress: Progress) -> Response {
    let complete = HeaderValue::from_static(if progress.complete { "true" } else { "false" });
    (StatusCode::NO_CONTENT, [(OFFSET, HeaderValue::from(progress.offset)), (COMPLETE, complete)]).into_response()
}

async fn refuse(app: &App, hash: &ContentHash, error: UploadError) -> Response {
    let message = error.to_string();
    let (status, code, zh) = match &error {
        UploadError::Offset(_) => (StatusCode::CONFLICT, "wrong_offset", "上传起点不正确"),
        UploadError::Busy => (StatusCode::CONFLICT, "busy", "同一文件正在上传"),
        UploadError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "文件过大"),
        UploadError::TooMany => (StatusCode::BAD_REQUEST, "too_many_bytes", "数据超过声明的长度"),
        UploadError::WrongHash => (StatusCode::UNPROCESSABLE_ENTITY, "wrong_hash", "文件内容与哈希不符"),
        UploadError::BrokenOff(_) => (StatusCode::BAD_REQUEST, "broken_off", "上传中断"),
        UploadError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            tracing::error!("the disk for pictures and clips is full; free some space");
            (StatusCode::INSUFFICIENT_STORAGE, "disk_full", "磁盘空间不足")
        }
        UploadError::Io(error) => return ApiError::unavailable(error).into_response(),
    };
    let mut response = ApiError::new(status, code, message, zh).into_response();
    if let Ok(progress) = app.objects.progress(hash).await {
        response.headers_mut().insert(OFFSET, HeaderValue::from(progress.offset));
    }
    response
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ApiError> {
    let value = headers.get(name).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    value
        .ok_or_else(|| ApiError::malformed(format!("the header {name} must be a number of bytes")).field(name.as_str()))
}

fn known_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if MEDIA_TYPES.contains(&value) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "evidence is image/jpeg or video/mp4",
        "证据文件只能是 image/jpeg 或 video/mp4",
    ))
}

fn no_evidence() -> ApiError {
    ApiError::not_found("picture or clip", "图片或视频")
}

struct BodyPieces(BodyDataStream);

impl Pieces for BodyPieces {
    async fn next(&mut self) -> Option<Result<Bytes, String>> {
        Some(self.0.next().await?.map_err(|e| e.to_string()))
    }
}
