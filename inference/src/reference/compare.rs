//! The comparison itself.

use protocol::{BoundingBox, Point};

use super::{
    Reference, ReferenceLook,
    raster::{CELL, CELLS, Raster, SIZE, is_under},
};
use crate::{
    align::{self, Features, signed},
    picture::Grey,
};

/// Alignment starts on a copy this many times smaller.
const COARSE: usize = 4;
/// How far the view may have moved, coarse pixels: a tenth of the picture.
const REACH: (i32, i32) = (16, 9);
/// Correlation of edges below which two pictures do not show the same view.
const MIN_ALIGNMENT: f32 = 0.2;
/// Side of the surroundings of a cell that are compared, pixels.
const PATCH: usize = 16;
/// How far around a cell its like is looked for, pixels.
const WOBBLE: i32 = 2;
/// Standard deviation from which surroundings have texture, grey levels: above the noise of small pictures.
const TEXTURE: f32 = 5.0;
/// Correlation from which textures are the same.
const SAME: f32 = 0.5;
/// Correlation at which looking further is not worth it.
const CERTAIN: f32 = 0.8;
/// Distance in the U-V plane from which colours differ; white balance and shadows move them by less.
const OTHER_COLOUR: f32 = 14.0;
/// Darker than this there is nothing to see, brighter than that neither.
const VISIBLE: std::ops::RangeInclusive<f32> = 22.0..=232.0;
/// A picture whose textures have shrunk below this is behind fog, or blurred.
const MIN_CONTRAST_KEPT: f32 = 0.2;
/// What a cell with texture counts, and one without.
const WEIGHTS: (f32, f32) = (1.0, 0.25);

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// Not in the region.
    Outside,
    Masked,
    Same(f32),
    Changed(f32),
}

pub(super) fn compare(reference: &Reference, now: &Raster, masks: &[BoundingBox]) -> ReferenceLook {
    let light = light(&reference.raster.grey, &now.grey);
    let unaligned = ReferenceLook { masked: 1.0, light, ..ReferenceLook::default() };
    let Some(shift) = align(&reference.raster.grey, &now.grey, masks) else { return unaligned };
    let patches = Patches { reference: &reference.raster.grey, now: &now.grey, shift };
    let in_cells = (shift.0 as f32 / CELL as f32, shift.1 as f32 / CELL as f32);
    let visible = |at: &usize| !is_under(masks, at % CELLS.0, at / CELLS.0, in_cells);

    let contrast = contrast_kept(&patches, (0..CELLS.0 * CELLS.1).filter(visible));
    let balance = colour_balance(&reference.raster, now, light);
    let verdict = |at: usize| {
        if !reference.cells[at] {
            return Verdict::Outside;
        }
        if !visible(&at) {
            return Verdict::Masked;
        }
        // A shadow takes colour away with the light: what is expected is as much weaker as the place is darker.
        let other_colour = |dimming: f32| {
            balance.is_some_and(|balance| {
                let (was, is) = (reference.raster.colour[at], now.colour[moved(at, in_cells)]);
                let off = |plane: usize| f32::from(is[plane]) - f32::from(was[plane]) * dimming - balance[plane];
                off(0).hypot(off(1)) > OTHER_COLOUR
            })
        };
        patches.judge(at % CELLS.0, at / CELLS.0, contrast, other_colour)
    };
    let mut cells: Vec<Verdict> = (0..CELLS.0 * CELLS.1).map(verdict).collect();
    forgive_lone_cells(&mut cells);
    let (mut changed, mut same, mut masked, mut all) = (0.0, 0.0, 0, 0);
    for cell in &cells {
        match cell {
            Verdict::Outside => continue,
            Verdict::Masked => masked += 1,
            Verdict::Same(weight) => same += weight,
            Verdict::Changed(weight) => changed += weight,
        }
        all += 1;
    }
    ReferenceLook {
        changed: if changed > 0.0 { changed / (changed + same) } else { 0.0 },
        masked: masked as f32 / all.max(1) as f32,
        aligned: true,
        shift: (shift.0 as f32 / SIZE.0 as f32, shift.1 as f32 / SIZE.1 as f32),
        light,
        at: largest_change(&cells, in_cells),
    }
}

