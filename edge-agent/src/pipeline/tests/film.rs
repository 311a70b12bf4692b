//! A camera that plays a generated film, and a detector that sees what a test says.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, pending};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use inference::{Frame, InferenceError};
use protocol::{BoundingBox, Camera, ClassId, ClassTable, Detection, InferenceHealth, ModelRef};
use stream_gateway::{
    Codec,
    source::{Fault, RawUnit, Source, Stream},
};
use tokio::time::{Instant, sleep_until};

use crate::pipeline::Detect;

const FRAME: Duration = Duration::from_millis(40);

/// Two seconds of a moving ball, 25 pictures a second, a key frame each second; `None` without an encoder.
pub(super) fn encode(codec: Codec) -> Option<Vec<Bytes>> {
    gst::init().unwrap();
    let encoders: &[(&str, &str)] = match codec {
        Codec::H264 => &[
            (
                "x264enc",
                "x264enc key-int-max=25 tune=zerolatency speed-preset=ultrafast ! h264parse config-interval=-1",
            ),
            ("openh264enc", "openh264enc gop-size=25 ! h264parse config-interval=-1"),
        ],
        Codec::H265 => &[(
            "x265enc",
            "x265enc key-int-max=25 tune=zerolatency speed-preset=ultrafast ! h265parse config-interval=-1",
        )],
    };
    let (_, encoder) = encoders.iter().find(|(name, _)| gst::ElementFactory::find(name).is_some())?;
    let (name, size) = (codec.as_str(), "width=320,height=180");
    let description = format!(
        "videotestsrc pattern=ball num-buffers=50 ! video/x-raw,format=I420,{size},framerate=25/1 ! {encoder} \
         ! video/x-{name},stream-format=byte-stream,alignment=au ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut units = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        units.push(Bytes::copy_from_slice(&sample.buffer().unwrap().map_readable().unwrap()));
    }
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(units.len(), 50);
    Some(units)
}

/// A camera in memory that loops a film in real time.
pub(super) struct Film {
    pub(super) codec: Codec,
    pub(super) units: Arc<Vec<Bytes>>,
}

impl Film {
    pub(super) fn h264() -> Self {
        Self { codec: Codec::H264, units: Arc::new(encode(Codec::H264).expect("an H.264 encoder is installed")) }
    }

    /// Parameter sets as they should be, and slices of noise.
    pub(super) fn damaged() -> Self {
        let film = Self::h264();
        let spoil = |unit: &Bytes| {
            let mut bytes = unit.to_vec();
            let starts: Vec<usize> =
                (0..bytes.len().saturating_sub(4)).filter(|&i| bytes[i..i + 3] == [0, 0, 1]).collect();
            for start in starts {
                let slice = matches!(bytes[start + 3] & 0x1f, 1 | 5);
                if slice {
                    bytes.truncate(start + 4);
                    bytes.extend((0..200u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 1));
                    break;
                }
            }
            Bytes::from(bytes)
        };
        Self { units: Arc::new(film.units.iter().map(spoil).collect()), ..film }
    }
}

impl Source for Film {
    fn open<'a>(&'a self, _: &'a Camera) -> BoxFuture<'a, Result<Box<dyn Stream>, Fault>> {
        let playing = Playing { codec: self.codec, units: Arc::clone(&self.units), next: 0, due: Instant::now() };
        Box::pin(async { Ok(Box::new(playing) as Box<dyn Stream>) })
    }
}

struct Playing {
    codec: Codec,
    units: Arc<Vec<Bytes>>,
    next: usize,
    due: Instant,
}

impl Stream for Playing {
    fn next(&mut self) -> BoxFuture<'_, Result<RawUnit, Fault>> {
        Box::pin(async move {
            if self.units.is_empty() {
                return pending().await;
            }
            sleep_until(self.due).await;
            self.due += FRAME;
            let data = self.units[self.next % self.units.len()].clone();
            let source_us = i64::try_from(self.next).unwrap() * 40_000;
            self.next += 1;
            Ok(RawUnit { codec: self.codec, source_us, lost: 0, data })
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// What a scripted detector sees from now on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum View {
    Nothing,
    BareHead,
    Fails,
}

/// A detector in the hands of a test; clones are the same.
#[derive(Clone)]
pub(super) struct Script {
    view: Arc<Mutex<View>>,
    looked: Arc<AtomicU64>,
    classes: ClassTable,
}

impl Script {
    pub(super) fn new(view: View) -> Self {
        let classes = ClassTable::new(["person", "helmet", "head"]);
        Self { view: Arc::new(Mutex::new(view)), looked: Arc::default(), classes }
    }

    pub(super) fn knowing(classes: &[&str]) -> Self {
        Self { classes: ClassTable::new(classes.iter().copied()), ..Self::new(View::Nothing) }
    }

    pub(super) fn show(&self, view: View) {
        *self.view.lock().unwrap() = view;
    }

    /// How many pictures were looked at.
    pub(super) fn looked(&self) -> u64 {
        self.looked.load(Ordering::SeqCst)
    }
}

impl Detect for Script {
    fn classes(&self) -> &ClassTable {
        &self.classes
    }

    fn model(&self) -> ModelRef {
        ModelRef { name: "script".into(), version: "1".into() }
    }

    fn health(&self) -> InferenceHealth {
        InferenceHealth { model: "script 1".into(), provider: "test".into(), ..InferenceHealth::default() }
    }

    fn detect(&mut self, frames: &[Frame<'_>], out: &mut [Vec<Detection>]) -> Result<(), InferenceError> {
        assert_eq!(frames.len(), out.len());
        let view = *self.view.lock().unwrap();
        for (frame, out) in frames.iter().zip(out) {
            frame.check()?;
            assert_eq!(frame.size(), (320, 180));
            self.looked.fetch_add(1, Ordering::SeqCst);
            out.clear();
            match view {
                View::Nothing => {}
                View::Fails => return Err(InferenceError::BadFrame("as the test wants".into())),
                View::BareHead => out.extend([
                    Detection { class: ClassId(0), score: 0.8, bbox: BoundingBox::new(0.4, 0.2, 0.15, 0.7) },
                    Detection { class: ClassId(2), score: 0.7, bbox: BoundingBox::new(0.44, 0.2, 0.06, 0.1) },
                ]),
            }
        }
        Ok(())
    }
}
