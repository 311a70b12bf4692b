//! The H.264 encoder of demo clips: no B-frames, one key frame a second, as site cameras are set up.

use gstreamer as gst;
use gstreamer::prelude::*;

/// The part of a pipeline from raw I420 pictures to an MP4 file.
pub(crate) struct EncoderTail {
    /// In the order of the flow, linked: encoder, filter, parser, MP4 writer, file.
    pub(crate) elements: [gst::Element; 5],
}

impl EncoderTail {
    /// Says which file is to be written.
    pub(crate) fn set_output(&self, path: &str) {
        let [.., file] = &self.elements;
        file.set_property("location", path);
    }
}

/// Adds encoder, parser, MP4 writer and file to `pipeline`, linked. Elements must have been checked before.
pub(crate) fn add_encoder(pipeline: &gst::Pipeline, fps: u32) -> Result<EncoderTail, String> {
    let (encoder, profile) = make_encoder(fps)?;
    let caps = gst::Caps::builder("video/x-h264").field("profile", profile).build();
    let filter = make("capsfilter")?;
    filter.set_property("caps", caps);
    let (parser, muxer, file) = (make("h264parse")?, make("mp4mux")?, make("filesink")?);
    let elements = [encoder, filter, parser, muxer, file];
    pipeline.add_many(&elements).map_err(|error| error.to_string())?;
    gst::Element::link_many(&elements).map_err(|error| error.to_string())?;
    Ok(EncoderTail { elements })
}

/// Makes an element by its factory name.
pub(crate) fn make(name: &str) -> Result<gst::Element, String> {
    gst::ElementFactory::make(name).build().map_err(|error| error.to_string())
}

fn make_encoder(fps: u32) -> Result<(gst::Element, &'static str), String> {
    if gst::ElementFactory::find("x264enc").is_some() {
        let encoder = make("x264enc")?;
        encoder.set_property_from_str("tune", "zerolatency");
        encoder.set_property_from_str("speed-preset", "veryfast");
        encoder.set_property_from_str("pass", "qual");
        encoder.set_property("quantizer", 23_u32);
        encoder.set_property("key-int-max", fps);
        encoder.set_property("bframes", 0_u32);
        // Key frames exactly every second: recordings cut there, and a scene cut must not move them.
        encoder.set_property("option-string", "scenecut=0");
        return Ok((encoder, "main"));
    }
    let encoder = make("openh264enc").map_err(|_| "neither x264enc nor openh264enc".to_owned())?;
    encoder.set_property_from_str("complexity", "low");
    encoder.set_property("bitrate", 2_000_000_u32);
    encoder.set_property("gop-size", fps);
    Ok((encoder, "constrained-baseline"))
}