/// Where cell `at` of the reference lies on the new picture.
fn moved(at: usize, shift: (f32, f32)) -> usize {
    let place = |cell: usize, shift: f32, count: usize| (cell as f32 + shift).round().clamp(0.0, count as f32 - 1.0);
    place(at / CELLS.0, shift.1, CELLS.1) as usize * CELLS.0 + place(at % CELLS.0, shift.0, CELLS.0) as usize
}

/// Pixels by which the view has moved; `None` when the two do not show the same.
fn align(reference: &Grey, now: &Grey, masks: &[BoundingBox]) -> Option<(i32, i32)> {
    let coarse = (SIZE.0 / COARSE, SIZE.1 / COARSE);
    let small = |grey: &Grey| grey.resized(coarse).ok();
    let found = align::search(&Features::of(&small(reference)?), &unmasked(&small(now)?, masks), (0, 0), REACH)?;
    if found.score < MIN_ALIGNMENT {
        return None;
    }
    let scale = COARSE as f32;
    let around = ((found.dx * scale).round() as i32, (found.dy * scale).round() as i32);
    let fine = align::search(&Features::of(reference), &unmasked(now, masks), around, (2, 2))?;
    Some((fine.dx.round() as i32, fine.dy.round() as i32))
}

/// Edges outside of the masks.
fn unmasked(grey: &Grey, masks: &[BoundingBox]) -> Features {
    let mut features = Features::of(grey);
    if !masks.is_empty() {
        features.hide(|x, y| {
            let point = Point::new((x as f32 + 0.5) / grey.width as f32, (y as f32 + 0.5) / grey.height as f32);
            masks.iter().any(|mask| mask.contains(point))
        });
    }
    features
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug)]
struct Spread {
    mean: f32,
    deviation: f32,
}

/// Surroundings of cells on both pictures.
struct Patches<'a> {
    reference: &'a Grey,
    now: &'a Grey,
    shift: (i32, i32),
}

impl Patches<'_> {
    /// Top left of a cell's surroundings on the reference.
    fn corner(column: usize, row: usize) -> (i32, i32) {
        let start = |cell: usize, limit: usize| {
            (signed(cell * CELL) - signed(PATCH - CELL) / 2).clamp(0, signed(limit - PATCH))
        };
        (start(column, SIZE.0), start(row, SIZE.1))
    }

    /// The surroundings on the new picture; `None` where its edge cuts them off.
    fn now_at(&self, (x, y): (i32, i32), wobble: (i32, i32)) -> Option<(usize, usize)> {
        let (x, y) = (x + self.shift.0 + wobble.0, y + self.shift.1 + wobble.1);
        let fits = |at: i32, limit: usize| (0..=signed(limit - PATCH)).contains(&at);
        (fits(x, SIZE.0) && fits(y, SIZE.1)).then_some((x as usize, y as usize))
    }

    fn judge(&self, column: usize, row: usize, contrast: f32, other_colour: impl Fn(f32) -> bool) -> Verdict {
        let corner = Self::corner(column, row);
        let Some(place) = self.now_at(corner, (0, 0)) else { return Verdict::Masked };
        let (before, after) = (spread(self.reference, to_usize(corner)), spread(self.now, place));
        if contrast < MIN_CONTRAST_KEPT || !VISIBLE.contains(&before.mean) || !VISIBLE.contains(&after.mean) {
            return Verdict::Masked;
        }
        // In haze and in shadow textures are weaker, and what was weak before cannot be seen at all.
        let dimming = (after.mean / before.mean).min(1.0);
        let kept = contrast.min(1.0) * dimming;
        let floor = TEXTURE * kept;
        let (was, is) = (before.deviation >= TEXTURE, after.deviation >= floor.max(2.0));
        let alike = || self.likeness(corner) >= SAME;
        if was {
            // Texture went, but hardly any was expected to be left.
            return match is {
                false if before.deviation * kept < 3.0 => Verdict::Masked,
                true if alike() => Verdict::Same(WEIGHTS.0),
                _ => Verdict::Changed(WEIGHTS.0),
            };
        }
        if is && before.deviation >= TEXTURE / 2.0 && alike() {
            // It was too faint to count before, and still is what it was.
            return Verdict::Same(WEIGHTS.0);
        }
        if is && after.deviation >= TEXTURE {
            return Verdict::Changed(WEIGHTS.0);
        }
        if !is && other_colour(dimming) {
            return Verdict::Changed(WEIGHTS.1);
        }
        Verdict::Same(WEIGHTS.1)
    }

    /// The best correlation of a cell's surroundings with what is about there now.
    fn likeness(&self, corner: (i32, i32)) -> f32 {
        let mut best = -1.0f32;
        // From the middle outwards, because mostly nothing has moved.
        for reach in 0..=WOBBLE {
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    if dx.abs().max(dy.abs()) != reach {
                        continue;
                    }
                    if let Some(place) = self.now_at(corner, (dx, dy)) {
                        best = best.max(correlation(self.reference, to_usize(corner), self.now, place));
                    }
                }
            }
            if best >= CERTAIN {
                break;
            }
        }
        best
    }
}

