//! How far one picture of a place lies from another one.
//!
//! Each pixel becomes the direction of its edge, with a length that saturates: what is compared is where edges run,
//! not how bright things are. The shift with the greatest correlation wins (as in Argyriou and Vlachos, gradient
//! correlation, 2003, done in space because only small shifts are looked for).

use crate::picture::Grey;

/// A gradient of so many grey levels counts half of a strong one.
const HALF_STRENGTH: f32 = 12.0;
/// Mean squared length below which a picture shows too little to be placed.
const MIN_ENERGY: f32 = 0.004;
/// Share of the picture that must be seen in both.
const MIN_OVERLAP: f32 = 0.25;

/// Directions of edges.
#[derive(Clone, Debug)]
pub(crate) struct Features {
    width: usize,
    height: usize,
    /// Pairs of x and y, row by row.
    edges: Vec<[f32; 2]>,
}

/// The best place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    /// Pixels to the right by which the content of the second picture lies from the first.
    pub(crate) dx: f32,
    /// Pixels down.
    pub(crate) dy: f32,
    /// Correlation there, 0–1.
    pub(crate) score: f32,
}

impl Features {
    pub(crate) fn of(grey: &Grey) -> Self {
        let Grey { width, height, .. } = *grey;
        let mut edges = vec![[0.0; 2]; width * height];
        for y in 1..height.saturating_sub(1) {
            let (above, here, below) = (grey.row(y - 1), grey.row(y), grey.row(y + 1));
            for x in 1..width.saturating_sub(1) {
                let (gx, gy) =
                    (f32::from(here[x + 1]) - f32::from(here[x - 1]), f32::from(below[x]) - f32::from(above[x]));
                let length = gx.hypot(gy) + HALF_STRENGTH;
                edges[y * width + x] = [gx / length, gy / length];
            }
        }
        Self { width, height, edges }
    }

    /// Forgets the pixels for which `hidden` is true.
    pub(crate) fn hide(&mut self, hidden: impl Fn(usize, usize) -> bool) {
        for (at, edge) in self.edges.iter_mut().enumerate() {
            if hidden(at % self.width, at / self.width) {
                *edge = [0.0; 2];
            }
        }
    }

    fn energy(&self) -> f32 {
        self.edges.iter().map(|[x, y]| x * x + y * y).sum::<f32>() / self.edges.len().max(1) as f32
    }

    /// Correlation of `self` with `now` moved back by `(dx, dy)`, -1 to 1; `None` when they hardly overlap.
    fn score(&self, now: &Self, dx: i32, dy: i32) -> Option<f32> {
        let (width, height) = (signed(self.width), signed(self.height));
        let (x0, x1) = ((-dx).max(0), (width - dx).min(width));
        let (y0, y1) = ((-dy).max(0), (height - dy).min(height));
        if x1 <= x0 || y1 <= y0 || ((x1 - x0) * (y1 - y0)) as f32 <= MIN_OVERLAP * (width * height) as f32 {
            return None;
        }
        let (mut both, mut mine, mut theirs) = (0.0f32, 0.0f32, 0.0f32);
        for y in y0..y1 {
            let row = |features: &Self, x: i32, y: i32| (y * signed(features.width) + x) as usize;
            let (a, b) = (row(self, x0, y), row(now, x0 + dx, y + dy));
            let count = (x1 - x0) as usize;
            for (a, b) in self.edges[a..a + count].iter().zip(&now.edges[b..b + count]) {
                both += a[0] * b[0] + a[1] * b[1];
                mine += a[0] * a[0] + a[1] * a[1];
                theirs += b[0] * b[0] + b[1] * b[1];
            }
        }
        let scale = (mine * theirs).sqrt();
        (scale > 1e-3).then(|| both / scale)
    }
}

/// A count of pixels, of which there are few, as a number that can be subtracted from.
pub(crate) fn signed(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The best shift within `reach` of `around`; `None` when one of the two shows too little.
pub(crate) fn search(reference: &Features, now: &Features, around: (i32, i32), reach: (i32, i32)) -> Option<Found> {
    debug_assert_eq!((reference.width, reference.height), (now.width, now.height));
    if reference.energy() < MIN_ENERGY || now.energy() < MIN_ENERGY {
        return None;
    }
    let score = |dx, dy| reference.score(now, dx, dy).unwrap_or(-1.0);
    let mut best = (around.0, around.1, score(around.0, around.1));
    for dy in around.1 - reach.1..=around.1 + reach.1 {
        for dx in around.0 - reach.0..=around.0 + reach.0 {
            let found = score(dx, dy);
            if found > best.2 {
                best = (dx, dy, found);
            }
        }
    }
    let (dx, dy, peak) = best;
    // The peak of the parabola through three neighbours.
    let finer = |before: f32, after: f32| {
        let bend = before - 2.0 * peak + after;
        if bend < -1e-6 { ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5) } else { 0.0 }
    };
    Some(Found {
        dx: dx as f32 + finer(score(dx - 1, dy), score(dx + 1, dy)),
        dy: dy as f32 + finer(score(dx, dy - 1), score(dx, dy + 1)),
        score: peak.clamp(0.0, 1.0),
    })
}
