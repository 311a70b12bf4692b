//! How a camera's picture is 画面质量: the looks that the rule gets, and the two defects that make a camera useless
//! at once and are therefore told to the installer without any task: black, and frozen.

use analytics::PictureLook;
use inference::{
    InferenceError,
    picture::{Signature, measure, shift},
};
use protocol::Timestamp;

use super::picture::Picture;

/// How often a picture is measured, seconds.
pub(super) const MEASURE_EVERY_SECS: f32 = 10.0;
/// A picture darker than this, and flatter than that, is black.
const BLACK: (f32, f32) = (30.0, 10.0);
/// So many equal looks in a row are a frozen picture: half a minute without even noise.
const FROZEN_LOOKS: u32 = 3;
/// Points of the picture that are compared. Points, not averages: those would hide the noise that tells a still
/// scene from a frozen picture.
const GRID: (usize, usize) = (64, 36);
/// Mean difference of the points, grey levels, that even a still scene with a good sensor exceeds.
const NOISE: f32 = 0.1;
/// Below this confidence two pictures hardly show the same place, and a shift says nothing.
const SURE_OF_SHIFT: f32 = 0.25;
/// The usual view follows the light of the day: it is renewed this often, seconds, while nothing has moved.
const RENEW_SECS: f32 = 3_600.0;
/// Less than this, shares of the picture, is wind.
const UNMOVED: f32 = 0.02;

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
    /// The view as it was first seen, and when it was renewed.
    usual: Option<(Signature, Timestamp)>,
    defect: Option<Defect>,
}

impl Quality {
    /// Measures a picture when it is time to.
    ///
    /// # Errors
    /// When it cannot be measured.
    pub(super) fn look(&mut self, picture: &Picture) -> Result<Option<PictureLook>, InferenceError> {
        let at = picture.at;
        if self.measured_at.is_some_and(|last| at >= last && at.since(last).as_secs_f32() < MEASURE_EVERY_SECS) {
            return Ok(None);
        }
        self.measured_at = Some(at);
        let measures = measure(&picture.frame())?;
        let points = points(picture);
        let comparable = points.len() == self.points.len();
        let difference = comparable.then(|| difference(&points, &self.points));
        self.equal_looks = if difference.is_some_and(|d| d <= NOISE) { self.equal_looks + 1 } else { 0 };
        self.points = points;
        self.defect = if measures.mean_luma < BLACK.0 && measures.contrast < BLACK.1 {
            Some(Defect::Black)
        } else {
            (self.equal_looks >= FROZEN_LOOKS).then_some(Defect::Frozen)
        };
        Ok(Some(PictureLook {
            mean_luma: measures.mean_luma,
            contrast: measures.contrast,
            sharpness: measures.sharpness,
            noise: measures.noise,
            saturation: measures.saturation,
            cast: measures.cast,
            white_share: measures.white_share,
            black_share: measures.black_share,
            detail_share: measures.detail_blocks,
            difference,
            shift: self.shift(at, measures.signature),
            clock_skew_secs: None,
        }))
    }

    /// What makes the camera useless now, if anything.
    pub(super) fn defect(&self) -> Option<Defect> {
        self.defect
    }

    /// How far the view is from the usual one, while both show enough.
    fn shift(&mut self, at: Timestamp, now: Signature) -> Option<(f32, f32)> {
        let Some((usual, renewed)) = &self.usual else {
            // A flat picture would never be found again.
            let shows_something = shift(&now, &now).is_some_and(|(_, _, sure)| sure >= SURE_OF_SHIFT);
            self.usual = shows_something.then_some((now, at));
            return None;
        };
        let (dx, dy, _) = shift(usual, &now).filter(|(_, _, sure)| *sure >= SURE_OF_SHIFT)?;
        let due = at.since(*renewed).as_secs_f32() >= RENEW_SECS;
        if due && dx.abs() < UNMOVED && dy.abs() < UNMOVED {
            self.usual = Some((now, at));
        }
        Some((dx, dy))
    }
}

fn difference(a: &[u8], b: &[u8]) -> f32 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    sum as f32 / a.len().max(1) as f32
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
    use crate::pipeline::picture::tests::drawn;

    /// A scene with blocks of many greys, moved to the right and brightened, by pixels and grey levels.
    fn scene(at: i64, moved: usize, lighter: u8) -> Picture {
        let grey = move |x: usize, y: usize| {
            let block = (x + 640 - moved) / 20 * 31 + y / 20 * 17;
            60 + (block * block % 97) as u8 + lighter
        };
        drawn(grey, Timestamp::from_secs(at), (640, 360))
    }

    fn defects(pictures: &[Picture]) -> Vec<Option<Defect>> {
        let mut quality = Quality::default();
        let judged = pictures.iter().map(|picture| {
            assert!(quality.look(picture).unwrap().is_some());
            assert!(quality.look(picture).unwrap().is_none(), "not twice within ten seconds");
            quality.defect()
        });
        judged.collect()
    }

    #[test]
    fn black_and_frozen() {
        let lively: Vec<Picture> = (0..5).map(|i| scene(10 * i, 0, (i % 2) as u8)).collect();
        assert_eq!(defects(&lively), [None; 5]);
        let frozen: Vec<Picture> = (0..5).map(|i| scene(10 * i, 0, u8::from(i == 4))).collect();
        assert_eq!(defects(&frozen), [None, None, None, Some(Defect::Frozen), None]);
        let plain = |luma: u8, at| drawn(move |_, _| luma, Timestamp::from_secs(at), (640, 360));
        assert_eq!(defects(&[plain(16, 0), scene(10, 0, 0), plain(100, 20)]), [Some(Defect::Black), None, None]);
    }

    #[test]
    fn a_moved_view_is_measured_against_the_usual_one() {
        let mut quality = Quality::default();
        let mut shift = |picture: Picture| quality.look(&picture).unwrap().unwrap().shift;
        assert_eq!(shift(scene(0, 0, 0)), None, "the first look is the usual view");
        let (dx, dy) = shift(scene(10, 0, 20)).unwrap();
        assert!(dx.abs() < 0.01 && dy.abs() < 0.01, "{dx} {dy}");
        let (dx, dy) = shift(scene(20, 64, 0)).unwrap();
        assert!((dx - 0.1).abs() < 0.02 && dy.abs() < 0.02, "{dx} {dy}");
    }
}
