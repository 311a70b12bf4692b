//! One camera that is analysed: hub ─▶ decoder ─▶ newest picture ─▶ analysis ─▶ decisions.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use analytics::{Decision, Raise};
use protocol::{Camera, CameraId, Timestamp};
use runtime::{CancellationToken, Clock, Latest};
use stream_gateway::{AccessUnit, Hub, Unit};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval},
};
use tracing::{info, warn};

use super::{
    analysis::Analysis,
    decode::{DecodeError, Decoder, Tap, candidates},
    event::Context,
    events::{AlarmKey, Notice},
    lookout::{Lookout, Seen},
    picture::{Picture, Pool},
    plan::Due,
    sample::{Encoded, Gate},
    sight::Sight,
    timeline::WallTime,
    warnings::Warnings,
};
use crate::references::ReferencePictures;

const PICTURE_QUALITY: &str = "picture_quality";
/// Without a picture for this long, time passes by the clock.
const QUIET_AFTER: Duration = Duration::from_secs(5);
/// So many pictures in, for so long none out: the decoder does not work.
const NOTHING_DECODED: (u64, Duration) = (25, Duration::from_secs(5));
/// A decoder that failed is started again after this time.
const START_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The cameras that run.
#[derive(Clone, Default)]
pub(super) struct Cameras(Arc<RwLock<BTreeMap<CameraId, Arc<Running>>>>);

impl Cameras {
    pub(super) fn all(&self) -> Vec<Arc<Running>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn get(&self, id: CameraId) -> Option<Arc<Running>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(super) fn insert(&self, camera: Arc<Running>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(camera.id, camera);
    }

    pub(super) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn remove(&self, id: CameraId) -> Option<Arc<Running>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }
}

/// What the threads of one camera share.
pub(super) struct Running {
    pub(super) id: CameraId,
    /// Number of this run: a camera that is removed and added again starts over.
    run: u64,
    settings: Mutex<Camera>,
    /// The newest picture that nobody has looked at.
    pub(super) slot: Latest<Picture>,
    analysis: Mutex<Analysis>,
    /// Why pictures cannot be decoded, since when.
    decode_fault: Mutex<Option<(DecodeError, Timestamp)>>,
    /// Told when tasks or settings changed.
    pub(super) changed: Notify,
    pub(super) token: CancellationToken,
    notices: mpsc::Sender<Notice>,
    hub: Hub,
    warnings: Warnings,
    pub(super) work: Arc<Work>,
}

/// What was done for a camera since it was added.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Pictures that were decoded.
    pub(super) decoded: AtomicU64,
    /// Pictures that a model looked at.
    pub(super) looked_at: AtomicU64,
}

/// What a camera is made from.
pub(super) struct Parts {
    pub(super) run: u64,
    pub(super) sight: Arc<Sight>,
    pub(super) references: ReferencePictures,
    pub(super) token: CancellationToken,
    pub(super) notices: mpsc::Sender<Notice>,
    pub(super) hub: Hub,
    pub(super) warnings: Warnings,
}

impl Running {
    pub(super) fn new(camera: Camera, parts: Parts) -> Self {
        Self {
            id: camera.id,
            run: parts.run,
            settings: Mutex::new(camera),
            slot: Latest::default(),
            analysis: Mutex::new(Analysis::new(parts.sight, parts.references)),
            decode_fault: Mutex::default(),
            changed: Notify::new(),
            token: parts.token,
            notices: parts.notices,
            hub: parts.hub,
            warnings: parts.warnings,
            work: Arc::default(),
        }
    }

    pub(super) fn settings(&self) -> Camera {
        lock(&self.settings).clone()
    }

    pub(super) fn set_settings(&self, camera: Camera) {
        *lock(&self.settings) = camera;
        self.changed.notify_one();
    }

