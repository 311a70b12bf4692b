//! What the pull of a camera and its consumers share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use protocol::{CameraId, Overlay, StreamState};
use runtime::{CancellationToken, Clock};
use tokio::sync::{broadcast, watch};
use tracing::{info, warn};

use crate::{
    AccessUnit, StreamStatus,
    assemble::Assembled,
    ring::{Ring, RingLimits},
    status::Condition,
};

/// Overlays kept for a viewer that is busy; a later one replaces an older one anyway.
const OVERLAYS: usize = 32;
/// Rates are measured over this time.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// One camera.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: CameraId,
    pub(crate) clock: Arc<dyn Clock>,
    /// Ends the pull and every subscription.
    pub(crate) token: CancellationToken,
    ring: Mutex<Ring>,
    /// Changes whenever the ring does.
    written: watch::Sender<()>,
    condition: watch::Sender<Condition>,
    consumers: watch::Sender<usize>,
    overlays: broadcast::Sender<Arc<Overlay>>,
    connections: AtomicU32,
    lost_packets: AtomicU64,
}

/// Keeps a camera pulled while it lives.
#[derive(Debug)]
pub(crate) struct Demand(Arc<Channel>);

impl Demand {
    pub(crate) fn on(channel: &Arc<Channel>) -> Self {
        channel.consumers.send_modify(|count| *count += 1);
        Self(Arc::clone(channel))
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.0
    }
}

impl Drop for Demand {
    fn drop(&mut self) {
        self.0.consumers.send_modify(|count| *count -= 1);
    }
}

impl Channel {
    pub(crate) fn new(id: CameraId, clock: Arc<dyn Clock>, token: CancellationToken) -> Self {
        let condition = Condition { since: clock.now(), ..Condition::default() };
        Self {
            id,
            clock,
            token,
            ring: Mutex::new(Ring::new(RingLimits::default())),
            written: watch::Sender::new(()),
            condition: watch::Sender::new(condition),
            consumers: watch::Sender::new(0),
            overlays: broadcast::Sender::new(OVERLAYS),
            connections: AtomicU32::new(0),
            lost_packets: AtomicU64::new(0),
        }
    }

    pub(crate) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    pub(crate) fn consumers(&self) -> watch::Receiver<usize> {
        self.consumers.subscribe()
    }

    pub(crate) fn conditions(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    pub(crate) fn overlays(&self) -> broadcast::Receiver<Arc<Overlay>> {
        self.overlays.subscribe()
    }

    /// Shows an overlay to whoever watches; nobody watching is fine.
    pub(crate) fn publish_overlay(&self, overlay: Overlay) {
        let _ = self.overlays.send(Arc::new(overlay));
    }

    pub(crate) fn write(&self, Assembled { unit, restart }: Assembled) {
        self.ring().push(Arc::new(unit), restart);
        self.written.send_replace(());
    }

    /// Notes that the stream stopped; what was received stays for clips.
    pub(crate) fn stopped(&self) {
        self.ring().stop();
        self.written.send_replace(());
    }

    /// Notes that nobody needs what was received.
    pub(crate) fn idle(&self) {
        self.ring().clear();
        self.set(StreamState::Connecting, "not pulled: nobody watches this camera");
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self, packets: u32) {
        self.lost_packets.fetch_add(packets.into(), Ordering::Relaxed);
    }

    /// Sets the state; logs when it changes.
    pub(crate) fn set(&self, state: StreamState, detail: &str) {
        let now = self.clock.now();
        self.condition.send_if_modified(|condition| {
            if condition.state == state && condition.detail == detail {
                return false;
            }
            if condition.state != state {
                condition.since = now;
                match state {
                    StreamState::Online => info!(camera.id = %self.id, "the camera is online"),
                    StreamState::Connecting => info!(camera.id = %self.id, reason = detail, "the camera is not pulled"),
                    _ => warn!(camera.id = %self.id, camera.state = ?state, reason = detail, "the camera does not deliver"),
                }
            }
            (condition.state, condition.detail) = (state, detail.to_owned());
            true
        });
    }

    pub(crate) fn status(&self) -> StreamStatus {
        let now = self.clock.now();
        let Condition { state, detail, since } = self.condition.borrow().clone();
        let ring = self.ring();
        let (mut frames, mut bytes) = (0_u32, 0);
        let recent = |unit: &&Arc<AccessUnit>| now.since(unit.received_at) < RATE_WINDOW;
        for unit in ring.units().rev().take_while(recent).filter(|_| ring.is_live()) {
            frames += 1;
            bytes += unit.data.len();
        }
        let window = if state == StreamState::Online { now.since(since).min(RATE_WINDOW) } else { RATE_WINDOW };
        let secs = window.max(Duration::from_secs(1)).as_secs_f32();
        let params = ring.units().next_back().map(|unit| Arc::clone(&unit.params));
        StreamStatus {
            camera: self.id,
            state,
            detail,
            since,
            fps: frames as f32 / secs,
            kbps: bytes as f32 * 8.0 / 1_000.0 / secs,
            reconnects: self.connections.load(Ordering::Relaxed).saturating_sub(1),
            lost_packets: self.lost_packets.load(Ordering::Relaxed),
            width: params.as_ref().map_or(0, |p| p.width),
            height: params.as_ref().map_or(0, |p| p.height),
            codec: params.map_or_else(String::new, |p| p.codec.as_str().to_owned()),
        }
    }
}
