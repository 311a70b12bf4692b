//! A camera that does what a test wants.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, pending};
use media::Codec;
use protocol::{Camera, CameraId, StreamState, Timestamp, Transport};
use runtime::Clock;
use stream_gateway::{
    Hub, StreamStatus, Subscription, Unit,
    source::{Fault, RawUnit, Source, Stream},
};
use tokio::time::{Instant, sleep_until, timeout};

/// A High profile 1920×1080 SPS, a PPS, and an IDR slice.
pub(crate) const KEY: &[u8] = &[
    0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00,
    0x04, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x3c, 0x60, 0xc6, 0x58, 0, 0, 0, 1, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0, 0,
    0, 1, 0x65, 0x88, 0x84,
];
/// A slice that refers to others.
pub(crate) const DELTA: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a, 0x24];
/// One picture of 25 per second.
pub(crate) const FRAME: Duration = Duration::from_millis(40);
/// A key frame each second.
pub(crate) const GOP: i64 = 25;

/// The wall clock that tokio's paused time moves.
#[derive(Debug)]
pub(crate) struct TokioClock(pub(crate) Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_000_000) + self.0.elapsed()
    }
}

/// How the fake camera behaves from now on.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mode {
    /// Delivers 25 pictures a second.
    #[default]
    Good,
    /// Delivers, but never a key frame.
    NoKeys,
    /// Is connected and silent.
    Stalled,
    /// Refuses, and ends what it delivers, with this fault.
    Fails(Fault),
    /// Never answers.
    Hangs,
}

/// What the fake camera has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) opened: Vec<(Instant, Camera)>,
    pub(crate) closed: usize,
}

/// A camera in memory; clones are the same camera.
#[derive(Clone, Default)]
pub(crate) struct FakeSource(Arc<Mutex<(Mode, Seen)>>);

impl FakeSource {
    pub(crate) fn become_(&self, mode: Mode) {
        self.0.lock().unwrap().0 = mode;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap().1.clone()
    }

    fn mode(&self) -> Mode {
        self.0.lock().unwrap().0.clone()
    }
}

impl Source for FakeSource {
    fn open<'a>(&'a self, camera: &'a Camera) -> BoxFuture<'a, Result<Box<dyn Stream>, Fault>> {
        self.0.lock().unwrap().1.opened.push((Instant::now(), camera.clone()));
        Box::pin(async move {
            match self.mode() {
                Mode::Fails(fault) => Err(fault),
                Mode::Hangs => pending().await,
                Mode::Good | Mode::NoKeys | Mode::Stalled => {
                    let stream = FakeStream { source: self.clone(), next: 0, due: Instant::now() };
                    Ok(Box::new(stream) as Box<dyn Stream>)
                }
            }
        })
    }
}

struct FakeStream {
    source: FakeSource,
    next: i64,
    due: Instant,
}

impl Stream for FakeStream {
    fn next(&mut self) -> BoxFuture<'_, Result<RawUnit, Fault>> {
        Box::pin(async move {
            sleep_until(self.due).await;
            self.due += FRAME;
            let key = self.next % GOP == 0;
            let data = match self.source.mode() {
                Mode::Good if key => KEY,
                Mode::Good | Mode::NoKeys => DELTA,
                Mode::Fails(fault) => return Err(fault),
                Mode::Stalled | Mode::Hangs => pending().await,
            };
            let source_us = 777 + self.next * 40_000;
            self.next += 1;
            Ok(RawUnit { codec: Codec::H264, source_us, lost: 0, data: Bytes::from_static(data) })
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.source.0.lock().unwrap().1.closed += 1;
        Box::pin(async {})
    }
}

pub(crate) fn fault(state: StreamState) -> Fault {
    Fault::new(state, "as the test wants")
}

pub(crate) fn camera(number: i64) -> Camera {
    Camera {
        id: format!("00000000-0000-7000-8000-{number:012}").parse().unwrap(),
        name: format!("camera {number}"),
        url: format!("rtsp://192.0.2.1/{number}").parse().unwrap(),
        credentials: None,
        transport: Transport::Tcp,
    }
}

/// The next picture, which must not be a gap.
pub(crate) async fn frame(subscription: &mut Subscription) -> Arc<stream_gateway::AccessUnit> {
    match timeout(Duration::from_mins(1), subscription.next()).await.expect("a picture within a minute") {
        Some(Unit::Frame(unit)) => unit,
        other => panic!("expected a picture, got {other:?}"),
    }
}

/// Skips pictures until a gap.
pub(crate) async fn gap(subscription: &mut Subscription) {
    let wait = async {
        loop {
            match subscription.next().await {
                Some(Unit::Gap) => return,
                Some(Unit::Frame(_)) => {}
                None => panic!("the subscription ended"),
            }
        }
    };
    timeout(Duration::from_mins(2), wait).await.expect("a gap within two minutes");
}

pub(crate) fn status(hub: &Hub, camera: CameraId) -> StreamStatus {
    hub.status().into_iter().find(|status| status.camera == camera).expect("the hub has this camera")
}

/// Waits until the camera is in `state`.
pub(crate) async fn until(hub: &Hub, camera: CameraId, state: StreamState) -> StreamStatus {
    let wait = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            let now = status(hub, camera);
            if now.state == state {
                return now;
            }
        }
    };
    let waited = timeout(Duration::from_secs(90), wait).await;
    waited.unwrap_or_else(|_| panic!("{state:?} expected, but it is {:?}", status(hub, camera)))
}
