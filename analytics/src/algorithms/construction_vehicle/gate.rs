//! Crossing drawn lines.

use std::collections::BTreeMap;

use protocol::{BoundingBox, Point};

/// A vehicle is clear of a line from this distance on, in heights of its box.
const CLEAR_OF_LINE: f32 = 0.15;

/// Seen along the drawing direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From left to right.
    Rightward,
    /// From right to left.
    Leftward,
}

/// Where a vehicle last stood clear of each line.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(BTreeMap<usize, Point>);

impl Gate {
    /// Takes the newest box; says whether line number `line` has been crossed.
    pub(super) fn step(&mut self, line: usize, points: &[Point], bbox: &BoundingBox, aspect: f32) -> Option<Way> {
        let wide = |p: Point| Point::new(p.x * aspect, p.y);
        let foot = wide(bbox.foot_point());
        let edges = || points.windows(2).map(|pair| (wide(pair[0]), wide(pair[1])));
        let distance = edges().map(|(a, b)| distance(foot, a, b)).fold(f32::INFINITY, f32::min);
        if distance < CLEAR_OF_LINE * bbox.h {
            return None;
        }
        let before = self.0.insert(line, foot)?;
        let crossings: i32 = edges().map(|(a, b)| crossing(before, foot, a, b)).sum();
        match crossings {
            0 => None,
            1.. => Some(Way::Rightward),
            _ => Some(Way::Leftward),
        }
    }
}

/// 1 when the way from `from` to `to` crosses the edge to its right, −1 to its left, 0 when it does not.
fn crossing(from: Point, to: Point, a: Point, b: Point) -> i32 {
    // With y down, what lies right of the drawing direction has a positive side.
    let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    let (started, ended) = (side(a, b, from), side(a, b, to));
    // An end of the edge belongs to one half of the plane, so that a way through a corner crosses one edge of two.
    let across = (side(from, to, a) >= 0.0) != (side(from, to, b) >= 0.0);
    match (started > 0.0, ended > 0.0) {
        (false, true) if across => 1,
        (true, false) if across => -1,
        _ => 0,
    }
}

/// Distance of a point from an edge.
fn distance(p: Point, a: Point, b: Point) -> f32 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy).max(1e-9);
    let along = along.clamp(0.0, 1.0);
    (p.x - a.x - along * dx).hypot(p.y - a.y - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the foot of a box of height 0.2 goes, and what crossings that makes.
    fn crossings(line: &[(f32, f32)], feet: &[(f32, f32)]) -> Vec<Way> {
        let points: Vec<Point> = line.iter().map(|&(x, y)| Point::new(x, y)).collect();
        let mut gate = Gate::default();
        let boxes = feet.iter().map(|&(x, y)| BoundingBox::new(x - 0.1, y - 0.2, 0.2, 0.2));
        boxes.filter_map(|bbox| gate.step(0, &points, &bbox, 1.0)).collect()
    }

    #[test]
    fn crosses_when_clear_on_both_sides() {
        use Way::{Leftward, Rightward};
        // Drawn from left to right: its right side is below.
        let line = [(0.2, 0.5), (0.8, 0.5)];
        assert_eq!(crossings(&line, &[(0.5, 0.3), (0.5, 0.7)]), [Rightward]);
        assert_eq!(crossings(&line, &[(0.5, 0.7), (0.5, 0.3)]), [Leftward]);
        assert_eq!(crossings(&line, &[(0.5, 0.3), (0.5, 0.52), (0.5, 0.49), (0.5, 0.51)]), []);
        assert_eq!(crossings(&line, &[(0.5, 0.3), (0.5, 0.51), (0.5, 0.49), (0.5, 0.3)]), []);
        assert_eq!(crossings(&line, &[(0.9, 0.3), (0.9, 0.7)]), []);
        assert_eq!(crossings(&line, &[(0.5, 0.3), (0.5, 0.7), (0.5, 0.3)]), [Rightward, Leftward]);
        // Through the corner of a bent line: once.
        let bent = [(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)];
        assert_eq!(crossings(&bent, &[(0.5, 0.3), (0.5, 0.7)]), [Rightward]);
    }
}
