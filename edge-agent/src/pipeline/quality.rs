//! Whether a camera's picture can be used at all: black, or frozen.

use inference::PictureMeasures;
use protocol::Timestamp;

use super::picture::Picture;

/// How often a picture is measured, seconds.
pub(super) const MEASURE_EVERY_SECS: f32 = 10.0;
/// A picture darker than this, and flatter than that, is black.
const BLACK: (f32, f32) = (30.0, 10.0);
/// So many equal looks in a row are a frozen picture: half a minute without even noise.
const FROZEN_LOOKS: u32 = 3;
/// Points of the picture that are compared.
const GRID: (usize, usize) = (64, 36);
/// Mean difference of the points, grey levels, that even a still scene with a good sensor exceeds.
const NOISE: f32 = 0.1;

/// What is wrong with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    Black,
    Frozen,
}

impl Defect {
    /// A sentence for the installer.
    pub(super) fn message(self, camera: &str) -> String {
        match self {
            Self::Black => format!(
                "camera {camera}: the picture is black; check that nothing covers the lens and that there is light"
            ),
            Self::Frozen => {
                format!("camera {camera}: the picture has been frozen for half a minute; restart the camera")
            }
        }
    }
}

/// The looks at one camera.
#[derive(Debug, Default)]
pub(super) struct Quality {
    measured_at: Option<Timestamp>,
    points: Vec<u8>,
    equal_looks: u32,
}

impl Quality {
    /// Whether it is time to measure again.
    pub(super) fn is_due(&self, at: Timestamp) -> bool {
        self.measured_at.is_none_or(|last| at < last || at.since(last).as_secs_f32() >= MEASURE_EVERY_SECS)
    }

    /// Judges a picture.
    pub(super) fn judge(&mut self, picture: &Picture, measures: &PictureMeasures) -> Option<Defect> {
        self.measured_at = Some(picture.at);
        let points = points(picture);
        let difference: u32 = points.iter().zip(&self.points).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        let same = points.len() == self.points.len() && difference as f32 / points.len() as f32 <= NOISE;
        self.equal_looks = if same { self.equal_looks + 1 } else { 0 };
        self.points = points;
        if measures.mean_luma < BLACK.0 && measures.contrast < BLACK.1 {
            Some(Defect::Black)
        } else if self.equal_looks >= FROZEN_LOOKS {
            Some(Defect::Frozen)
        } else {
            None
        }
    }
}

fn points(picture: &Picture) -> Vec<u8> {
    let (width, height) = picture.size();
    let (width, height) = (width as usize, height as usize);
    let luma = picture.luma();
    let rows = (0..GRID.1).map(|row| (2 * row + 1) * height / (2 * GRID.1));
    rows.flat_map(|y| (0..GRID.0).map(move |column| luma[y * width + (2 * column + 1) * width / (2 * GRID.0)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::picture::tests::plain;

    fn check(pictures: &[(u8, f32)], expect: &[Option<Defect>]) {
        let mut quality = Quality::default();
        let judged: Vec<_> = pictures
            .iter()
            .zip(0..)
            .map(|(&(luma, contrast), look)| {
                let picture = plain(luma, Timestamp::from_secs(10 * look), (320, 180));
                assert!(quality.is_due(picture.at));
                let measures = PictureMeasures { mean_luma: f32::from(luma), contrast, ..PictureMeasures::default() };
                let judged = quality.judge(&picture, &measures);
                assert!(!quality.is_due(picture.at));
                judged
            })
            .collect();
        assert_eq!(judged, expect);
    }

    #[test]
    fn black_and_frozen() {
        check(&[(100, 40.0), (101, 40.0), (100, 40.0), (101, 40.0), (100, 40.0)], &[None; 5]);
        check(
            &[(100, 40.0), (100, 40.0), (100, 40.0), (100, 40.0), (101, 40.0)],
            &[None, None, None, Some(Defect::Frozen), None],
        );
        check(&[(16, 1.0), (20, 30.0), (100, 1.0)], &[Some(Defect::Black), None, None]);
    }
}
