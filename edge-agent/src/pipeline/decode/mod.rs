//! From encoded pictures to pixels, by GStreamer.
//!
//! ```text
//! appsrc ! h264parse ! decoder ─(probe: only what is due passes)─▶ videoconvert ! appsink (NV12 or I420)
//! ```
//! Each decoder has one streaming thread of GStreamer's own. Pictures that nobody looks at are let go at the
//! probe, before anything converts or copies them.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video::{VideoFormat, VideoFrameExt as _, VideoFrameRef, VideoInfo};
use protocol::Timestamp;
use stream_gateway::{AccessUnit, Codec};

mod file;

pub(super) use self::file::{FileDecoder, FileError, FileSettings, Taken};
use super::{
    camera::Work,
    picture::{Chroma, Picture, Pool},
    sample::Sampler,
};

/// Pictures that may wait in front of the decoder; more, and it is too slow.
const MAX_WAITING: u64 = 30;

/// Gives the wall-clock time of a presentation time.
pub(super) type WallOf = Arc<dyn Fn(i64) -> Timestamp + Send + Sync>;

/// Why pictures cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    /// No plug-in for the codec.
    #[error("no decoder for {0} is installed; install the packages gstreamer1.0-libav and gstreamer1.0-plugins-bad")]
    NoDecoder(&'static str),
    /// GStreamer does not start it.
    #[error("the decoder {name} cannot be started: {reason}")]
    Start { name: &'static str, reason: String },
    /// It gave up.
    #[error("the decoder {name} failed: {reason}")]
    Failed { name: &'static str, reason: String },
    /// It waits for nothing.
    #[error("pictures arrive, but {name} makes nothing of them; check the camera's encoder settings")]
    NothingDecoded { name: &'static str },
}

/// Where decoded pictures go, and which.
pub(super) struct Tap {
    pub(super) sampler: Mutex<Sampler>,
    pub(super) pool: Arc<Pool>,
    pub(super) work: Arc<Work>,
    /// Takes a picture; must not block.
    pub(super) deliver: Box<dyn Fn(Picture) + Send + Sync>,
}

impl Tap {
    fn lock(&self) -> MutexGuard<'_, Sampler> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sampler(&self) -> Sampler {
        *self.lock()
    }

    pub(super) fn set_rate(&self, fps: Option<f32>) {
        self.lock().set_rate(fps);
    }
}

/// One running decoder.
pub(super) struct Decoder {
    codec: Codec,
    name: &'static str,
    pipeline: gst::Pipeline,
    source: AppSrc,
    clock: Clock,
    monitor: Arc<Monitor>,
    pushed: u64,
}

/// What the streaming thread tells.
#[derive(Default)]
struct Monitor {
    decoded: AtomicU64,
    error: Mutex<Option<String>>,
}

/// Maps presentation times to GStreamer's clock, which starts at 0, and back.
#[derive(Clone, Copy)]
struct Clock {
    base_us: i64,
}

impl Clock {
    /// Media clocks may step back a little (reordering); this much fits.
    const MARGIN_US: i64 = 10_000_000;

    fn gst_time(self, pts_us: i64) -> gst::ClockTime {
        let since = (pts_us - self.base_us).saturating_add(Self::MARGIN_US);
        gst::ClockTime::from_useconds(u64::try_from(since).unwrap_or(0))
    }

    fn media_time(self, pts: gst::ClockTime) -> i64 {
        i64::try_from(pts.useconds()).unwrap_or(i64::MAX) - Self::MARGIN_US + self.base_us
    }
}

/// Decoders for a codec that are installed here, best first: hardware, then software.
pub(super) fn candidates(codec: Codec) -> Vec<&'static str> {
    let known: &[&'static str] = match codec {
        Codec::H264 => &["vah264dec", "nvh264dec", "v4l2slh264dec", "v4l2h264dec", "mppvideodec", "avdec_h264"],
        Codec::H265 => &["vah265dec", "nvh265dec", "v4l2slh265dec", "v4l2h265dec", "mppvideodec", "avdec_h265"],
    };
    known.iter().copied().filter(|name| gst::ElementFactory::find(name).is_some()).collect()
}

impl Decoder {
    /// Starts the decoder called `name` for a stream whose first picture is `first`.
    pub(super) fn start(
        name: &'static str,
        first: &AccessUnit,
        wall: WallOf,
        tap: Arc<Tap>,
    ) -> Result<Self, DecodeError> {
        let codec = first.params.codec;
        let failed = |reason: &dyn fmt::Display| DecodeError::Start { name, reason: reason.to_string() };
        let (media, parser) = match codec {
            Codec::H264 => ("video/x-h264", "h264parse"),
            Codec::H265 => ("video/x-h265", "h265parse"),
        };
        let caps = gst::Caps::builder(media).field("stream-format", "byte-stream").field("alignment", "au").build();
        let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).is_live(true).max_bytes(0).build();
        let parser = make(parser).map_err(|e| failed(&e))?;
        let decoder = make(name).map_err(|e| failed(&e))?;
        configure(&decoder);
        let convert = make("videoconvert").map_err(|e| failed(&e))?;
        let formats = gst::List::new(["NV12", "I420"]);
        let sink = AppSink::builder()
            .caps(&gst::Caps::builder("video/x-raw").field("format", formats).build())
            .sync(false)
            .max_buffers(2)
            .build();

        let monitor = Arc::new(Monitor::default());
        let clock = Clock { base_us: first.pts_us };
        watch_decoder(&decoder, &tap, &monitor, clock).ok_or_else(|| failed(&"it has no output"))?;
        deliver_from(&sink, tap, wall, clock);

        let pipeline = gst::Pipeline::new();
        let elements = [source.upcast_ref(), &parser, &decoder, &convert, sink.upcast_ref::<gst::Element>()];
        pipeline.add_many(elements).map_err(|e| failed(&e))?;
        gst::Element::link_many(elements).map_err(|e| failed(&e))?;
        keep_errors(&pipeline, &monitor);
        let this = Self { codec, name, pipeline, source, clock, monitor, pushed: 0 };
        this.pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
        Ok(this)
    }

    /// The codec it decodes.
    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether it is so far behind that pictures must be left out.
    pub(super) fn is_full(&self) -> bool {
        self.source.current_level_buffers() >= MAX_WAITING
    }

    /// Decodes the next picture. After a gap in the stream `discontinuous` says so.
    pub(super) fn push(&mut self, unit: &AccessUnit, discontinuous: bool) -> Result<(), DecodeError> {
        let mut buffer = gst::Buffer::from_slice(unit.data.clone());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(self.clock.gst_time(unit.pts_us));
            if discontinuous {
                buffer.set_flags(gst::BufferFlags::DISCONT);
            }
        }
        self.pushed += 1;
        self.source.push_buffer(buffer).map(|_| ()).map_err(|e| self.error().unwrap_or_else(|| self.failed(e)))
    }

    /// How many pictures went in and came out.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.pushed, self.monitor.decoded.load(Ordering::Relaxed))
    }

    /// What made it give up, if it did.
    pub(super) fn error(&self) -> Option<DecodeError> {
        let error = self.monitor.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        error.map(|reason| self.failed(reason))
    }

    /// The error of a decoder that gives no pictures.
    pub(super) fn nothing_decoded(&self) -> DecodeError {
        DecodeError::NothingDecoded { name: self.name }
    }

    fn failed(&self, reason: impl fmt::Display) -> DecodeError {
        DecodeError::Failed { name: self.name, reason: reason.to_string() }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // Joins the streaming thread. A pipeline that cannot be stopped is let go of all the same.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn make(name: &str) -> Result<gst::Element, gst::glib::BoolError> {
    gst::ElementFactory::make(name).build()
}

