//! Lines 绊线 / 高度线: who crossed which way, and what reaches how high.
//!
//! A foot point is never still: it shakes by a few hundredths of a stature, so a line on which somebody stands would
//! be crossed with every frame. A side therefore counts only from [`BAND`] statures away. In between, each step of
//! the path is tested against the line and the crossings are summed up with their signs: to and fro is nothing. When
//! the other side is reached and the sum says that the line was crossed towards it, that is one crossing. Who walks
//! round the end of a line reaches the other side with a sum of nothing, and has not crossed it.

use std::collections::BTreeMap;

use protocol::{LineKind, LineSpec, Point, Task, Timestamp};

/// Nearer to a line than this, statures, nobody is on a side of it.
const BAND: f32 = 0.06;

/// Which way a line was crossed, seen along its drawing direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Leftward,
    Rightward,
}

impl Way {
    /// −1 to the left, +1 to the right.
    pub(crate) fn sign(self) -> i32 {
        match self {
            Self::Leftward => -1,
            Self::Rightward => 1,
        }
    }

    fn of(sign: i32) -> Option<Self> {
        match sign.signum() {
            -1 => Some(Self::Leftward),
            1 => Some(Self::Rightward),
            _ => None,
        }
    }
}

/// Whether crossing a line of this kind that way counts.
pub(crate) fn counts(kind: LineKind, way: Way) -> bool {
    match kind {
        LineKind::Crossing => true,
        LineKind::CrossingRightward => way == Way::Rightward,
        LineKind::CrossingLeftward => way == Way::Leftward,
        LineKind::Height => false,
    }
}

/// A line that somebody is beyond, having crossed it in a way that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// Index of the line in the task.
    pub(crate) line: usize,
    /// Which way it was crossed.
    pub(crate) way: Way,
    /// When.
    pub(crate) at: Timestamp,
}

/// Where somebody stands with the lines of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The line crossed last, while the way back has not been taken.
    pub(crate) beyond: Option<Beyond>,
    /// Whether a way back was taken at any time.
    pub(crate) came_back: bool,
    /// A crossing of this very frame, whether it counts or not: line, way.
    pub(crate) now: Option<(usize, Way)>,
}

#[derive(Debug)]
struct Walker {
    foot: Point,
    seen_at: Timestamp,
    /// Per line: the side, once known, and the crossings since then.
    lines: Vec<(Option<i32>, i32)>,
    standing: Standing,
}

/// Everybody who is watched at the lines of one task, by track.
#[derive(Debug, Default)]
pub(crate) struct Crossings(BTreeMap<u64, Walker>);

impl Crossings {
    /// Takes a foot point; `stature` is the height of the body in picture heights, `aspect` width ÷ height.
    pub(crate) fn step(
        &mut self,
        track: u64,
        foot: Point,
        stature: f32,
        aspect: f32,
        at: Timestamp,
        lines: &[LineSpec],
    ) -> Standing {
        let first = || Walker { foot, seen_at: at, lines: vec![(None, 0); lines.len()], standing: Standing::default() };
        let walker = self.0.entry(track).or_insert_with(first);
        let before = std::mem::replace(&mut walker.foot, foot);
        (walker.seen_at, walker.standing.now) = (at, None);
        for (index, (line, (side, sum))) in lines.iter().zip(&mut walker.lines).enumerate() {
            if line.kind == LineKind::Height {
                continue;
            }
            *sum += crossed(&line.points, before, foot);
            let distance = signed_distance(&line.points, foot, aspect);
            if distance.abs() < BAND * stature {
                continue;
            }
            let now = if distance > 0.0 { 1 } else { -1 };
            let over = side.is_some_and(|s| s != now) && sum.signum() == now;
            (*side, *sum) = (Some(now), 0);
            if let Some(way) = Way::of(now).filter(|_| over) {
                walker.standing.cross(index, way, at, line.kind);
            }
        }
        walker.standing
    }

