//! Pictures that people add 处置照片: JPEG only, checked by reading them, kept with the evidence.

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use protocol::{ContentHash, EventId};
use server_kit::{
    ApiError,
    objects::{Pieces, UploadError},
};

use super::types::Picture;
use crate::{
    events::store::{evidence_url, refer},
    evidence,
    state::App,
};

/// The largest picture, bytes: twice what a phone's camera writes.
const MAX_BYTES: usize = 10_000_000;

/// Largest width and height, pixels.
const MAX_SIDE: u32 = 12_000;

/// Stores a picture for an event.
pub(crate) async fn store(app: &App, event: EventId, body: Body) -> Result<Picture, ApiError> {
    let bytes = axum::body::to_bytes(body, MAX_BYTES).await.map_err(|_| ApiError::too_large())?;
    let (width, height) = size(&bytes).ok_or_else(|| {
        ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send one JPEG picture of at most 12,000 by 12,000 pixels",
            "请上传一张 JPEG 图片（最大 12000×12000 像素）",
        )
    })?;
    let (hash, total) = (ContentHash::of(&bytes), bytes.len() as u64);
    // A piece that is there from an attempt that broke off is gone over, not added to.
    let from = app.objects.progress(&hash).await.map_err(|e| ApiError::unavailable(&e))?;
    if !from.complete {
        let rest = bytes.slice(usize::try_from(from.offset).unwrap_or(usize::MAX).min(bytes.len())..);
        match app.objects.append(&hash, from.offset, total, &mut Whole(Some(rest))).await {
            Ok(_) => {}
            Err(UploadError::TooLarge(_)) => return Err(ApiError::too_large()),
            Err(error) => return Err(ApiError::unavailable(&error)),
        }
    }
    let mut tx = app.db.begin().await?;
    evidence::store::mark_stored(&mut tx, &hash, total, "", app.now()).await?;
    refer(&mut tx, event, hash.as_str(), "image/jpeg").await?;
    tx.commit().await?;
    Ok(Picture { url: evidence_url(hash.as_str()), hash: hash.into(), bytes: total, width, height })
}

/// Width and height of a JPEG, from its header.
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let reader = image::ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Jpeg);
    let (width, height) = reader.into_dimensions().ok()?;
    ((1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height)).then_some((width, height))
}

struct Whole(Option<Bytes>);

impl Pieces for Whole {
    async fn next(&mut self) -> Option<Result<Bytes, String>> {
        self.0.take().map(Ok)
    }
}
