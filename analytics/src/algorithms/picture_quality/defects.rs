//! What is wrong with a picture.

use protocol::Timestamp;

use super::baseline::Usual;
use crate::look::PictureLook;

/// A picture darker than this is black when it is also flatter than that, or nearly all of its pixels are.
const BLACK: (f32, f32) = (30.0, 10.0);
const BLACK_SHARE: f32 = 0.95;
/// Lighter than this it is light.
const LIGHT: f32 = 55.0;
/// A mean above this is white when half of it is pure white, or it is flatter than that (published practice: mean
/// above 220, deviation below 25).
const WHITE: (f32, f32) = (220.0, 25.0);
const WHITE_SHARE: f32 = 0.5;
/// Edges for the contrast there is: variance of the Laplacian ÷ variance of the grey levels. A sharp picture of a site
/// has 0.06 to 0.27 (measured on six clips at 640 columns); blurred by two pixels it has less than 0.01, by one pixel
/// 0.01 to 0.025. Gain, fog and exposure scale both alike.
const HARDLY_ANY_EDGE: f32 = 0.01;
/// Share of the hour's usual acuity below which it is blurred.
const LOST_ACUITY: f32 = 0.25;
/// Less contrast than this shows no edges anyway; so does less than this share of what is usual (fog).
const ENOUGH_CONTRAST: f32 = 12.0;
const FOG: f32 = 0.5;
/// Fewer blocks with texture than this: covered. More than that: clearly not.
const COVERED: f32 = 0.1;
const UNCOVERED: f32 = 0.3;
/// What takes longer than this from one to the other comes slowly, seconds.
const SLOW_SECS: f32 = 300.0;
/// Difference between looks, grey levels, that even a still scene with a good sensor exceeds.
const STILL: f32 = 0.1;
/// Of a camera that usually differs less: this share of the usual.
const STILL_SHARE: f32 = 0.2;
/// Looks in a row.
const FROZEN_LOOKS: u32 = 3;
/// Distance of the mean colour from grey: with and without knowing what is usual.
const CAST: (f32, f32) = (20.0, 45.0);
/// Noise, grey levels: with (and so many times the usual) and without knowing what is usual.
const NOISE: (f32, f32) = (10.0, 25.0);
const NOISE_TIMES: f32 = 3.0;
/// Shift of the view, share of the picture.
const SHIFT: f32 = 0.08;
/// Seconds that a clock may be off.
const SKEW_SECS: f32 = 60.0;

/// A kind of defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Defect {
    SignalLost,
    Black,
    White,
    Covered,
    Frozen,
    Blurred,
    ColourCast,
    Noise,
    Shifted,
    WrongClock,
}

impl Defect {
    /// The key that the console translates.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::SignalLost => "signal_lost",
            Self::Black => "black",
            Self::White => "white",
            Self::Covered => "covered",
            Self::Frozen => "frozen",
            Self::Blurred => "blurred",
            Self::ColourCast => "colour_cast",
            Self::Noise => "noise",
            Self::Shifted => "shifted",
            Self::WrongClock => "wrong_clock",
        }
    }
}

/// A defect with what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Symptom {
    pub(super) defect: Defect,
    pub(super) measured: &'static str,
    pub(super) value: f32,
    pub(super) limit: f32,
}

/// How fast things got dark, flat and still.
#[derive(Debug, Default)]
pub(super) struct Onsets {
    light: Onset,
    texture: Onset,
    still_looks: u32,
}

/// When something was last well, and whether it then got bad slowly.
#[derive(Debug, Default)]
struct Onset {
    well_at: Option<Timestamp>,
    bad: Option<bool>,
}

impl Onset {
    /// Whether it is bad, and has become so suddenly (or has been so from the start).
    fn is_sudden(&mut self, at: Timestamp, well: bool, bad: bool) -> bool {
        if well {
            (self.well_at, self.bad) = (Some(at), None);
        }
        if !bad {
            return false;
        }
        let slow = self.well_at.is_some_and(|well_at| at.since(well_at).as_secs_f32() >= SLOW_SECS);
        !*self.bad.get_or_insert(slow)
    }
}

/// Edges for the contrast there is.
pub(super) fn acuity(look: &PictureLook) -> f32 {
    look.sharpness / look.contrast.powi(2).max(1.0)
}

impl Onsets {
    /// What is wrong with a picture.
    pub(super) fn symptoms(&mut self, at: Timestamp, look: &PictureLook, usual: Option<&Usual>) -> Vec<Symptom> {
        let mut found = Vec::new();
        let mut add = |defect, measured, value: f32, limit, is: bool| {
            if is && value.is_finite() {
                found.push(Symptom { defect, measured, value, limit });
            }
        };
        let dark = (look.mean_luma < BLACK.0 && look.contrast < BLACK.1) || look.black_share > BLACK_SHARE;
        let sudden = self.light.is_sudden(at, look.mean_luma >= LIGHT, dark);
        let usually_dark = usual.is_some_and(|u| u.luma.middle < LIGHT);
        let black = dark && sudden && !usually_dark;
        add(Defect::Black, "mean_luma", look.mean_luma, BLACK.0, black);

        let flat_or_white = look.white_share > WHITE_SHARE || look.contrast < WHITE.1;
        let white = look.mean_luma > WHITE.0 && flat_or_white;
        add(Defect::White, "mean_luma", look.mean_luma, WHITE.0, white);

        let flat = look.detail_share < COVERED && !dark && !white;
        let covered = self.texture.is_sudden(at, look.detail_share >= UNCOVERED, flat);
        add(Defect::Covered, "detail_share", look.detail_share, COVERED, covered);

        let limit = usual.map_or(HARDLY_ANY_EDGE, |u| HARDLY_ANY_EDGE.max(LOST_ACUITY * u.acuity.middle));
        let contrasty =
            look.contrast >= usual.map_or(ENOUGH_CONTRAST, |u| ENOUGH_CONTRAST.max(FOG * u.contrast.middle));
        let blurred = contrasty && !dark && !white && acuity(look) < limit;
        add(Defect::Blurred, "acuity", acuity(look), limit, blurred);

        let limit = usual.map_or(STILL, |u| STILL.min(STILL_SHARE * u.difference.middle));
        let still = look.difference.is_some_and(|d| d <= limit);
        self.still_looks = if still { self.still_looks.saturating_add(1) } else { 0 };
        // A black or white picture may well be still.
        let frozen = self.still_looks >= FROZEN_LOOKS && !dark && !white;
        add(Defect::Frozen, "difference", look.difference.unwrap_or(0.0), limit, frozen);

        let cast = look.cast[0].hypot(look.cast[1]);
        let off = usual.map_or(cast, |u| (look.cast[0] - u.cast[0].middle).hypot(look.cast[1] - u.cast[1].middle));
        let limit = if usual.is_some() { CAST.0 } else { CAST.1 };
        add(Defect::ColourCast, "cast", off, limit, off > limit && cast > CAST.0 && !dark);

        let limit = usual.map_or(NOISE.1, |u| NOISE.0.max(NOISE_TIMES * u.noise.middle));
        add(Defect::Noise, "noise", look.noise, limit, look.noise > limit);

        let shift = look.shift.map_or(0.0, |(x, y)| x.abs().max(y.abs()));
        add(Defect::Shifted, "shift", shift, SHIFT, shift >= SHIFT && !dark);

        let skew = look.clock_skew_secs.map_or(0.0, f32::abs);
        add(Defect::WrongClock, "clock_skew_secs", skew, SKEW_SECS, skew > SKEW_SECS);
        found
    }
}
