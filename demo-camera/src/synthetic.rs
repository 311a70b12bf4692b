use std::path::Path;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::encoder::{add_encoder, make};
use crate::error::PrepareError;
use crate::run::{check_elements, run_to_end};

const FPS: u32 = 15;

/// Writes a clip of a moving ball (H.264, 640×360, 15 fps, one key frame a second) for tests that need any video.
pub fn synthetic_clip(path: &Path, seconds: u32) -> Result<(), PrepareError> {
    check_elements(&["videotestsrc", "h264parse", "mp4mux"]).map_err(|detail| PrepareError::Plugins { detail })?;
    let convert = |detail| PrepareError::Convert { path: path.to_owned(), detail };
    let pipeline = build(path, seconds).map_err(convert)?;
    run_to_end(&pipeline, |_| Ok(())).map_err(convert)
}

fn build(path: &Path, seconds: u32) -> Result<gst::Pipeline, String> {
    let pipeline = gst::Pipeline::new();
    let source = make("videotestsrc")?;
    source.set_property_from_str("pattern", "ball");
    source.set_property("num-buffers", i32::try_from(seconds * FPS).map_err(|_| "too long".to_owned())?);
    let filter = make("capsfilter")?;
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", 640)
        .field("height", 360)
        .field("framerate", gst::Fraction::new(FPS.cast_signed(), 1))
        .build();
    filter.set_property("caps", caps);
    pipeline.add_many([&source, &filter]).map_err(|error| error.to_string())?;
    let tail = add_encoder(&pipeline, FPS)?;
    tail.set_output(path.to_str().ok_or_else(|| "its name is not UTF-8".to_owned())?);
    gst::Element::link_many([&source, &filter, &tail.elements[0]]).map_err(|error| error.to_string())?;
    Ok(pipeline)
}
