//! Where each output pixel lies in the source, computed once per source size, or per crop.

use crate::manifest::Resize;

/// One output pixel reads the source at `index` and `index + 1`, the second with `weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tap {
    pub(super) index: u32,
    pub(super) weight: f32,
}

/// Taps of one plane.
#[derive(Debug, Default)]
pub(super) struct Taps {
    /// Counted from `first`.
    pub(super) x: Vec<Tap>,
    pub(super) y: Vec<Tap>,
    /// The leftmost sample that is read.
    pub(super) first: usize,
    /// How many samples of a row are read.
    pub(super) samples: usize,
}

/// A part of a picture, in its pixels; may lie between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Region {
    /// All of a picture.
    pub(crate) fn whole((width, height): (u32, u32)) -> Self {
        Self { x: 0.0, y: 0.0, width: f64::from(width), height: f64::from(height) }
    }
}

/// Everything that depends on the source's size and region only.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Source width and height.
    pub(super) source: (u32, u32),
    /// Left and top of the picture inside the canvas.
    pub(super) origin: (usize, usize),
    /// Size of the picture inside the canvas.
    pub(super) fitted: (usize, usize),
    /// Luma, or RGB.
    pub(super) full: Taps,
    /// Chroma.
    pub(super) half: Taps,
}

impl Plan {
    /// Plans `region` of a picture of `source` size into a canvas.
    pub(super) fn new(source: (u32, u32), region: Region, canvas: (u32, u32), resize: Resize) -> Self {
        let mut plan = Self::default();
        plan.set(source, region, canvas, resize);
        plan
    }

    /// As [`Plan::new`], reusing the tables.
    pub(super) fn set(&mut self, source: (u32, u32), region: Region, canvas: (u32, u32), resize: Resize) {
        let (w, h) = (region.width, region.height);
        let scale = (f64::from(canvas.0) / w).min(f64::from(canvas.1) / h);
        // Ties to even, as the training code rounds.
        let fit = |side: f64, limit: u32| ((side * scale).round_ties_even() as u32).clamp(1, limit);
        let fitted = match resize {
            Resize::LetterboxTopLeft | Resize::LetterboxCenter => (fit(w, canvas.0), fit(h, canvas.1)),
            Resize::Stretch => canvas,
        };
        // Half a pixel goes to the right and to the bottom, as Ultralytics has it.
        let middle = |canvas: u32, fitted: u32| ((canvas - fitted) / 2) as usize;
        self.origin = match resize {
            Resize::LetterboxCenter => (middle(canvas.0, fitted.0), middle(canvas.1, fitted.1)),
            Resize::LetterboxTopLeft | Resize::Stretch => (0, 0),
        };
        let Self { full, half, .. } = self;
        axis(&mut full.x, (region.x, w), fitted.0, source.0, |x| x);
        axis(&mut full.y, (region.y, h), fitted.1, source.1, |y| y);
        full.trim();
        // H.264 and H.265 place chroma samples on the left luma column and between two luma rows unless they say
        // otherwise, and nobody says otherwise.
        axis(&mut half.x, (region.x, w), fitted.0, source.0.div_ceil(2), |x| x / 2.0);
        axis(&mut half.y, (region.y, h), fitted.1, source.1.div_ceil(2), |y| y / 2.0 - 0.25);
        half.trim();
        self.source = source;
        self.fitted = (fitted.0 as usize, fitted.1 as usize);
    }
}

impl Taps {
    /// Counts columns from the first one that is read.
    fn trim(&mut self) {
        let first = self.x.iter().map(|tap| tap.index).min().unwrap_or_default();
        let last = self.x.iter().map(|tap| tap.index).max().unwrap_or_default() + 1;
        self.x.iter_mut().for_each(|tap| tap.index -= first);
        self.first = first as usize;
        self.samples = (last - first + 1) as usize;
    }
}

/// Taps of `count` output pixels over the luma positions from `start` on, `span` long, into a plane of `plane`
/// samples; pixel centres are at .5, as OpenCV's bilinear resize has them.
fn axis(taps: &mut Vec<Tap>, (start, span): (f64, f64), count: u32, plane: u32, to_plane: impl Fn(f64) -> f64) {
    let step = span / f64::from(count);
    let last = f64::from(plane - 1);
    taps.clear();
    taps.extend((0..count).map(|i| {
        let at = to_plane(start + (f64::from(i) + 0.5) * step - 0.5).clamp(0.0, last);
        // The right neighbour always exists: at the edge the weight becomes 1 instead.
        let index = (at as u32).min(plane - 2);
        Tap { index, weight: (at - f64::from(index)) as f32 }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(source: (u32, u32), canvas: (u32, u32), resize: Resize) -> Plan {
        Plan::new(source, Region::whole(source), canvas, resize)
    }

    #[test]
    fn pictures_fit_as_in_training() {
        let check = |source, expect| {
            assert_eq!(whole(source, (640, 384), Resize::LetterboxTopLeft).fitted, expect, "{source:?}");
        };
        check((1920, 1080), (640, 360));
        check((1280, 720), (640, 360));
        check((768, 576), (512, 384));
        check((352, 288), (469, 384));
        check((16, 16_384), (1, 384));
    }

    #[test]
    fn the_other_ways_to_fit() {
        let centred = whole((1920, 1080), (640, 640), Resize::LetterboxCenter);
        assert_eq!((centred.fitted, centred.origin), ((640, 360), (0, 140)));
        let odd = whole((352, 288), (640, 384), Resize::LetterboxCenter);
        assert_eq!((odd.fitted, odd.origin), ((469, 384), (85, 0)), "171 columns to share: 85 left, 86 right");
        let stretched = whole((1920, 1080), (416, 416), Resize::Stretch);
        assert_eq!((stretched.fitted, stretched.origin), ((416, 416), (0, 0)));
    }

    #[test]
    fn same_size_reads_the_pixel_itself() {
        let plan = whole((64, 32), (64, 32), Resize::LetterboxTopLeft);
        for (i, tap) in plan.full.x.iter().enumerate() {
            assert!((tap.index as f32 + tap.weight - i as f32).abs() < 1e-6);
        }
        assert_eq!(plan.full.x[63], Tap { index: 62, weight: 1.0 });
    }

    #[test]
    fn a_region_reads_only_its_columns() {
        let region = Region { x: 40.0, y: 10.0, width: 20.0, height: 20.0 };
        let plan = Plan::new((100, 50), region, (20, 20), Resize::Stretch);
        assert_eq!((plan.full.first, plan.full.samples), (40, 21));
        assert_eq!((plan.half.first, plan.half.samples), (20, 11));
        for (i, tap) in plan.full.y.iter().enumerate() {
            assert_eq!(*tap, Tap { index: 10 + i as u32, weight: 0.0 });
        }
    }
}
