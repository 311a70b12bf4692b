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
use protocol::{Event, EventPhase, HourlyCounts, Measure, Timestamp};
use runtime::Clock;
use stream_gateway::{Clip, ClipError, Hub};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::{info, warn};

use super::{
    commit::Commits,
    event::{Context, clip_blob, event_of, snapshot},
    picture::Picture,
    warnings::Warnings,
};
use crate::outbox::{EvidenceBlob, Outbox};

/// Decisions that may wait for this task.
pub(super) const QUEUE: usize = 256;
/// A clip reaches this far before and after the decision.
const CLIP_REACH: Duration = Duration::from_secs(5);
/// Clips that may be waited for at one time.
const MAX_CLIPS: usize = 64;
/// How often it is noted that alarms are still open: after a kill their end is known this well.
const NOTE_EVERY: Duration = Duration::from_secs(30);
/// At the stop, clips get this long to be cut short.
const LAST_CLIPS_WITHIN: Duration = Duration::from_millis(700);

/// Measure of an event that was ended after a restart: how long nobody watched, seconds.
const UNWATCHED: &str = "unwatched_secs";

/// An alarm of one run of one camera.
pub(super) type AlarmKey = (u64, u64);

/// What the analysis tells.
pub(super) enum Notice {
    /// A violation began; without a picture when it is that none comes any more.
    Raise { key: AlarmKey, raise: Box<Raise>, picture: Option<Arc<Picture>>, context: Context },
    /// It got worse.
    Escalate { key: AlarmKey, worse: Box<Escalation> },
    /// Hours that are over were counted.
    Counts(Vec<HourlyCounts>),
    /// It is over.
    End { key: AlarmKey, at: Timestamp },
}

/// The owner of open events.
pub(super) struct Events {
    hub: Hub,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
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
    pub(super) fn new(hub: Hub, outbox: Outbox, clock: Arc<dyn Clock>, warnings: Warnings) -> Self {
        Self {
            hub,
            commits: Commits::new(outbox.clone(), warnings),
            outbox,
            clock,
            open: BTreeMap::new(),
            early: BTreeMap::new(),
            clips: JoinSet::new(),
            awaited: BTreeSet::new(),
        }
    }

    /// Runs until nobody is left who could tell of a decision, and everything told is committed once.
    pub(super) async fn run(mut self, mut notices: mpsc::Receiver<Notice>) -> Result<(), std::convert::Infallible> {
        self.end_last_run().await;
        let mut note = interval(NOTE_EVERY);
        note.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(Notice::Raise { key, raise, picture, context }) => self.raise(key, *raise, picture, context).await,
                    Some(Notice::Escalate { key, worse }) => self.escalate(key, *worse).await,
                    Some(Notice::Counts(counts)) => self.count(&counts).await,
                    Some(Notice::End { key, at }) => self.end(key, at).await,
                    None => break,
                },
                Some(done) = self.clips.join_next() => match done {
                    Ok((key, clip)) => self.clip(key, clip).await,
                    Err(e) => warn!(reason = %e, "a clip could not be cut"),
                },
                () = self.commits.retry_due() => self.commits.retry().await,
                _ = note.tick(), if !self.open.is_empty() => {
                    if let Err(e) = self.outbox.still_open().await {
                        warn!(reason = %e, "it could not be noted that alarms are still open");
                    }
                }
            }
        }
        self.cut_short().await;
        self.commits.retry().await;
        Ok(())
    }

    /// Ends the events that the run before left open when it was killed: at the moment at which they were last known
    /// to be open, with a word that nobody watched since then.
    async fn end_last_run(&mut self) {
        let left = match self.outbox.open_events().await {
            Ok(left) => left,
            Err(e) => return warn!(reason = %e, "events that the last run left open cannot be ended"),
        };
        let now = self.clock.now();
        for (mut event, seen_at) in left {
            event.revision += 1;
            event.phase = EventPhase::End;
            event.ended_at = Some(seen_at.max(event.decided_at));
            event.why.measures.push(Measure {
                name: UNWATCHED.into(),
                value: now.since(seen_at).as_secs_f32(),
                limit: None,
                label: None,
            });
            info!(event.id = %event.id, "an event that the last run left open is ended");
            self.commits.commit(event, Vec::new()).await;
        }
    }

    /// Cuts the clips that are still waited for as far as there is video: their second half is in the future.
    async fn cut_short(&mut self) {
        self.clips.shutdown().await;
        let now = self.clock.now();
        let mut clips = JoinSet::new();
        for key in std::mem::take(&mut self.awaited) {
            let Some(Open { event }) = self.open.get(&key) else { continue };
            let (hub, camera, decided_at) = (self.hub.clone(), event.camera, event.decided_at);
            let cut = async move { hub.clip(camera, decided_at - CLIP_REACH, now.min(decided_at + CLIP_REACH)).await };
            clips.spawn(async move { (key, timeout(LAST_CLIPS_WITHIN, cut).await) });
        }
        while let Some(done) = clips.join_next().await {
            match done {
                Ok((key, Ok(clip))) => self.clip(key, clip).await,
                Ok((key, Err(_))) => {
                    warn!(event.id = %self.open[&key].event.id, "no clip of this alarm: stopped too soon");
                }
                Err(e) => warn!(reason = %e, "a clip could not be cut"),
            }
        }
    }

    async fn raise(&mut self, key: AlarmKey, raise: Raise, picture: Option<Arc<Picture>>, context: Context) {
        let camera = context.camera;
        let decided_at = raise.decided_at;
        let mut event = event_of(raise, context);
        let has_picture = picture.is_some();
        let snapshot = match picture {
            Some(picture) => snapshot(picture).await,
            None => None,
        };
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
        if has_picture && self.clips.len() < MAX_CLIPS {
            let hub = self.hub.clone();
            self.awaited.insert(key);
            self.clips
                .spawn(async move { (key, hub.clip(camera, decided_at - CLIP_REACH, decided_at + CLIP_REACH).await) });
        } else if has_picture {
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

    async fn count(&self, counts: &[HourlyCounts]) {
        for hour in counts {
            if let Err(e) = self.outbox.commit_counts(hour).await {
                warn!(camera.id = %hour.camera, reason = %e, "the counts of an hour could not be stored");
            }
        }
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
