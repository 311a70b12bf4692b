//! Where each output pixel lies in the source, computed once per source size.

/// One output pixel reads the source at `index` and `index + 1`, the second with `weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tap {
    pub(super) index: u32,
    pub(super) weight: f32,
}

/// Taps of one plane.
#[derive(Debug)]
pub(super) struct Taps {
    pub(super) x: Vec<Tap>,
    pub(super) y: Vec<Tap>,
}

/// Everything that depends on the source size only.
#[derive(Debug)]
pub(super) struct Plan {
    /// Source width and height.
    pub(super) source: (u32, u32),
    /// Size of the picture inside the tensor.
    pub(super) fitted: (usize, usize),
    /// Luma, or RGB.
    pub(super) full: Taps,
    /// Chroma.
    pub(super) half: Taps,
}

impl Plan {
    /// Plans a picture of `source` size into the top left of a canvas, as large as fits.
    pub(super) fn new(source: (u32, u32), canvas: (u32, u32)) -> Self {
        let (w, h) = (f64::from(source.0), f64::from(source.1));
        let scale = (f64::from(canvas.0) / w).min(f64::from(canvas.1) / h);
        // Ties to even, as the training code rounds.
        let fit = |side: f64, limit: u32| ((side * scale).round_ties_even() as u32).clamp(1, limit);
        let fitted = (fit(w, canvas.0), fit(h, canvas.1));
        let full = Taps { x: taps(source.0, fitted.0, source.0, |x| x), y: taps(source.1, fitted.1, source.1, |y| y) };
        // H.264 and H.265 place chroma samples on the left luma column and between two luma rows unless they say
        // otherwise, and nobody says otherwise.
        let half = Taps {
            x: taps(source.0, fitted.0, source.0.div_ceil(2), |x| x / 2.0),
            y: taps(source.1, fitted.1, source.1.div_ceil(2), |y| y / 2.0 - 0.25),
        };
        Self { source, fitted: (fitted.0 as usize, fitted.1 as usize), full, half }
    }
}

/// Taps from `count` output pixels over `source` luma positions into a plane of `plane` samples; pixel centres
/// are at .5, as OpenCV's bilinear resize has them.
fn taps(source: u32, count: u32, plane: u32, to_plane: impl Fn(f64) -> f64) -> Vec<Tap> {
    let step = f64::from(source) / f64::from(count);
    let last = f64::from(plane - 1);
    (0..count)
        .map(|i| {
            let at = to_plane((f64::from(i) + 0.5) * step - 0.5).clamp(0.0, last);
            // The right neighbour always exists: at the edge the weight becomes 1 instead.
            let index = (at as u32).min(plane - 2);
            Tap { index, weight: (at - f64::from(index)) as f32 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_as_in_training() {
        let check = |source, expect| assert_eq!(Plan::new(source, (640, 384)).fitted, expect, "{source:?}");
        check((1920, 1080), (640, 360));
        check((1280, 720), (640, 360));
        check((768, 576), (512, 384));
        check((352, 288), (469, 384));
        check((16, 16_384), (1, 384));
    }

    #[test]
    fn same_size_reads_the_pixel_itself() {
        let plan = Plan::new((64, 32), (64, 32));
        for (i, tap) in plan.full.x.iter().enumerate() {
            assert!((tap.index as f32 + tap.weight - i as f32).abs() < 1e-6);
        }
        assert_eq!(plan.full.x[63], Tap { index: 62, weight: 1.0 });
    }
}
