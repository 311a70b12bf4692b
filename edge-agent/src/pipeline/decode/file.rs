//! Decodes a file: every picture that is due and none dropped, as fast as somebody takes them.
//!
//! ```text
//! filesrc ! parsebin ! (probe: the gate) decoder (probe: the sampler) ! videoconvert ! appsink
//! ```
//! Gate and sampler are those of live cameras. One streaming thread does it all, so the same file gives the same
//! pictures each time.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};
use protocol::Timestamp;

use super::{Clock, configure, copy, make};
use crate::pipeline::{
    picture::{Picture, Pool},
    sample::{Encoded, Gate, Sampler},
};

/// Pictures that wait between decoder and detector.
const WAITING: usize = 4;
/// A file that gives no picture for this long gives none at all.
const FIRST_WITHIN: Duration = Duration::from_secs(15);
/// A decoder that gives nothing for this long hangs.
const NEXT_WITHIN: Duration = Duration::from_mins(2);

/// Why a file cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the video {path} cannot be read: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// GStreamer makes no video of it.
    #[error("{path} is not a video that can be decoded: {reason}", path = path.display())]
    NotVideo {
        /// The file.
        path: PathBuf,
        /// What GStreamer says.
        reason: String,
    },
    /// A part of GStreamer is not installed.
    #[error("video cannot be decoded here: {0}; install gstreamer1.0-plugins-base, -good, -bad and gstreamer1.0-libav")]
    Plugins(String),
}

/// Gives the rate that is needed at a time; `None` when nothing is.
type RateAt = Box<dyn Fn(Timestamp) -> Option<f32> + Send>;

/// What is wanted of a file.
pub(in crate::pipeline) struct FileSettings {
    /// Time of the first picture.
    pub(in crate::pipeline) start: Timestamp,
    /// Pictures per second that are due at a time.
    pub(in crate::pipeline) rate_at: RateAt,
    /// Also gives the pictures that are not due, to be drawn on.
    pub(in crate::pipeline) all: bool,
}

/// A picture out of a file.
pub(in crate::pipeline) struct Taken {
    pub(in crate::pipeline) picture: Picture,
    /// Whether it is to be looked at.
    pub(in crate::pipeline) due: bool,
}

/// What the streaming thread tells.
enum Told {
    Picture(Box<Taken>),
    End,
    Failed(String),
}

/// A file being decoded.
pub(in crate::pipeline) struct FileDecoder {
    path: PathBuf,
    pipeline: gst::Pipeline,
    // Dropped before the pipeline is stopped, so that a thread that waits for room goes on.
    told: Option<Receiver<Told>>,
    decoded: Arc<AtomicU64>,
    pictures: u64,
}

/// Picks what is decoded and what is due.
struct Sieve {
    settings: FileSettings,
    gate: Gate,
    sampler: Sampler,
    origin_us: Option<i64>,
    /// Pictures that a live camera would not have decoded.
    skipped: BTreeSet<i64>,
    due: BTreeSet<i64>,
}

impl Sieve {
    fn at(&self, pts_us: i64) -> Timestamp {
        let since = pts_us - self.origin_us.unwrap_or(pts_us);
        Timestamp::from_micros(self.settings.start.as_micros() + since)
    }

    /// Whether an encoded picture goes to the decoder.
    fn admits(&mut self, unit: Encoded) -> bool {
        self.origin_us.get_or_insert(unit.pts_us);
        let rate = (self.settings.rate_at)(self.at(unit.pts_us));
        self.sampler.set_rate(rate);
        let admitted = if rate.is_some() {
            self.gate.admits(unit, &self.sampler)
        } else {
            self.gate.break_off();
            false
        };
        if self.settings.all && !admitted {
            self.skipped.insert(unit.pts_us);
        }
        admitted || self.settings.all
    }