fn to_usize((x, y): (i32, i32)) -> (usize, usize) {
    (x.max(0) as usize, y.max(0) as usize)
}

fn rows(grey: &Grey, (x, y): (usize, usize)) -> impl Iterator<Item = &[u8]> {
    (y..y + PATCH).map(move |y| &grey.row(y)[x..x + PATCH])
}

fn spread(grey: &Grey, at: (usize, usize)) -> Spread {
    let (mut sum, mut squares) = (0u32, 0u32);
    for value in rows(grey, at).flatten() {
        sum += u32::from(*value);
        squares += u32::from(*value) * u32::from(*value);
    }
    let count = (PATCH * PATCH) as f32;
    let mean = sum as f32 / count;
    Spread { mean, deviation: (squares as f32 / count - mean * mean).max(0.0).sqrt() }
}

/// Correlation of two surroundings, each less its mean, -1 to 1.
fn correlation(a: &Grey, at: (usize, usize), b: &Grey, bt: (usize, usize)) -> f32 {
    let (mut sa, mut sb, mut aa, mut bb, mut ab) = (0u32, 0u32, 0u32, 0u32, 0u32);
    for (left, right) in rows(a, at).zip(rows(b, bt)) {
        for (&left, &right) in left.iter().zip(right) {
            let (left, right) = (u32::from(left), u32::from(right));
            (sa, sb) = (sa + left, sb + right);
            (aa, bb, ab) = (aa + left * left, bb + right * right, ab + left * right);
        }
    }
    let count = (PATCH * PATCH) as f32;
    let [sa, sb, aa, bb, ab] = [sa, sb, aa, bb, ab].map(|sum| sum as f32 / count);
    let scale = ((aa - sa * sa) * (bb - sb * sb)).max(0.0).sqrt();
    if scale > 1e-3 { (ab - sa * sb) / scale } else { 0.0 }
}

/// The middle one of some numbers.
fn median(mut values: Vec<f32>) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// How much of the textures' strength is left, over the whole picture: fog and blur take it everywhere.
fn contrast_kept(patches: &Patches<'_>, cells: impl Iterator<Item = usize>) -> f32 {
    let kept = cells.filter_map(|at| {
        let corner = Patches::corner(at % CELLS.0, at / CELLS.0);
        let before = spread(patches.reference, to_usize(corner)).deviation;
        let after = spread(patches.now, patches.now_at(corner, (0, 0))?).deviation;
        (before >= TEXTURE).then(|| after / before)
    });
    median(kept.collect()).unwrap_or(1.0)
}

