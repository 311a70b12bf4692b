//! What decoding costs per camera: all frames, every n-th, key frames only.
//!
//! `decode_cost CLIP CACHE`. The chain is the edge's: parse, decode on one thread, let pictures go that nobody
//! looks at, convert and hand over the rest.

use std::{
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use benches::cpu_time;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};

/// The rate at which the cost of a core is told; what site cameras send.
const CAMERA_FPS: f64 = 25.0;
/// Long enough for processor time, which comes in steps of 10 ms.
const MIN_FRAMES: usize = 2000;

#[derive(Clone, Copy)]
enum Mode {
    All,
    Every(usize),
    KeyFrames,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [clip, cache] = args.as_slice() else { anyhow::bail!("usage: decode_cost CLIP CACHE") };
    let clip = demo_camera::prepare(Path::new(clip), Path::new(cache))?;
    gst::init()?;
    let units = read(&clip)?;
    let rounds = MIN_FRAMES.div_ceil(units.len());
    let keys = units.iter().filter(|unit| is_key(unit)).count();

    let mut out = std::io::stdout();
    writeln!(out, "decode, one camera, {} frames with {keys} key frames, {rounds} rounds", units.len())?;
    writeln!(out, "{:<20}{:>14}{:>18}{:>10}", "", "CPU ms/frame", "core at 25 fps", "ratio")?;
    let mut all = None;
    let modes = [("all frames", Mode::All), ("every 5th frame", Mode::Every(5)), ("key frames only", Mode::KeyFrames)];
    for (name, mode) in modes {
        let used = measure(&units, rounds, mode)?;
        // Of every frame of the stream, looked at or not: that is what a camera costs.
        let per_frame = used.as_secs_f64() / (units.len() * rounds) as f64;
        let reference = *all.get_or_insert(per_frame);
        writeln!(
            out,
            "{name:<20}{:>14.3}{:>17.1}%{:>10.3}",
            per_frame * 1e3,
            per_frame * CAMERA_FPS * 100.0,
            per_frame / reference
        )?;
    }
    Ok(())
}

fn is_key(unit: &gst::Buffer) -> bool {
    !unit.flags().contains(gst::BufferFlags::DELTA_UNIT)
}

fn read(clip: &Path) -> Result<Vec<gst::Buffer>> {
    let pipeline = launch(
        "filesrc name=file ! qtdemux ! h264parse config-interval=-1 ! \
         video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=sink sync=false",
    )?;
    element(&pipeline, "file")?.set_property("location", clip.to_str().context("the clip's name is not UTF-8")?);
    let sink = element(&pipeline, "sink")?.downcast::<AppSink>().ok().context("an appsink")?;
    pipeline.set_state(gst::State::Playing)?;
    let mut units = Vec::new();
    while let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_seconds(10)) {
        units.extend(sample.buffer_owned());
    }
    pipeline.set_state(gst::State::Null)?;
    ensure!(units.len() > 20, "the clip has only {} frames", units.len());
    Ok(units)
}

fn measure(units: &[gst::Buffer], rounds: usize, mode: Mode) -> Result<Duration> {
    let pipeline = launch(
        "appsrc name=source format=time block=true max-buffers=30 max-bytes=0 \
             caps=video/x-h264,stream-format=byte-stream,alignment=au ! \
         h264parse ! avdec_h264 name=decoder max-threads=1 output-corrupt=false ! \
         videoconvert ! video/x-raw,format={NV12,I420} ! appsink name=sink sync=false max-buffers=2",
    )?;
    let source = element(&pipeline, "source")?.downcast::<AppSrc>().ok().context("an appsrc")?;
    let sink = element(&pipeline, "sink")?.downcast::<AppSink>().ok().context("an appsink")?;
    if let Mode::Every(nth) = mode {
        let pad = element(&pipeline, "decoder")?.static_pad("src").context("the decoder has no output")?;
        let seen = AtomicUsize::new(0);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            let due = seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(nth);
            if due { gst::PadProbeReturn::Ok } else { gst::PadProbeReturn::Drop }
        });
    }
    pipeline.set_state(gst::State::Playing)?;

    let before = cpu_time()?;
    let feed = std::thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(&source, units, rounds, mode));
        while sink.pull_sample().is_ok() {}
        feeder.join()
    });
    feed.ok().context("the feeding thread panicked")??;
    let used = cpu_time()?.saturating_sub(before);
    pipeline.set_state(gst::State::Null)?;
    Ok(used)
}

fn feed(source: &AppSrc, units: &[gst::Buffer], rounds: usize, mode: Mode) -> Result<()> {
    let mut at = gst::ClockTime::ZERO;
    for unit in std::iter::repeat_n(units, rounds).flatten() {
        at += gst::ClockTime::from_mseconds(40);
        if matches!(mode, Mode::KeyFrames) && !is_key(unit) {
            continue;
        }
        let mut unit = unit.clone();
        unit.make_mut().set_pts(at);
        unit.make_mut().set_dts(gst::ClockTime::NONE);
        source.push_buffer(unit)?;
    }
    source.end_of_stream()?;
    Ok(())
}

fn launch(description: &str) -> Result<gst::Pipeline> {
    let pipeline = gst::parse::launch(description)?;
    pipeline.downcast::<gst::Pipeline>().ok().context("a description of several elements makes a pipeline")
}

fn element(pipeline: &gst::Pipeline, name: &str) -> Result<gst::Element> {
    pipeline.by_name(name).with_context(|| format!("the pipeline has no element {name}"))
}