    pub(super) fn analysis(&self) -> MutexGuard<'_, Analysis> {
        lock(&self.analysis)
    }

    pub(super) fn decode_fault(&self) -> Option<(DecodeError, Timestamp)> {
        lock(&self.decode_fault).clone()
    }

    fn set_decode_fault(&self, fault: Option<(DecodeError, Timestamp)>) {
        let mut current = lock(&self.decode_fault);
        match (&*current, &fault) {
            (None, Some((e, _))) => warn!(camera.id = %self.id, reason = %e, "pictures cannot be decoded"),
            (Some(_), None) => info!(camera.id = %self.id, "pictures are decoded again"),
            (Some(_), Some((e, _))) => {
                // The first moment counts, the newest words.
                if let Some((words, _)) = current.as_mut() {
                    *words = e.clone();
                }
                return;
            }
            (None, None) => {}
        }
        *current = fault;
    }

    /// Takes what was seen on a picture. Runs on the detector's thread; waits when decisions pile up.
    pub(super) fn analyse(&self, picture: Picture, due: &Due, seen: &Seen, lookout: &Lookout) {
        self.work.looked_at.fetch_add(u64::from(!due.models.is_empty()), Ordering::Relaxed);
        let mut decisions = Vec::new();
        let overlay = {
            let mut analysis = self.analysis();
            let overlay = analysis.step(&picture, due, seen, lookout, &mut decisions);
            self.tell_quality(&analysis);
            overlay
        };
        self.hub.publish_overlay(self.id, overlay);
        if decisions.is_empty() {
            return;
        }
        let picture = Arc::new(picture);
        for notice in decisions.into_iter().filter_map(|d| self.notice(d, Some(&picture))) {
            // Only fails when the events' task is gone, at the very end.
            let _ = self.notices.blocking_send(notice);
        }
    }

    /// What is to be told of a decision; what was held back is told to the log only.
    fn notice(&self, decision: Decision, picture: Option<&Arc<Picture>>) -> Option<Notice> {
        Some(match decision {
            Decision::Raise(raise) => Notice::Raise {
                key: self.key(raise.alarm),
                context: self.context(&raise),
                raise,
                picture: picture.cloned(),
            },
            Decision::End { alarm, at } => Notice::End { key: self.key(alarm), at },
            Decision::Escalate(worse) => Notice::Escalate { key: self.key(worse.alarm), worse },
            Decision::Suppress(held) => {
                info!(camera.id = %self.id, task.id = %held.task, reason = held.reason, "an alarm was held back");
                return None;
            }
        })
    }

    fn context(&self, raise: &Raise) -> Context {
        let analysis = self.analysis();
        Context { camera: self.id, generation: analysis.generation(), model: analysis.model(raise) }
    }

    fn key(&self, alarm: u64) -> AlarmKey {
        (self.run, alarm)
    }

    fn tell_quality(&self, analysis: &Analysis) {
        match analysis.defect() {
            Some(defect) => {
                let name = lock(&self.settings).name.clone();
                if self.warnings.set(PICTURE_QUALITY, Some(self.id), defect.message(&name)) {
                    warn!(camera.id = %self.id, ?defect, "the picture cannot be used");
                }
            }
            None => {
                self.warnings.clear(PICTURE_QUALITY, Some(self.id));
            }
        }
    }

    /// Tells what was decided without a picture: that something is over, or that no picture comes any more.
    async fn tell(&self, decisions: Vec<Decision>) {
        for notice in decisions.into_iter().filter_map(|d| self.notice(d, None)) {
            let _ = self.notices.send(notice).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The task that feeds one camera's decoder.
pub(super) struct Feed {
    camera: Arc<Running>,
    clock: Arc<dyn Clock>,
    tap: Arc<Tap>,
    wall: Arc<Mutex<WallOffset>>,
    gate: Gate,
    decoder: Option<Watched>,
    /// How many decoders have failed: picks the next candidate.
    failures: usize,
    not_before: Option<Instant>,
    fps: Option<f32>,
}

/// A decoder and how it does.
struct Watched {
    decoder: Decoder,
    decoded: u64,
    /// Pictures in, and when, at the last picture out.
    pushed_then: u64,
    decoded_at: Instant,
}

/// The newest mapping from media clock to wall clock.
#[derive(Clone, Copy, Debug, Default)]
struct WallOffset {
    wall: WallTime,
    offset_us: i64,
}

impl Feed {
    pub(super) fn new(camera: Arc<Running>, clock: Arc<dyn Clock>, bell: Latest<()>) -> Self {
        let slot = camera.slot.clone();
        let deliver = move |picture| {
            slot.put(picture);
            bell.put(());
        };
        let tap = Tap {
            sampler: Mutex::default(),
            pool: Arc::<Pool>::default(),
            deliver: Box::new(deliver),
            work: Arc::clone(&camera.work),
        };
        Self {
            camera,
            clock,
            tap: Arc::new(tap),
            wall: Arc::default(),
            gate: Gate::default(),
            decoder: None,
            failures: 0,
            not_before: None,
            fps: None,
        }
    }

    /// Runs until the camera is stopped or removed.
    pub(super) async fn run(mut self) {
        let camera = Arc::clone(&self.camera);
        let mut units = camera.hub.subscribe(camera.id).ok();
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.plan();
        loop {
            let next = async {
                match &mut units {
                    Some(units) => units.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = camera.token.cancelled() => break,
                () = camera.changed.notified() => {
                    self.plan();
                    self.pass_time(true).await;
                }
                _ = tick.tick() => {
                    self.plan();
                    self.pass_time(false).await;
                    self.watch_decoder();
                    if units.is_none() {
                        units = camera.hub.subscribe(camera.id).ok();
                    }
                }
                unit = next => match unit {
                    Some(Unit::Frame(unit)) => self.feed(&unit),
                    Some(Unit::Gap) => self.gate.break_off(),
                    None => units = None,
                },
            }
        }
        self.decoder = None;
        let mut decisions = Vec::new();
        camera.analysis().end_all(self.clock.now(), &mut decisions);
        camera.tell(decisions).await;
    }

    /// Asks for as many pictures as the tasks of now need; stops decoding when there are none.
    fn plan(&mut self) {
        self.fps = self.camera.analysis().needed_fps(self.clock.now());
        self.tap.set_rate(self.fps);
        if self.fps.is_none() && self.decoder.take().is_some() {
            self.camera.set_decode_fault(None);
        }
    }

    /// Ends the alarms of tasks that are gone or not armed, and of a camera that delivers nothing.
    async fn pass_time(&self, changed: bool) {
        let now = self.clock.now();
        let mut decisions = Vec::new();
        {
            let mut analysis = self.camera.analysis();
            let quiet = analysis.newest().is_some_and(|newest| now.since(newest) > QUIET_AFTER);
            if quiet {
                // A little in the past, so that a picture on its way is not taken for an old one.
                analysis.idle(now - QUIET_AFTER / 2, &mut decisions);
            } else if changed && self.fps.is_none() {
                analysis.idle(now, &mut decisions);
            }
        }
        self.camera.tell(decisions).await;
        let counts = self.camera.analysis().take_counts(self.camera.id, now);
        if !counts.is_empty() {
            // Only fails when the events' task is gone, at the very end.
            let _ = self.camera.notices.send(Notice::Counts(counts)).await;
        }
    }

    fn feed(&mut self, unit: &AccessUnit) {
        {
            let mut wall = lock(&self.wall);
            let at = wall.wall.map(unit.pts_us, unit.received_at);
            wall.offset_us = at.as_micros() - unit.pts_us;
        }
        if self.fps.is_none() || self.not_before.is_some_and(|at| Instant::now() < at) {
            return;
        }
        if self.decoder.as_ref().is_none_or(|d| d.decoder.codec() != unit.params.codec) {
            self.decoder = None;
            if !unit.key {
                return;
            }
            self.start_decoder(unit);
        }
        let Some(watched) = &mut self.decoder else { return };
        if watched.decoder.is_full() {
            // The machine is too slow: everything up to the next key frame is left out.
            self.gate.break_off();
            return;
        }
        let encoded = Encoded { pts_us: unit.pts_us, key: unit.key, disposable: unit.disposable };
        let after_a_gap = self.gate.is_broken();
        if self.gate.admits(encoded, &self.tap.sampler())
            && let Err(e) = watched.decoder.push(unit, after_a_gap)
        {
            self.fail(e);
        }
    }

    fn start_decoder(&mut self, first: &AccessUnit) {
        let names = candidates(first.params.codec);
        if names.is_empty() {
            return self.fail(DecodeError::NoDecoder(first.params.codec.as_str()));
        }
        let wall = Arc::clone(&self.wall);
        let wall = Arc::new(move |pts_us: i64| Timestamp::from_micros(pts_us + lock(&wall).offset_us));
        match Decoder::start(names[self.failures % names.len()], first, wall, Arc::clone(&self.tap)) {
            Ok(decoder) => {
                self.gate = Gate::default();
                self.decoder = Some(Watched { decoder, decoded: 0, pushed_then: 0, decoded_at: Instant::now() });
            }
            Err(e) => self.fail(e),
        }
    }

    /// Notices a decoder that gave up or gives nothing.
    fn watch_decoder(&mut self) {
        let Some(watched) = &mut self.decoder else { return };
        let (pushed, decoded) = watched.decoder.counts();
        if let Some(error) = watched.decoder.error() {
            self.fail(error);
        } else if decoded > watched.decoded {
            (watched.decoded, watched.pushed_then, watched.decoded_at) = (decoded, pushed, Instant::now());
            self.camera.set_decode_fault(None);
        } else if pushed - watched.pushed_then >= NOTHING_DECODED.0 && watched.decoded_at.elapsed() >= NOTHING_DECODED.1
        {
            let error = watched.decoder.nothing_decoded();
            self.fail(error);
        }
    }

    fn fail(&mut self, error: DecodeError) {
        self.decoder = None;
        self.failures += 1;
        self.not_before = Some(Instant::now() + START_AGAIN_AFTER);
        self.camera.set_decode_fault(Some((error, self.clock.now())));
    }
}
