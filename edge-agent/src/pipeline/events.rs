//! From decisions to events in the outbox.
//!
//! One task owns every open event. A raise is committed at once with the picture that decided (revision 1); five
//! seconds later the clip follows (revision 2), and the end when it comes. Decisions wait in a bounded queue when
//! this task is slow: after the rule nothing is dropped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use analytics::{Escalation, Raise};
use bytes::Bytes;
use protocol::{CameraId, ContentHash, Event, EventId, EventPhase, Evidence, EvidenceKind, ModelRef, Timestamp};
use stream_gateway::{Clip, ClipError, Hub};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::{info, warn};

use super::{commit::Commits, picture::Picture};
use crate::outbox::EvidenceBlob;

/// Decisions that may wait for this task.
pub(super) const QUEUE: usize = 256;
/// A clip reaches this far before and after the decision.
const CLIP_REACH: Duration = Duration::from_secs(5);
/// Clips that may be waited for at one time.
const MAX_CLIPS: usize = 64;
const SNAPSHOT_QUALITY: u8 = 85;

/// An alarm of one run of one camera.
pub(super) type AlarmKey = (u64, u64);

/// What the analysis tells.
pub(super) enum Notice {
    /// A violation began.
    Raise { key: AlarmKey, raise: Box<Raise>, picture: Arc<Picture>, context: Context },
    /// It got worse.
    Escalate { key: AlarmKey, worse: Box<Escalation> },
    /// It is over.
    End { key: AlarmKey, at: Timestamp },
}

/// Where a decision came from.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) camera: CameraId,
    pub(super) generation: u64,
    pub(super) model: ModelRef,
}

/// The owner of open events.
pub(super) struct Events {
    hub: Hub,
    commits: Commits,
    open: BTreeMap<AlarmKey, Open>,
    /// Ends that overtook their raise.
    early: BTreeMap<AlarmKey, Timestamp>,
    clips: JoinSet<(AlarmKey, Result<Clip, ClipError>)>,
    /// Alarms whose clip is being waited for.
    awaited: BTreeSet<AlarmKey>,
}

/// The newest revision of an event.
struct Open {
    event: Event,
}

impl Events {
    pub(super) fn new(hub: Hub, commits: Commits) -> Self {
        Self {
            hub,
            commits,
            open: BTreeMap::new(),
            early: BTreeMap::new(),
            clips: JoinSet::new(),
            awaited: BTreeSet::new(),
        }
    }

    /// Runs until nobody is left who could tell of a decision, and everything told is committed once.
    pub(super) async fn run(mut self, mut notices: mpsc::Receiver<Notice>) -> Result<(), std::convert::Infallible> {
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(Notice::Raise { key, raise, picture, context }) => self.raise(key, *raise, picture, context).await,
                    Some(Notice::Escalate { key, worse }) => self.escalate(key, *worse).await,
                    Some(Notice::End { key, at }) => self.end(key, at).await,
                    None => break,
                },
                Some(done) = self.clips.join_next() => match done {
                    Ok((key, clip)) => self.clip(key, clip).await,
                    Err(e) => warn!(reason = %e, "a clip could not be cut"),
                },
                () = self.commits.retry_due() => self.commits.retry().await,
            }
        }
        // Clips that are still waited for are given up: their second half is in the future.
        self.commits.retry().await;
        Ok(())
    }

    async fn raise(&mut self, key: AlarmKey, raise: Raise, picture: Arc<Picture>, context: Context) {
        let camera = context.camera;
        let decided_at = raise.decided_at;
        let mut event = event_of(raise, context);
        let snapshot = snapshot(picture).await;
        let blobs: Vec<EvidenceBlob> = snapshot.into_iter().collect();
        event.evidence = blobs.iter().map(|b| b.evidence.clone()).collect();
        info!(
            event.id = %event.id,
            camera.id = %camera,
            algorithm = %event.algorithm,
            zone = event.zone.as_deref().unwrap_or(""),
            "alarm raised"
        );
        self.commits.commit(event.clone(), blobs).await;
        self.open.insert(key, Open { event });
        if self.clips.len() < MAX_CLIPS {
            let hub = self.hub.clone();
            self.awaited.insert(key);
            self.clips
                .spawn(async move { (key, hub.clip(camera, decided_at - CLIP_REACH, decided_at + CLIP_REACH).await) });
        } else {
            warn!(event.id = %self.open[&key].event.id, "too many alarms at one time: no clip of this one");
        }
        if let Some(at) = self.early.remove(&key) {
            self.end(key, at).await;
        }
    }

    /// The same event, one revision later, with a higher grade and the counts of now.
    async fn escalate(&mut self, key: AlarmKey, worse: Escalation) {
        let Some(open) = self.open.get_mut(&key) else { return };
        let event = &mut open.event;
        event.severity = event.severity.max(worse.severity);
        (event.score, event.boxes, event.why) = (worse.score, worse.boxes, worse.why);
        info!(event.id = %event.id, severity = event.severity.as_str(), "alarm got worse");
        self.revise(key, Vec::new()).await;
    }

    async fn end(&mut self, key: AlarmKey, at: Timestamp) {
        let Some(open) = self.open.get_mut(&key) else {
            self.early.insert(key, at);
            return;
        };
        open.event.ended_at = Some(at.max(open.event.decided_at));
        info!(event.id = %open.event.id, "alarm over");
        self.revise(key, Vec::new()).await;
    }

    async fn clip(&mut self, key: AlarmKey, clip: Result<Clip, ClipError>) {
        self.awaited.remove(&key);
        let Some(open) = self.open.get_mut(&key) else { return };
        match clip {
            Ok(clip) => {
                let blob = clip_blob(clip);
                open.event.evidence.push(blob.evidence.clone());
                self.revise(key, vec![blob]).await;
            }
            Err(e) => {
                warn!(event.id = %open.event.id, reason = %e, "no clip of this alarm");
                self.close_if_done(key);
            }
        }
    }

    /// Commits the next revision of an event.
    async fn revise(&mut self, key: AlarmKey, blobs: Vec<EvidenceBlob>) {
        let Some(open) = self.open.get_mut(&key) else { return };
        open.event.revision += 1;
        // A clip that comes after the end must not open the event again.
        open.event.phase = if open.event.ended_at.is_some() { EventPhase::End } else { EventPhase::Update };
        self.commits.commit(open.event.clone(), blobs).await;
        self.close_if_done(key);
    }

    fn close_if_done(&mut self, key: AlarmKey) {
        let over = self.open.get(&key).is_some_and(|o| o.event.ended_at.is_some());
        if over && !self.awaited.contains(&key) {
            self.open.remove(&key);
        }
    }
}

fn event_of(raise: Raise, context: Context) -> Event {
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
async fn snapshot(picture: Arc<Picture>) -> Option<EvidenceBlob> {
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

fn clip_blob(clip: Clip) -> EvidenceBlob {
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