/// How much brighter it is now.
fn light(reference: &Grey, now: &Grey) -> f32 {
    let ratio = |(a, b): (&u8, &u8)| (*a >= 16).then(|| f32::from(*b) / f32::from(*a));
    let every = reference.pixels.iter().zip(&now.pixels).step_by(31);
    median(every.filter_map(ratio).collect()).unwrap_or(1.0)
}

/// What white balance has done to all colours beside the `light`; `None` when one of the pictures has none (infrared light at night).
fn colour_balance(reference: &Raster, now: &Raster, light: f32) -> Option<[f32; 2]> {
    let saturation = |raster: &Raster| {
        let sum: f32 = raster.colour.iter().map(|[u, v]| f32::from(*u).hypot(f32::from(*v))).sum();
        sum / raster.colour.len() as f32
    };
    if saturation(reference) < 1.5 || saturation(now) < 1.5 {
        return None;
    }
    let difference = |plane: usize| {
        let pairs = reference.colour.iter().zip(&now.colour);
        median(pairs.map(|(a, b)| f32::from(b[plane]) - f32::from(a[plane]) * light.min(1.0)).collect())
            .unwrap_or_default()
    };
    Some([difference(0), difference(1)])
}

fn neighbours(at: usize) -> impl Iterator<Item = usize> {
    let (columns, rows) = (signed(CELLS.0), signed(CELLS.1));
    let (column, row) = (signed(at % CELLS.0), signed(at / CELLS.0));
    (-1..=1).flat_map(move |dy| (-1..=1).map(move |dx| (column + dx, row + dy))).filter_map(move |(x, y)| {
        let inside = (0..columns).contains(&x) && (0..rows).contains(&y);
        (inside && (x, y) != (column, row)).then(|| (y * columns + x) as usize)
    })
}

/// Rain and insects change single cells, things that are gone change several.
fn forgive_lone_cells(cells: &mut [Verdict]) {
    let is_changed: Vec<bool> = cells.iter().map(|cell| matches!(cell, Verdict::Changed(_))).collect();
    for (at, cell) in cells.iter_mut().enumerate() {
        if let Verdict::Changed(weight) = *cell
            && neighbours(at).filter(|other| is_changed[*other]).count() < 2
        {
            *cell = Verdict::Same(weight);
        }
    }
}

/// The box around the largest heap of changed cells, on the new picture.
fn largest_change(cells: &[Verdict], shift: (f32, f32)) -> BoundingBox {
    let mut open: Vec<bool> = cells.iter().map(|cell| matches!(cell, Verdict::Changed(_))).collect();
    let (mut best, mut found) = (0, BoundingBox::default());
    for start in 0..open.len() {
        if !std::mem::take(&mut open[start]) {
            continue;
        }
        let (mut stack, mut count) = (vec![start], 0);
        let (mut x0, mut y0, mut x1, mut y1) = (usize::MAX, usize::MAX, 0, 0);
        while let Some(at) = stack.pop() {
            count += 1;
            (x0, x1) = (x0.min(at % CELLS.0), x1.max(at % CELLS.0 + 1));
            (y0, y1) = (y0.min(at / CELLS.0), y1.max(at / CELLS.0 + 1));
            stack.extend(neighbours(at).filter(|other| std::mem::take(&mut open[*other])));
        }
        if count > best {
            best = count;
            let side = |cell: usize, shift: f32, count: usize| ((cell as f32 + shift) / count as f32).clamp(0.0, 1.0);
            let (left, top) = (side(x0, shift.0, CELLS.0), side(y0, shift.1, CELLS.1));
            let (right, bottom) = (side(x1, shift.0, CELLS.0), side(y1, shift.1, CELLS.1));
            found = BoundingBox::new(left, top, right - left, bottom - top);
        }
    }
    found
}
