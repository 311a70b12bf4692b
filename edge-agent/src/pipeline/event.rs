//! Makes events and their evidence out of decisions.

use std::sync::Arc;

use analytics::Raise;
use bytes::Bytes;
use protocol::{CameraId, ContentHash, Event, EventId, EventPhase, Evidence, EvidenceKind, ModelRef, Timestamp};
use stream_gateway::Clip;
use tracing::warn;

use super::picture::Picture;
use crate::outbox::EvidenceBlob;

const SNAPSHOT_QUALITY: u8 = 85;

/// Where a decision came from.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) camera: CameraId,
    pub(crate) generation: u64,
    pub(crate) model: ModelRef,
}

/// Revision 1 of the event that a raise is.
pub(crate) fn event_of(raise: Raise, context: Context) -> Event {
    Event {
        id: EventId::new(raise.decided_at),
        revision: 1,
        phase: EventPhase::New,
        algorithm: raise.algorithm,
        camera: context.camera,
        task: raise.task,
        generation: context.generation,
        model: context.model,
        zone: raise.zone,
        track: raise.track,
        severity: raise.severity,
        started_at: raise.started_at,
        decided_at: raise.decided_at,
        ended_at: None,
        score: raise.score,
        boxes: raise.boxes,
        path: raise.path,
        why: raise.why,
        evidence: Vec::new(),
    }
}

/// Writes a JPEG, on a thread where that may take its time. Without it the event goes without a picture.
pub(super) async fn snapshot(picture: Arc<Picture>) -> Option<EvidenceBlob> {
    let (starts_at, (width, height)) = (picture.at, picture.size());
    let written = tokio::task::spawn_blocking(move || {
        let mut jpeg = Vec::new();
        inference::jpeg::encode_nv12(&picture.frame(), SNAPSHOT_QUALITY, &mut jpeg).map(|()| jpeg)
    });
    match written.await {
        Ok(Ok(jpeg)) => Some(blob(EvidenceKind::Snapshot, "image/jpeg", jpeg.into(), starts_at, 0, (width, height))),
        Ok(Err(e)) => {
            warn!(reason = %e, "the snapshot could not be written");
            None
        }
        Err(e) => {
            warn!(reason = %e, "the snapshot could not be written");
            None
        }
    }
}

pub(super) fn clip_blob(clip: Clip) -> EvidenceBlob {
    let size = (clip.width, clip.height);
    blob(EvidenceKind::Clip, "video/mp4", clip.bytes, clip.starts_at, clip.duration_ms, size)
}

fn blob(
    kind: EvidenceKind,
    media_type: &str,
    bytes: Bytes,
    starts_at: Timestamp,
    duration_ms: u32,
    (width, height): (u32, u32),
) -> EvidenceBlob {
    let evidence = Evidence {
        kind,
        hash: ContentHash::of(&bytes),
        bytes: bytes.len() as u64,
        media_type: media_type.into(),
        starts_at,
        duration_ms,
        width,
        height,
    };
    EvidenceBlob { evidence, bytes }
}