/// One core per camera at most, and no pictures with holes in them: a grey smear is not to be looked at.
fn configure(decoder: &gst::Element) {
    if decoder.find_property("max-threads").is_some_and(|p| p.value_type() == i32::static_type()) {
        decoder.set_property("max-threads", 1i32);
    }
    if decoder.find_property("output-corrupt").is_some() {
        decoder.set_property("output-corrupt", false);
    }
}

/// Lets only those pictures pass that are due.
fn watch_decoder(decoder: &gst::Element, tap: &Arc<Tap>, monitor: &Arc<Monitor>, clock: Clock) -> Option<()> {
    let (tap, monitor) = (Arc::clone(tap), Arc::clone(monitor));
    let probe = move |_: &gst::Pad, info: &mut gst::PadProbeInfo<'_>| {
        monitor.decoded.fetch_add(1, Ordering::Relaxed);
        tap.work.decoded.fetch_add(1, Ordering::Relaxed);
        let due = info.buffer().and_then(|b| b.pts()).is_some_and(|pts| tap.lock().pick(clock.media_time(pts)));
        if due { gst::PadProbeReturn::Ok } else { gst::PadProbeReturn::Drop }
    };
    decoder.static_pad("src")?.add_probe(gst::PadProbeType::BUFFER, probe).map(|_| ())
}

fn deliver_from(sink: &AppSink, tap: Arc<Tap>, wall: WallOf, clock: Clock) {
    let new_sample = move |sink: &AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        if let Some(picture) = copy(&sample, &tap.pool, &*wall, clock) {
            (tap.deliver)(picture);
        }
        Ok(gst::FlowSuccess::Ok)
    };
    sink.set_callbacks(AppSinkCallbacks::builder().new_sample(new_sample).build());
}

fn copy(sample: &gst::Sample, pool: &Arc<Pool>, wall: &dyn Fn(i64) -> Timestamp, clock: Clock) -> Option<Picture> {
    let info = VideoInfo::from_caps(sample.caps()?).ok()?;
    let buffer = sample.buffer()?;
    let pts_us = clock.media_time(buffer.pts()?);
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, &info).ok()?;
    let stride = |plane: usize| usize::try_from(frame.plane_stride()[plane]).ok();
    let chroma = match frame.format() {
        VideoFormat::Nv12 => Chroma::Interleaved { uv: frame.plane_data(1).ok()?, stride: stride(1)? },
        VideoFormat::I420 => {
            Chroma::Planar { u: frame.plane_data(1).ok()?, v: frame.plane_data(2).ok()?, stride: stride(1)? }
        }
        _ => return None,
    };
    let luma = (frame.plane_data(0).ok()?, stride(0)?);
    Picture::copy(pool, (pts_us, wall(pts_us)), (info.width(), info.height()), luma, chroma)
}

/// Keeps the first error; nobody else reads the bus.
fn keep_errors(pipeline: &gst::Pipeline, monitor: &Arc<Monitor>) {
    let monitor = Arc::clone(monitor);
    let Some(bus) = pipeline.bus() else { return };
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            let mut kept = monitor.error.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get_or_insert_with(|| error.error().to_string());
        }
        gst::BusSyncReply::Drop
    });
}
