//! Reads the background out of a clip, and writes drawn clips.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};

/// Pictures per second of drawn clips.
pub(crate) const FPS: u32 = 10;
/// Pictures of the clip that the median is taken of: one a second or so.
const LOOKS: usize = 61;

/// A picture in red, green and blue.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<u8>,
}

impl Picture {
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
}

/// The median of a clip over time: what stands still stays, who walks through is gone.
pub(crate) fn median(clip: &Path) -> Result<Picture> {
    gst::init()?;
    let description = "filesrc name=file ! decodebin ! videorate ! video/x-raw,framerate=1/1 ! videoconvert \
                       ! video/x-raw,format=RGB ! appsink name=sink sync=false";
    let pipeline = gst::parse::launch(description)?.downcast::<gst::Pipeline>().ok().context("no pipeline")?;
    pipeline.by_name("file").context("no source")?.set_property("location", clip);
    let sink = pipeline.by_name("sink").and_then(|s| s.downcast::<AppSink>().ok()).context("no sink")?;
    pipeline.set_state(gst::State::Playing)?;
    let (mut looks, mut size) = (Vec::new(), (0, 0));
    while let Ok(sample) = sink.pull_sample() {
        let info = sample.caps().and_then(|caps| {
            let s = caps.structure(0)?;
            Some((s.get::<i32>("width").ok()? as usize, s.get::<i32>("height").ok()? as usize))
        });
        size = info.context("a picture without a size")?;
        let buffer = sample.buffer().context("no pixels")?.map_readable()?;
        let stride = (size.0 * 3).next_multiple_of(4);
        let rows = buffer.chunks(stride).take(size.1).flat_map(|row| row[..size.0 * 3].to_vec());
        looks.push(rows.collect::<Vec<u8>>());
        if looks.len() == LOOKS {
            break;
        }
    }
    pipeline.set_state(gst::State::Null)?;
    ensure!(looks.len() >= 5, "{} is too short for a background", clip.display());
    let middle = looks.len() / 2;
    let at = |i: usize| {
        let mut values: Vec<u8> = looks.iter().map(|look| look[i]).collect();
        *values.select_nth_unstable(middle).1
    };
    Ok(Picture { width: size.0, height: size.1, data: (0..size.0 * size.1 * 3).map(at).collect() })
}

/// A clip being written.
pub(crate) struct Film {
    pipeline: gst::Pipeline,
    source: AppSrc,
    frames: u64,
}

impl Film {
    pub(crate) fn create(path: &Path, (width, height): (usize, usize)) -> Result<Self> {
        ensure!(
            width.is_multiple_of(4) && height.is_multiple_of(2),
            "a picture of {width}x{height} cannot be drawn on"
        );
        let description = format!(
            "appsrc name=source format=time block=true max-buffers=8 \
             caps=video/x-raw,format=RGB,width={width},height={height},framerate={FPS}/1 ! videoconvert \
             ! video/x-raw,format=I420 ! x264enc speed-preset=veryfast key-int-max={FPS} bitrate=3000 ! h264parse ! mp4mux \
             ! filesink name=file"
        );
        let pipeline = gst::parse::launch(&description)?.downcast::<gst::Pipeline>().ok().context("no pipeline")?;
        pipeline.by_name("file").context("no sink")?.set_property("location", path);
        let source = pipeline.by_name("source").and_then(|s| s.downcast::<AppSrc>().ok()).context("no source")?;
        pipeline.set_state(gst::State::Playing)?;
        Ok(Self { pipeline, source, frames: 0 })
    }

    pub(crate) fn write(&mut self, picture: Picture) -> Result<()> {
        let mut buffer = gst::Buffer::from_mut_slice(picture.data);
        let buffer_mut = buffer.get_mut().context("a shared picture")?;
        buffer_mut.set_pts(gst::ClockTime::from_mseconds(self.frames * 1_000 / u64::from(FPS)));
        self.frames += 1;
        self.source.push_buffer(buffer)?;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.source.end_of_stream()?;
        let bus = self.pipeline.bus().context("no bus")?;
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        let ended = bus.timed_pop_filtered(gst::ClockTime::from_seconds(120), &wanted);
        self.pipeline.set_state(gst::State::Null)?;
        match ended.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => Ok(()),
            Some(gst::MessageView::Error(error)) => bail!("the clip cannot be written: {}", error.error()),
            _ => bail!("the clip was not finished in time"),
        }
    }
}
