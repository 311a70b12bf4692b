//! Whether what is seen at a place behaves like fire or smoke, or like a lamp.

use std::collections::VecDeque;

use protocol::Timestamp;

use super::super::area::{Found, around};
use crate::scene::Scene;

/// Area that grew by this factor over the looks is growing, flicker or not.
pub(super) const GROWING: f32 = 1.5;
/// Relative spread of the area that flames reach and lamps do not. Detectors shake a box of a still object by one to
/// three percent per side; of a burning car, boxes and colour alike spread by 0.18 to 0.43 over eight looks.
const AREA_SPREAD: f32 = 0.1;
/// Spread of the score, likewise.
const SCORE_SPREAD: f32 = 0.15;
/// What rounding to pixels does to a side of a box, pixels.
const PIXEL_NOISE: f32 = 1.5;
/// How many newest looks are compared.
const FIRE_LOOKS: usize = 8;
const SMOKE_LOOKS: usize = 16;
/// How far the root may wander from the older half of the looks to the newer half, in sizes of the box. A vest on a
/// walking worker makes two sizes per second.
const FIRE_WANDER: f32 = 0.5;
const SMOKE_WANDER: f32 = 1.0;
/// Fewer looks than this say nothing: of five, two may be of a lamp that somebody half hides.
const FEWEST_LOOKS: usize = 5;

/// One look at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    at: Timestamp,
    score: f32,
    /// Area, share of the picture.
    area: f32,
    /// Width and height in picture heights.
    size: (f32, f32),
    /// Middle of the lower edge in picture heights.
    root: (f32, f32),
}

/// How alive a place is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Liveliness {
    /// Spread of area and score, 1 and more is alive.
    pub(super) flicker: f32,
    /// Area now ÷ area at first.
    pub(super) growth: f32,
}

/// Adds what was found on a look to the newest sights.
pub(super) fn remember(sights: &mut VecDeque<Sight>, scene: &Scene<'_>, found: &[Found]) {
    let Some(bbox) = found.iter().map(|f| f.bbox).reduce(|a, b| around(&a, &b)) else { return };
    let foot = bbox.foot_point();
    sights.push_back(Sight {
        at: scene.at,
        score: found.iter().map(|f| f.score).fold(0.0, f32::max),
        area: bbox.area(),
        size: (bbox.w * scene.aspect, bbox.h),
        root: (foot.x * scene.aspect, foot.y),
    });
    while sights.len() > SMOKE_LOOKS {
        sights.pop_front();
    }
}

/// `None` when it behaves like a lamp, or too little is known; so for smoke.
pub(super) fn of_fire(sights: &VecDeque<Sight>, scene: &Scene<'_>) -> Option<Liveliness> {
    judge(sights, FIRE_LOOKS, FIRE_WANDER, scene)
}

pub(super) fn of_smoke(sights: &VecDeque<Sight>, scene: &Scene<'_>) -> Option<Liveliness> {
    judge(sights, SMOKE_LOOKS, SMOKE_WANDER, scene)
}

fn judge(sights: &VecDeque<Sight>, looks: usize, wander: f32, scene: &Scene<'_>) -> Option<Liveliness> {
    let newest: Vec<&Sight> = sights.iter().skip(sights.len().saturating_sub(looks)).collect();
    let (first, last) = (newest.first()?, newest.last()?);
    if newest.len() < FEWEST_LOOKS || last.at != scene.at {
        return None;
    }
    let area = |s: &&&Sight| s.area;
    let areas: Vec<f32> = newest.iter().map(|s| area(&s)).collect();
    let typical = median(&areas);
    let pixels = |size: f32| PIXEL_NOISE / (size * scene.height as f32).max(1.0);
    let noise = pixels(last.size.0).hypot(pixels(last.size.1));
    let scores: Vec<f32> = newest.iter().map(|s| s.score).collect();
    let flicker = spread(&areas) / typical.max(1e-9) / AREA_SPREAD.max(noise) + spread(&scores) / SCORE_SPREAD;

    let growth = growth(&areas);
    let (older, newer) = newest.split_at(newest.len() / 2);
    let root = |half: &[&Sight], of: fn(&Sight) -> f32| median(&half.iter().map(|s| of(s)).collect::<Vec<_>>());
    let across = root(newer, |s| s.root.0) - root(older, |s| s.root.0);
    let away = across.hypot(root(newer, |s| s.root.1) - root(older, |s| s.root.1));
    let rooted = away <= wander * (last.size.0 * last.size.1).sqrt().max((first.size.0 * first.size.1).sqrt());
    (rooted && (flicker >= 1.0 || growth >= GROWING)).then_some(Liveliness { flicker, growth })
}

/// Area of the last third over that of the first; 1 unless it kept growing in between.
fn growth(areas: &[f32]) -> f32 {
    let third = areas.len() / 3;
    if third < 2 {
        return 1.0;
    }
    let (early, middle, late) =
        (median(&areas[..third]), median(&areas[third..areas.len() - third]), median(&areas[areas.len() - third..]));
    let keeps_growing = middle >= 1.1 * early && late >= 1.1 * middle;
    if keeps_growing { late / early.max(1e-9) } else { (late / early.max(1e-9)).min(1.0) }
}

/// Median absolute deviation, scaled to a standard deviation.
fn spread(values: &[f32]) -> f32 {
    let middle = median(values);
    let away: Vec<f32> = values.iter().map(|v| (v - middle).abs()).collect();
    1.4826 * median(&away)
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
