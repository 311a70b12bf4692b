//! Writes a clip with boxes, zones and alarms drawn on it.

use std::path::{Path, PathBuf};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use protocol::{OverlayBox, Severity, Task, ZoneKind};

use super::{
    draw::{BLUE, Canvas, Colour, GREEN, ORANGE, RED, YELLOW},
    line::Line,
};
use crate::pipeline::picture::Picture;

/// Pictures that wait in front of the encoder, at most.
const WAITING: u64 = 8;
/// How long the first picture of a clip is shown, microseconds, as far as anybody knows.
const NOMINAL_US: i64 = 40_000;
/// How long the encoder may take to write the last pictures.
const FINISH_WITHIN: gst::ClockTime = gst::ClockTime::from_seconds(120);
/// Captions of open alarms that fit on a picture.
const MAX_CAPTIONS: usize = 8;

/// Why the drawn clip cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No encoder, or another part of GStreamer.
    #[error(
        "no clip can be drawn here: {0}; install gstreamer1.0-plugins-ugly (x264) or gstreamer1.0-plugins-bad (openh264)"
    )]
    Plugins(String),
    /// It failed on the way.
    #[error("the clip {path} cannot be written: {reason}", path = path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What GStreamer says.
        reason: String,
    },
}

/// The clip being drawn.
pub(super) struct Render {
    path: PathBuf,
    tasks: Vec<Task>,
    writer: Option<Writer>,
}

struct Writer {
    pipeline: gst::Pipeline,
    source: AppSrc,
    size: (u32, u32),
    first_us: i64,
    last_us: i64,
}

impl Render {
    pub(super) fn new(path: &Path, tasks: &[Task]) -> Self {
        Self { path: path.to_owned(), tasks: tasks.to_vec(), writer: None }
    }

    /// Draws on a picture and writes it.
    pub(super) fn picture<'a>(
        &mut self,
        picture: &Picture,
        boxes: &[OverlayBox],
        open: impl Iterator<Item = &'a Line>,
    ) -> Result<(), RenderError> {
        let size = picture.size();
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(Writer::start(&self.path, size, picture.pts_us)?),
        };
        // A stream that changes its size on the way is not drawn any further.
        let Some(mut canvas) = Canvas::new(size, picture.pixels().to_vec()).filter(|_| size == writer.size) else {
            return Ok(());
        };
        draw(&mut canvas, &self.tasks, boxes, open);
        writer.write(canvas.into_data(), picture.pts_us).map_err(|reason| self.failed(reason))
    }

    /// Writes the rest and closes the file.
    pub(super) fn finish(self) -> Result<(), RenderError> {
        let Some(writer) = &self.writer else { return Ok(()) };
        writer.finish().map_err(|reason| self.failed(reason))
    }

    fn failed(&self, reason: String) -> RenderError {
        RenderError::Failed { path: self.path.clone(), reason }
    }
}

fn draw<'a>(canvas: &mut Canvas, tasks: &[Task], boxes: &[OverlayBox], open: impl Iterator<Item = &'a Line>) {
    for task in tasks.iter().filter(|t| t.enabled) {
        for zone in &task.zones {
            canvas.outline(zone.outline.points(), if zone.kind == ZoneKind::Exclude { BLUE } else { YELLOW });
        }
        for line in &task.lines {
            line.points.windows(2).for_each(|ends| canvas.stroke(ends[0], ends[1], YELLOW));
        }
    }
    for seen in boxes {
        let colour = if seen.alarm { RED } else { GREEN };
        canvas.frame(&seen.bbox, colour, seen.alarm);
        let words = format!("{} {:.2} #{}", seen.class, seen.score, seen.track);
        canvas.words(protocol::Point::new(seen.bbox.x, seen.bbox.y), &words, colour);
    }
    for (i, alarm) in open.take(MAX_CAPTIONS).enumerate() {
        let track = alarm.track.map(|t| format!(" #{t}")).unwrap_or_default();
        let words = format!("! {}{track} SINCE {:.1}", alarm.algorithm, alarm.started_secs.unwrap_or(alarm.clip_secs));
        canvas.caption(i, &words, colour_of(alarm.severity));
    }
}

fn colour_of(severity: Option<Severity>) -> Colour {
    match severity {
        Some(Severity::Red) => RED,
        Some(Severity::Orange) => ORANGE,
        Some(Severity::Yellow) | None => YELLOW,
    }
}

