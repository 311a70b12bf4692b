//! A clip in memory: its access units, ready to be sent over and over.

use std::path::Path;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::error::DemoError;
use crate::run::{check_elements, error_words};

/// One round of a looped clip. Timestamps count from the round's start.
#[derive(Debug)]
pub(crate) struct Clip {
    pub(crate) caps: gst::Caps,
    pub(crate) units: Vec<gst::Buffer>,
    pub(crate) duration: gst::ClockTime,
}

impl Clip {
    /// Reads all access units of an MP4 file with H.264 into memory.
    pub(crate) fn load(path: &Path) -> Result<Self, DemoError> {
        check_elements(&["qtdemux", "h264parse", "rtph264pay"]).map_err(|detail| DemoError::Plugins { detail })?;
        read(path).map_err(|detail| DemoError::Clip { path: path.to_owned(), detail })
    }
}

fn read(path: &Path) -> Result<Clip, String> {
    let location = path.to_str().ok_or_else(|| "its name is not UTF-8".to_owned())?;
    if !path.is_file() {
        return Err("there is no such file".to_owned());
    }
    let description = "filesrc name=file ! qtdemux ! h264parse ! \
                       video/x-h264,stream-format=avc,alignment=au ! appsink name=sink sync=false max-buffers=8";
    let pipeline = gst::parse::launch(description).map_err(|error| error.to_string())?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline".to_owned())?;
    let named = |name| pipeline.by_name(name).expect("the description names this element");
    named("file").set_property("location", location);
    let sink = named("sink").downcast::<gst_app::AppSink>().expect("the description makes an appsink");

    let read = pull_all(&pipeline, &sink);
    // Going to `Null` can't be refused.
    let _ = pipeline.set_state(gst::State::Null);
    let (caps, units) = read?;
    let caps = caps.ok_or_else(|| "it holds no H.264 video".to_owned())?;
    let units = from_zero(units)?;
    let duration = round_duration(&units);
    if units.len() < 2 || duration < gst::ClockTime::from_mseconds(100) {
        return Err("it is too short to be looped".to_owned());
    }
    Ok(Clip { caps, units, duration })
}

fn pull_all(
    pipeline: &gst::Pipeline,
    sink: &gst_app::AppSink,
) -> Result<(Option<gst::Caps>, Vec<gst::Buffer>), String> {
    let bus = pipeline.bus().expect("a pipeline has a bus from its construction on");
    let (mut caps, mut units) = (None, Vec::new());
    let started = pipeline.set_state(gst::State::Playing);
    while started.is_ok() && !sink.is_eos() {
        if let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_mseconds(50)) {
            caps = caps.or_else(|| sample.caps_owned());
            units.extend(sample.buffer_owned());
        } else if let Some(error) = bus.pop_filtered(&[gst::MessageType::Error]) {
            return Err(error_words(&error));
        }
    }
    match bus.pop_filtered(&[gst::MessageType::Error]) {
        Some(error) => Err(error_words(&error)),
        None => Ok((caps, units)),
    }
}

/// Shifts the timestamps so that the round starts at zero, at its first key frame.
fn from_zero(units: Vec<gst::Buffer>) -> Result<Vec<gst::Buffer>, String> {
    let is_key = |unit: &gst::Buffer| !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
    let units: Vec<gst::Buffer> = units.into_iter().skip_while(|unit| !is_key(unit)).collect();
    let start = units.iter().filter_map(|unit| unit.pts()).min().ok_or_else(|| "it holds no timestamps".to_owned())?;
    let shift = |mut unit: gst::Buffer| {
        let header = unit.make_mut();
        header.set_pts(header.pts().map(|pts| pts.saturating_sub(start)));
        header.set_dts(gst::ClockTime::NONE);
        unit
    };
    Ok(units.into_iter().map(shift).collect())
}

fn round_duration(units: &[gst::Buffer]) -> gst::ClockTime {
    let last = units.iter().filter_map(|unit| unit.pts()).max().unwrap_or_default();
    // The mean distance stands for the last picture's own duration, which files state unreliably.
    let gaps = u64::try_from(units.len()).unwrap_or(u64::MAX).saturating_sub(1).max(1);
    last + last / gaps
}