    /// Whether a decoded picture goes on.
    fn passes(&mut self, pts_us: i64) -> bool {
        let due = !self.skipped.remove(&pts_us) && self.sampler.pick(pts_us);
        if due {
            self.due.insert(pts_us);
        }
        due || self.settings.all
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileDecoder {
    /// Starts to decode a file.
    pub(in crate::pipeline) fn open(path: &Path, settings: FileSettings) -> Result<Self, FileError> {
        let plugins = |e: &dyn std::fmt::Display| FileError::Plugins(e.to_string());
        gst::init().map_err(|e| plugins(&e))?;
        std::fs::File::open(path)
            .map_err(|e| FileError::Unreadable { path: path.to_owned(), reason: e.to_string() })?;
        let source = make("filesrc").map_err(|e| plugins(&e))?;
        source.set_property("location", path);
        let parser = make("parsebin").map_err(|e| plugins(&e))?;
        let convert = make("videoconvert").map_err(|e| plugins(&e))?;
        let formats = gst::List::new(["NV12", "I420"]);
        let caps = gst::Caps::builder("video/x-raw").field("format", formats).build();
        let sink = AppSink::builder().caps(&caps).sync(false).max_buffers(2).build();

        let (tell, told) = sync_channel(WAITING);
        let sieve = Sieve {
            settings,
            gate: Gate::default(),
            sampler: Sampler::default(),
            origin_us: None,
            skipped: BTreeSet::new(),
            due: BTreeSet::new(),
        };
        let (sieve, decoded) = (Arc::new(Mutex::new(sieve)), Arc::<AtomicU64>::default());
        take_from(&sink, &sieve, &tell);
        let pipeline = gst::Pipeline::new();
        let elements = [&source, &parser, &convert, sink.upcast_ref::<gst::Element>()];
        pipeline.add_many(elements).map_err(|e| plugins(&e))?;
        source.link(&parser).and_then(|()| convert.link(&sink)).map_err(|e| plugins(&e))?;
        link_video(&parser, &pipeline, &convert, &sieve, &decoded, &tell);
        tell_errors(&pipeline, tell);
        let this = Self { path: path.to_owned(), pipeline, told: Some(told), decoded, pictures: 0 };
        this.pipeline.set_state(gst::State::Playing).map_err(|e| this.not_video(&e))?;
        Ok(this)
    }

    /// The next picture; `None` at the end.
    pub(in crate::pipeline) fn next(&mut self) -> Result<Option<Taken>, FileError> {
        let patience = if self.pictures == 0 && self.decoded() == 0 { FIRST_WITHIN } else { NEXT_WITHIN };
        let Some(told) = &self.told else { return Ok(None) };
        match told.recv_timeout(patience) {
            Ok(Told::Picture(taken)) => {
                self.pictures += 1;
                Ok(Some(*taken))
            }
            Ok(Told::End) if self.decoded() == 0 && self.pictures == 0 && !self.saw_video() => {
                Err(self.not_video(&"it holds no pictures"))
            }
            Ok(Told::End) => Ok(None),
            Ok(Told::Failed(reason)) => Err(self.not_video(&reason)),
            Err(RecvTimeoutError::Timeout) => {
                Err(self.not_video(&format!("no picture came for {} s", patience.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.not_video(&"its decoder ended")),
        }
    }

    /// Pictures that were decoded, due or not.
    pub(in crate::pipeline) fn decoded(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// Length of the file, when it says so.
    pub(in crate::pipeline) fn duration(&self) -> Option<Duration> {
        self.pipeline.query_duration::<gst::ClockTime>().map(Into::into)
    }

    fn saw_video(&self) -> bool {
        self.pipeline.by_name(DECODER).is_some()
    }

    fn not_video(&self, reason: &dyn std::fmt::Display) -> FileError {
        FileError::NotVideo { path: self.path.clone(), reason: reason.to_string() }
    }
}

impl Drop for FileDecoder {
    fn drop(&mut self) {
        self.told = None;
        // Joins the streaming thread. A pipeline that cannot be stopped is let go of all the same.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

const DECODER: &str = "decoder";

/// Puts a decoder behind the first video stream that is found.
fn link_video(
    parser: &gst::Element,
    pipeline: &gst::Pipeline,
    convert: &gst::Element,
    sieve: &Arc<Mutex<Sieve>>,
    decoded: &Arc<AtomicU64>,
    tell: &SyncSender<Told>,
) {
    let (pipeline, convert, tell) = (pipeline.downgrade(), convert.downgrade(), tell.clone());
    let (sieve, decoded) = (Arc::clone(sieve), Arc::clone(decoded));
    parser.connect_pad_added(move |_, pad| {
        let (Some(pipeline), Some(convert)) = (pipeline.upgrade(), convert.upgrade()) else { return };
        let Some(caps) = pad.current_caps().or_else(|| Some(pad.query_caps(None))) else { return };
        let is_video = caps.structure(0).is_some_and(|s| s.name().starts_with("video/") || s.name() == "image/jpeg");
        if !is_video || pipeline.by_name(DECODER).is_some() {
            return;
        }
        let linked = software_decoder(&caps).and_then(|decoder| {
            configure(&decoder);
            let words = |e: gst::glib::BoolError| e.to_string();
            pipeline.add(&decoder).map_err(words)?;
            decoder.link(&convert).map_err(words)?;
            let (input, output) = (decoder.static_pad("sink"), decoder.static_pad("src"));
            let (Some(input), Some(output)) = (input, output) else { return Err("the decoder has no pads".into()) };
            sift(&input, &output, &sieve, &decoded);
            decoder.sync_state_with_parent().map_err(words)?;
            pad.link(&input).map(drop).map_err(|e| e.to_string())
        });
        if let Err(reason) = linked {
            let _ = tell.try_send(Told::Failed(reason));
        }
    });
}

/// A decoder for `caps` that gives the same pictures on every machine.
fn software_decoder(caps: &gst::Caps) -> Result<gst::Element, String> {
    let build = |factory: &gst::ElementFactory| factory.create().name(DECODER).build().map_err(|e| e.to_string());
    if caps.structure(0).is_some_and(|s| s.name() == "video/x-raw") {
        return gst::ElementFactory::make("identity").name(DECODER).build().map_err(|e| e.to_string());
    }
    let kinds = gst::ElementFactoryType::DECODER | gst::ElementFactoryType::MEDIA_VIDEO;
    let mut found: Vec<gst::ElementFactory> = gst::ElementFactory::factories_with_type(kinds, gst::Rank::MARGINAL)
        .into_iter()
        .filter(|f| f.can_sink_any_caps(caps) && !f.metadata("klass").is_some_and(|klass| klass.contains("Hardware")))
        .collect();
    // libav first: what decodes live cameras.
    found.sort_by_key(|f| (!f.name().starts_with("avdec_"), f.name().to_string()));
    let media = caps.structure(0).map(|s| s.name().to_string()).unwrap_or_default();
    build(found.first().ok_or_else(|| format!("no decoder for {media} is installed"))?)
}

fn sift(input: &gst::Pad, output: &gst::Pad, sieve: &Arc<Mutex<Sieve>>, decoded: &Arc<AtomicU64>) {
    let before = Arc::clone(sieve);
    input.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(buffer) = info.buffer() else { return gst::PadProbeReturn::Ok };
        let Some(time) = buffer.pts().or(buffer.dts()) else { return gst::PadProbeReturn::Ok };
        let flags = buffer.flags();
        let unit = Encoded {
            pts_us: clock().media_time(time),
            key: !flags.contains(gst::BufferFlags::DELTA_UNIT),
            disposable: flags.contains(gst::BufferFlags::DROPPABLE),
        };
        if lock(&before).admits(unit) { gst::PadProbeReturn::Ok } else { gst::PadProbeReturn::Drop }
    });
    let (after, decoded) = (Arc::clone(sieve), Arc::clone(decoded));
    output.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        decoded.fetch_add(1, Ordering::Relaxed);
        let pts = info.buffer().and_then(|b| b.pts());
        let passes = pts.is_some_and(|pts| lock(&after).passes(clock().media_time(pts)));
        if passes { gst::PadProbeReturn::Ok } else { gst::PadProbeReturn::Drop }
    });
}

/// A file's own times.
fn clock() -> Clock {
    Clock { base_us: Clock::MARGIN_US }
}

fn take_from(sink: &AppSink, sieve: &Arc<Mutex<Sieve>>, tell: &SyncSender<Told>) {
    let (sieve, pool) = (Arc::clone(sieve), Arc::<Pool>::default());
    let (pictures, end) = (tell.clone(), tell.clone());
    let new_sample = move |sink: &AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let wall = |pts_us: i64| lock(&sieve).at(pts_us);
        if let Some(picture) = copy(&sample, &pool, &wall, clock()) {
            let due = lock(&sieve).due.remove(&picture.pts_us);
            // Waits while the detector is behind: nothing is dropped here. Fails when nobody wants more.
            pictures.send(Told::Picture(Box::new(Taken { picture, due }))).map_err(|_| gst::FlowError::Eos)?;
        }
        Ok(gst::FlowSuccess::Ok)
    };
    let eos = move |_: &AppSink| {
        let _ = end.send(Told::End);
    };
    sink.set_callbacks(AppSinkCallbacks::builder().new_sample(new_sample).eos(eos).build());
}

/// Tells the first error; nobody else reads the bus.
fn tell_errors(pipeline: &gst::Pipeline, tell: SyncSender<Told>) {
    let Some(bus) = pipeline.bus() else { return };
    let told = Mutex::new(Some(tell));
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view()
            && let Some(tell) = lock(&told).take()
        {
            let _ = tell.send(Told::Failed(error.error().message().trim_end_matches('.').to_owned()));
        }
        gst::BusSyncReply::Drop
    });
}
