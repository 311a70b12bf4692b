//! The form that a video's pictures are brought into.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::encoder::{add_encoder, make};
use crate::prepare::{MAX_LENGTH, Seen};

const MAX_SIDE: i32 = 1280;

/// The part of a picture that a demo camera looks at, as fractions of its sides from the top left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl View {
    /// The whole picture.
    pub const WHOLE: Self = Self { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };

    /// What tells clips of different views of one video apart in the cache.
    pub(crate) fn suffix(self) -> String {
        let [x, y, w, h] = [self.x, self.y, self.w, self.h].map(|side| (side * 1000.0).round() as i64);
        if self == Self::WHOLE { String::new() } else { format!("-{x}-{y}-{w}-{h}") }
    }

    /// How many pixels go at the left, right, top and bottom of a picture; always leaves some of it.
    fn margins(self, width: i32, height: i32) -> [i32; 4] {
        let cut = |start: f64, length: f64, side: i32| {
            let before = (start.clamp(0.0, 0.95) * f64::from(side)) as i32;
            let kept = ((length.clamp(0.05, 1.0) * f64::from(side)) as i32).clamp(1, side - before);
            [before, side - before - kept]
        };
        let ([left, right], [top, bottom]) = (cut(self.x, self.w, width), cut(self.y, self.h, height));
        [left, right, top, bottom]
    }
}

/// From which pictures to which: crop, size and rate.
pub(crate) struct Picture {
    margins: [i32; 4],
    width: i32,
    height: i32,
    fps: u32,
}

impl Picture {
    /// The form for what the decoder gives on `pad`; none when that is no video.
    pub(crate) fn of(pad: &gst::Pad, view: View) -> Option<Self> {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let found = caps.structure(0).filter(|found| found.name() == "video/x-raw")?;
        let (width, height) = (found.get::<i32>("width").ok()?, found.get::<i32>("height").ok()?);
        let aspect = found.get::<gst::Fraction>("pixel-aspect-ratio").unwrap_or(gst::Fraction::new(1, 1));
        let rate = found.get::<gst::Fraction>("framerate").unwrap_or(gst::Fraction::new(0, 1));
        let fps = if rate.numer() > 0 { f64::from(rate.numer()) / f64::from(rate.denom()) } else { 25.0 };
        let margins = view.margins(width, height);
        let shown_width = f64::from(width) * f64::from(aspect.numer()) / f64::from(aspect.denom());
        let (width, height) = fit(shown_width, height.into());
        Some(Self { margins, width, height, fps: fps.round().clamp(5.0, 30.0) as u32 })
    }

    /// Builds what leads from `pad` to the file `output`, running.
    pub(crate) fn link(
        &self,
        pipeline: &gst::Pipeline,
        pad: &gst::Pad,
        output: &str,
        seen: &Arc<Seen>,
    ) -> Result<(), String> {
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", self.width)
            .field("height", self.height)
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
            .field("framerate", gst::Fraction::new(self.fps.cast_signed(), 1))
            .build();
        let (rate, crop, convert, scale) =
            (make("videorate")?, make("videocrop")?, make("videoconvert")?, make("videoscale")?);
        for (side, margin) in ["left", "right", "top", "bottom"].into_iter().zip(self.margins) {
            crop.set_property(side, margin);
        }
        // The sides are chosen here; a borderless scale keeps the picture filled when rounding moved its aspect.
        scale.set_property("add-borders", false);
        let filter = make("capsfilter")?;
        filter.set_property("caps", caps);
        let chain = [&rate, &crop, &convert, &scale, &filter];
        pipeline.add_many(chain).map_err(|error| error.to_string())?;
        let tail = add_encoder(pipeline, self.fps)?;
        tail.set_output(output);
        gst::Element::link_many(chain.into_iter().chain(tail.elements.first())).map_err(|error| error.to_string())?;
        watch(&filter, seen);
        // Only what was added, from the end to the start: nothing may flow into an element that does not run yet.
        for element in chain.into_iter().chain(&tail.elements).rev() {
            element.sync_state_with_parent().map_err(|error| error.to_string())?;
        }
        let sink = rate.static_pad("sink").ok_or_else(|| "videorate has no input".to_owned())?;
        pad.link(&sink).map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// Counts the pictures that pass, and ends the stream after [`MAX_LENGTH`].
fn watch(filter: &gst::Element, seen: &Arc<Seen>) {
    let Some(pad) = filter.static_pad("src") else { return };
    let seen = Arc::clone(seen);
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let late = info.buffer().and_then(|buffer| buffer.pts()).is_some_and(|pts| pts >= MAX_LENGTH);
        if late {
            seen.too_long.store(true, Ordering::Relaxed);
            drop(info.data.take());
            info.flow_res = Err(gst::FlowError::Eos);
            return gst::PadProbeReturn::Handled;
        }
        seen.pictures.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
}

/// Scales a picture into the largest allowed square, with the even sides that 4:2:0 needs.
fn fit(width: f64, height: f64) -> (i32, i32) {
    let factor = (f64::from(MAX_SIDE) / width.max(height)).min(1.0);
    let even = |side: f64| ((side * factor / 2.0).round() as i32 * 2).clamp(16, MAX_SIDE);
    (even(width), even(height))
}

#[cfg(test)]
mod tests {
    use super::{View, fit};

    #[test]
    fn pictures_fit_with_even_sides() {
        let cases = [
            ((768.0, 576.0), (768, 576)),
            ((1920.0, 1080.0), (1280, 720)),
            ((1080.0, 1920.0), (720, 1280)),
            ((641.0, 361.0), (642, 362)),
            ((10.0, 4000.0), (16, 1280)),
        ];
        for ((width, height), expected) in cases {
            assert_eq!(fit(width, height), expected, "{width}×{height}");
        }
    }

    #[test]
    fn a_view_leaves_a_part_of_the_picture() {
        let closer = View { x: 0.25, y: 0.3, w: 0.5, h: 0.5 };
        assert_eq!(closer.margins(768, 576), [192, 192, 172, 116]);
        assert_eq!(View::WHOLE.margins(768, 576), [0, 0, 0, 0]);
        let nonsense = View { x: 7.0, y: -1.0, w: 0.0, h: 9.0 };
        let [left, right, top, bottom] = nonsense.margins(100, 100);
        assert!(left + right < 100 && top + bottom < 100);
        assert_ne!(closer.suffix(), View::WHOLE.suffix());
    }
}