    /// Forgets who has not been seen for longer than `patience_secs`.
    pub(crate) fn forget(&mut self, at: Timestamp, patience_secs: f32) {
        self.0.retain(|_, w| at.since(w.seen_at).as_secs_f32() <= patience_secs);
    }

    /// Starts over.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Standing {
    fn cross(&mut self, line: usize, way: Way, at: Timestamp, kind: LineKind) {
        self.now = Some((line, way));
        if self.beyond.is_some_and(|b| b.line == line && b.way != way) {
            (self.beyond, self.came_back) = (None, true);
        } else if counts(kind, way) {
            self.beyond = Some(Beyond { line, way, at });
        }
    }
}

/// Whether the task has a line that somebody can cross.
pub(crate) fn any_to_cross(task: &Task) -> bool {
    task.lines.iter().any(|l| l.kind != LineKind::Height)
}

/// Height of a line at `x`, as a share of the picture from above; `None` beside its ends.
pub(crate) fn height_at(points: &[Point], x: f32) -> Option<f32> {
    points.windows(2).find_map(|pair| {
        let (a, b) = if pair[0].x <= pair[1].x { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
        let span = b.x - a.x;
        let level = || if span > 0.0 { a.y + (b.y - a.y) * (x - a.x) / span } else { a.y.min(b.y) };
        (a.x..=b.x).contains(&x).then(level)
    })
}

/// Crossings of a step with a line: +1 for each to the right, −1 for each to the left.
fn crossed(line: &[Point], from: Point, to: Point) -> i32 {
    let crossing = |pair: &[Point]| {
        let (before, after) = (side(pair[0], pair[1], from) >= 0.0, side(pair[0], pair[1], to) >= 0.0);
        // Half open, so that a corner belongs to one of its two pieces.
        let between = (side(from, to, pair[0]) >= 0.0) != (side(from, to, pair[1]) >= 0.0);
        i32::from(between) * (i32::from(after) - i32::from(before))
    };
    line.windows(2).map(crossing).sum()
}

/// Distance of a point from a line in picture heights, positive on the right.
fn signed_distance(line: &[Point], point: Point, aspect: f32) -> f32 {
    let scaled = |p: Point| Point::new(p.x * aspect, p.y);
    let point = scaled(point);
    let nearest = line.windows(2).map(|pair| {
        let (a, b) = (scaled(pair[0]), scaled(pair[1]));
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let along = ((point.x - a.x) * dx + (point.y - a.y) * dy) / (dx * dx + dy * dy).max(1e-12);
        let along = along.clamp(0.0, 1.0);
        let distance = (point.x - a.x - along * dx).hypot(point.y - a.y - along * dy);
        // At a corner both pieces are equally near: the one that is seen more from the front knows the side.
        let offset = side(a, b, point) / dx.hypot(dy).max(1e-6);
        (distance, offset)
    });
    let better = |a: &(f32, f32), b: &(f32, f32)| {
        let tied = (a.0 - b.0).abs() < 1e-5;
        if tied { b.1.abs().total_cmp(&a.1.abs()) } else { a.0.total_cmp(&b.0) }
    };
    nearest.min_by(better).map_or(0.0, |(distance, offset)| if offset < 0.0 { -distance } else { distance })
}

/// Positive when `p` lies to the right of the way from `a` to `b` (`y` points down).
fn side(a: Point, b: Point, p: Point) -> f32 {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(kind: LineKind, points: &[(f32, f32)]) -> LineSpec {
        LineSpec { name: "门线".into(), kind, points: points.iter().map(|&(x, y)| Point::new(x, y)).collect() }
    }

    fn walk(line: &LineSpec, path: &[(f32, f32)]) -> (Vec<Way>, Standing) {
        let mut crossings = Crossings::default();
        let mut ways = Vec::new();
        let mut last = Standing::default();
        for (second, &(x, y)) in (0..).zip(path) {
            let at = Timestamp::from_secs(second);
            last = crossings.step(7, Point::new(x, y), 0.3, 1.0, at, std::slice::from_ref(line));
            ways.extend(last.now.map(|(_, way)| way));
        }
        (ways, last)
    }

    /// Drawn from top to bottom: right of it, seen along, is the smaller x.
    #[test]
    fn a_crossing_has_a_direction() {
        let gate = |kind| line(kind, &[(0.5, 0.2), (0.5, 0.8)]);
        let (to_the_left_side, and_back) = ([(0.7, 0.5), (0.3, 0.5)], [(0.7, 0.5), (0.3, 0.5), (0.7, 0.5)]);
        for (kind, path, ways, beyond) in [
            (LineKind::Crossing, &to_the_left_side[..], vec![Way::Rightward], true),
            (LineKind::CrossingRightward, &to_the_left_side, vec![Way::Rightward], true),
            (LineKind::CrossingLeftward, &to_the_left_side, vec![Way::Rightward], false),
            (LineKind::CrossingRightward, &and_back, vec![Way::Rightward, Way::Leftward], false),
            (LineKind::CrossingLeftward, &and_back, vec![Way::Rightward, Way::Leftward], true),
            (LineKind::Crossing, &and_back, vec![Way::Rightward, Way::Leftward], false),
            (LineKind::Height, &to_the_left_side, vec![], false),
        ] {
            let (got, standing) = walk(&gate(kind), path);
            assert_eq!((got, standing.beyond.is_some()), (ways, beyond), "{kind:?} {path:?}");
        }
    }

    #[test]
    fn what_is_no_crossing() {
        let gate = line(LineKind::Crossing, &[(0.5, 0.2), (0.5, 0.8)]);
        for (name, path) in [
            ("round the end", vec![(0.7, 0.5), (0.6, 0.95), (0.3, 0.9), (0.3, 0.5)]),
            ("trembling on the line", (0..50).map(|i| (0.5 + 0.012 * ((i * 7 % 5) as f32 - 2.0) / 2.0, 0.5)).collect()),
            ("up to the line and back", vec![(0.7, 0.5), (0.505, 0.5), (0.49, 0.5), (0.7, 0.5)]),
            ("first seen on the line", vec![(0.5, 0.5), (0.3, 0.5)]),
        ] {
            assert_eq!(walk(&gate, &path).0, [], "{name}");
        }
        assert_eq!(walk(&gate, &[(0.7, 0.5), (0.49, 0.5), (0.49, 0.6), (0.3, 0.6)]).0, [Way::Rightward], "slowly");
    }

    #[test]
    fn a_bent_line_is_crossed_once_at_its_corner() {
        let corner = line(LineKind::Crossing, &[(0.2, 0.5), (0.5, 0.5), (0.5, 0.9)]);
        assert_eq!(walk(&corner, &[(0.7, 0.3), (0.3, 0.7)]).0, [Way::Rightward]);
        assert_eq!(walk(&corner, &[(0.3, 0.7), (0.7, 0.3)]).0, [Way::Leftward]);
        assert_eq!(walk(&corner, &[(0.3, 0.3), (0.7, 0.3), (0.7, 0.7)]).0, []);
    }

    #[test]
    fn a_height_line_has_a_height() {
        let points = [Point::new(0.8, 0.2), Point::new(0.4, 0.4), Point::new(0.2, 0.4)];
        assert!((height_at(&points, 0.6).unwrap() - 0.3).abs() < 1e-6);
        assert_eq!(height_at(&points, 0.3), Some(0.4));
        assert_eq!(height_at(&points, 0.9), None);
    }

    proptest! {
        /// Whatever the path: crossings of one line take turns, and their balance is the change of side.
        #[test]
        fn crossings_of_an_endless_line_alternate(path in proptest::collection::vec((0.0f32..1.0, 0.0f32..1.0), 2..60)) {
            let (ways, _) = walk(&line(LineKind::Crossing, &[(0.5, 0.0), (0.5, 1.0)]), &path);
            prop_assert!(ways.windows(2).all(|w| w[0] != w[1]), "{ways:?}");
        }
    }
}