impl Writer {
    fn start(path: &Path, size: (u32, u32), first_us: i64) -> Result<Self, RenderError> {
        let plugins = |e: &dyn std::fmt::Display| RenderError::Plugins(e.to_string());
        let make = |name: &str| gst::ElementFactory::make(name).build().map_err(|e| plugins(&e));
        let (Ok(width), Ok(height)) = (i32::try_from(size.0), i32::try_from(size.1)) else {
            return Err(RenderError::Plugins("the picture is too large".into()));
        };
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "NV12")
            .field("width", width)
            .field("height", height)
            // Times say when a picture is shown; clips need not have an even rate. Thousandths of a second are what the
            // encoder then counts in: told that there is no rate, x264enc loses a picture.
            .field("framerate", gst::Fraction::new(1_000, 1))
            .build();
        let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).block(true).max_buffers(WAITING).build();
        let convert = make("videoconvert")?;
        let encoder = encoder().map_err(|e| plugins(&e))?;
        let (parser, muxer, sink) = (make("h264parse")?, make("mp4mux")?, make("filesink")?);
        sink.set_property("location", path);
        let pipeline = gst::Pipeline::new();
        let elements = [source.upcast_ref::<gst::Element>(), &convert, &encoder, &parser, &muxer, &sink];
        pipeline.add_many(elements).map_err(|e| plugins(&e))?;
        gst::Element::link_many(elements).map_err(|e| plugins(&e))?;
        let this = Self { pipeline, source, size, first_us, last_us: first_us - NOMINAL_US };
        let started = this.pipeline.set_state(gst::State::Playing);
        started.map_err(|e| RenderError::Failed {
            path: path.to_owned(),
            reason: this.error().unwrap_or_else(|| e.to_string()),
        })?;
        Ok(this)
    }

    fn write(&mut self, pixels: Vec<u8>, pts_us: i64) -> Result<(), String> {
        let (width, height) = self.size;
        let padded = pad(pixels, width as usize, height as usize);
        let mut buffer = gst::Buffer::from_mut_slice(padded);
        if let Some(buffer) = buffer.get_mut() {
            let since = u64::try_from(pts_us - self.first_us).unwrap_or(0);
            buffer.set_pts(gst::ClockTime::from_useconds(since));
            // The last picture of a file is shown for as long as the one before.
            let shown = u64::try_from(pts_us - self.last_us).unwrap_or(0).min(1_000_000);
            buffer.set_duration(gst::ClockTime::from_useconds(shown));
        }
        self.last_us = pts_us;
        self.source.push_buffer(buffer).map(drop).map_err(|e| self.error().unwrap_or_else(|| e.to_string()))
    }

    fn finish(&self) -> Result<(), String> {
        self.source.end_of_stream().map_err(|e| self.error().unwrap_or_else(|| e.to_string()))?;
        let Some(bus) = self.pipeline.bus() else { return Ok(()) };
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        match bus.timed_pop_filtered(FINISH_WITHIN, &wanted) {
            Some(message) => match message.view() {
                gst::MessageView::Error(error) => Err(error.error().message().to_owned()),
                _ => Ok(()),
            },
            None => Err("the encoder did not finish".into()),
        }
    }

    fn error(&self) -> Option<String> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(error.error().message().to_owned()),
            _ => None,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A pipeline that cannot be stopped is let go of all the same.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn encoder() -> Result<gst::Element, gst::glib::BoolError> {
    if gst::ElementFactory::find("x264enc").is_some() {
        let encoder = gst::ElementFactory::make("x264enc").property("key-int-max", 50u32).build()?;
        encoder.set_property_from_str("speed-preset", "veryfast");
        encoder.set_property_from_str("pass", "quant");
        encoder.set_property("quantizer", 23u32);
        return Ok(encoder);
    }
    gst::ElementFactory::make("openh264enc").property("bitrate", 4_000_000u32).build()
}

/// GStreamer lays NV12 rows out at multiples of four bytes, and whole pairs of rows.
fn pad(pixels: Vec<u8>, width: usize, height: usize) -> Vec<u8> {
    let (stride, rows) = (width.next_multiple_of(4), height.next_multiple_of(2));
    if (stride, rows) == (width, height) {
        return pixels;
    }
    let mut padded = vec![0; stride * rows + stride * rows / 2];
    let mut copy = |from: usize, to: usize, row: usize, count: usize| {
        for i in 0..count {
            let source = &pixels[from + i * row..from + (i + 1) * row];
            padded[to + i * stride..to + i * stride + row].copy_from_slice(source);
        }
    };
    copy(0, 0, width, height);
    copy(width * height, stride * rows, width.next_multiple_of(2), height.div_ceil(2));
    padded
}
