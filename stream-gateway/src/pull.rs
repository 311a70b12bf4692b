//! The task that keeps one camera coming.
//!
//! ```text
//!  wait for a consumer ─▶ connect ─▶ deliver ─▶ (idle, or other settings) ─▶ goodbye ─▶ …
//!                            │           │
//!                            └── fault ──┴─▶ goodbye ─▶ back-off, from the first failure on ─▶ connect
//! ```

use std::{convert::Infallible, sync::Arc, time::Duration};

use protocol::{Camera, StreamState};
use runtime::Backoff;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::debug;

use crate::{
    assemble::Assembler,
    channel::Channel,
    source::{Fault, Source, Stream},
};

/// How long connecting may take.
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connected camera may send nothing.
pub(crate) const FRAME_PATIENCE: Duration = Duration::from_secs(10);
/// How long it may send no key frame: some encoders save them up for 20 s.
pub(crate) const KEY_PATIENCE: Duration = Duration::from_secs(30);
/// How long a camera is pulled after its last consumer left.
pub(crate) const IDLE_AFTER: Duration = Duration::from_secs(10);

/// Pulls one camera.
pub(crate) struct Pull {
    channel: Arc<Channel>,
    source: Arc<dyn Source>,
    settings: watch::Receiver<Camera>,
    assembler: Assembler,
    backoff: Backoff,
}

/// Why a pull ended.
enum Ended {
    /// The camera is removed or the hub stops.
    Cancelled,
    /// The camera's settings are others now.
    Changed,
    /// Nobody watches.
    Idle,
    /// The camera does not deliver.
    Fault(Fault),
}

impl Pull {
    pub(crate) fn new(channel: Arc<Channel>, source: Arc<dyn Source>, settings: watch::Receiver<Camera>) -> Self {
        Self { channel, source, settings, assembler: Assembler::new(), backoff: Backoff::default() }
    }

    /// Runs until the camera is removed.
    pub(crate) async fn run(mut self) -> Result<(), Infallible> {
        let token = self.channel.token.clone();
        let mut consumers = self.channel.consumers();
        loop {
            tokio::select! {
                biased;
                () = token.cancelled() => return Ok(()),
                _ = consumers.wait_for(|&count| count > 0) => {}
            }
            match self.pull().await {
                Ended::Cancelled => return Ok(()),
                Ended::Idle => self.channel.idle(),
                Ended::Changed => {
                    self.backoff = Backoff::default();
                    self.channel.set(StreamState::Connecting, "the settings have changed");
                }
                Ended::Fault(fault) => {
                    self.channel.set(fault.state, &fault.detail);
                    let wait = self.backoff.failed(self.channel.clock.now(), &mut rand::rng());
                    debug!(camera.id = %self.channel.id, wait_ms = wait.as_millis(), "waiting before the next attempt");
                    tokio::select! {
                        biased;
                        () = token.cancelled() => return Ok(()),
                        _ = self.settings.changed() => self.backoff = Backoff::default(),
                        () = sleep(wait) => {}
                    }
                }
            }
        }
    }

    /// One connection, from connecting to goodbye.
    async fn pull(&mut self) -> Ended {
        let camera = self.settings.borrow_and_update().clone();
        let token = self.channel.token.clone();
        // biased: a hub that is dropped cancels the token and closes the settings at once
        let opened = tokio::select! {
            biased;
            () = token.cancelled() => return Ended::Cancelled,
            _ = self.settings.changed() => return Ended::Changed,
            opened = timeout(CONNECT_PATIENCE, self.source.open(&camera)) => opened,
        };
        let mut stream = match opened {
            Ok(Ok(stream)) => stream,
            Ok(Err(fault)) => return Ended::Fault(fault),
            Err(_) => return Ended::Fault(Fault::silent(&camera, CONNECT_PATIENCE)),
        };
        self.channel.connected();
        self.assembler.restart();
        let delivered = deliver(&self.channel, &mut self.assembler, &mut self.backoff, &mut *stream, &camera);
        let ended = tokio::select! {
            biased;
            () = token.cancelled() => Ended::Cancelled,
            _ = self.settings.changed() => Ended::Changed,
            () = idle(&self.channel) => Ended::Idle,
            fault = delivered => Ended::Fault(fault),
        };
        self.channel.stopped();
        stream.close().await;
        ended
    }
}

/// Returns when nobody has watched for a while.
async fn idle(channel: &Channel) {
    let mut consumers = channel.consumers();
    loop {
        // the channel outlives this future, so both waits end by a change only
        let _ = consumers.wait_for(|&count| count == 0).await;
        tokio::select! {
            () = sleep(IDLE_AFTER) => return,
            _ = consumers.wait_for(|&count| count > 0) => {}
        }
    }
}

/// Hands pictures on until something is wrong.
async fn deliver(
    channel: &Channel,
    assembler: &mut Assembler,
    backoff: &mut Backoff,
    stream: &mut dyn Stream,
    camera: &Camera,
) -> Fault {
    let mut key_deadline = Instant::now() + KEY_PATIENCE;
    // what was wrong with the pictures, if none is good in the end
    let mut damage = None;
    loop {
        let raw = match timeout_at(Instant::now() + FRAME_PATIENCE, stream.next()).await {
            Ok(Ok(raw)) => raw,
            Ok(Err(fault)) => return fault,
            Err(_) => return Fault::no_frames(camera, FRAME_PATIENCE),
        };
        channel.lost(raw.lost);
        let now = channel.clock.now();
        match assembler.push(raw, now) {
            Ok(Some(assembled)) => {
                if assembled.unit.key {
                    key_deadline = Instant::now() + KEY_PATIENCE;
                    damage = None;
                    backoff.connected(now);
                }
                channel.write(assembled);
                channel.set(StreamState::Online, "");
            }
            Ok(None) => {}
            Err(fault) => damage = Some(fault),
        }
        if Instant::now() >= key_deadline {
            return damage.unwrap_or_else(|| Fault::no_key_frame(KEY_PATIENCE));
        }
    }
}
