//! Geometry on the picture: normalised to 0–1, origin top-left, so that it survives a change of resolution.

use serde::{Deserialize, Serialize};

/// A point; `x` to the right and `y` down, both 0–1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Share of the width.
    pub x: f32,
    /// Share of the height.
    pub y: f32,
}

impl Point {
    /// Makes a point.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    fn is_inside_picture(self) -> bool {
        (0.0..=1.0).contains(&self.x) && (0.0..=1.0).contains(&self.y)
    }
}

/// An axis-aligned box: top-left corner, width and height, all 0–1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl BoundingBox {
    /// Makes a box.
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// Area as a share of the picture.
    pub fn area(&self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// Where a person stands: the middle of the lower edge.
    pub fn foot_point(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h)
    }

    /// The middle.
    pub fn center(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Area shared with `other`.
    pub fn intersection(&self, other: &Self) -> f32 {
        let w = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    /// Intersection over union, 0–1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Whether `point` lies in the box, edges included.
    pub fn contains(&self, point: Point) -> bool {
        (self.x..=self.x + self.w).contains(&point.x) && (self.y..=self.y + self.h).contains(&point.y)
    }
}

/// A simple polygon with at least three points.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon(Vec<Point>);

/// Why a list of points is no polygon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolygon {
    /// Fewer than three points.
    #[error("a zone needs at least 3 points, got {0}")]
    TooFewPoints(usize),
    /// More points than anybody draws.
    #[error("a zone has at most 64 points, got {0}")]
    TooManyPoints(usize),
    /// A coordinate outside 0–1, or not a number.
    #[error("point {0} lies outside the picture (coordinates are 0 to 1)")]
    OutsidePicture(usize),
    /// Two edges cross.
    #[error("edges {0} and {1} cross each other")]
    SelfIntersecting(usize, usize),
    /// The points lie on a line.
    #[error("the zone has no area")]
    NoArea,
}

impl Polygon {
    /// The most points a polygon may have.
    pub const MAX_POINTS: usize = 64;

    /// Makes a polygon.
    ///
    /// # Errors
    /// When it has too few or too many points, leaves the picture, crosses itself or has no area.
    pub fn new(points: Vec<Point>) -> Result<Self, InvalidPolygon> {
        let n = points.len();
        if n < 3 {
            return Err(InvalidPolygon::TooFewPoints(n));
        }
        if n > Self::MAX_POINTS {
            return Err(InvalidPolygon::TooManyPoints(n));
        }
        if let Some(i) = points.iter().position(|p| !p.is_inside_picture()) {
            return Err(InvalidPolygon::OutsidePicture(i));
        }
        for i in 0..n {
            for j in i + 1..n {
                let adjacent = j == i + 1 || (i == 0 && j == n - 1);
                if !adjacent && segments_cross(points[i], points[(i + 1) % n], points[j], points[(j + 1) % n]) {
                    return Err(InvalidPolygon::SelfIntersecting(i, j));
                }
            }
        }
        let polygon = Self(points);
        if polygon.area() < 1e-6 {
            return Err(InvalidPolygon::NoArea);
        }
        Ok(polygon)
    }

    /// The whole picture.
    pub fn whole_picture() -> Self {
        Self(vec![Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(1.0, 1.0), Point::new(0.0, 1.0)])
    }

    /// The corners, in drawing order.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// Area as a share of the picture.
    pub fn area(&self) -> f32 {
        twice_signed_area(&self.0).abs() / 2.0
    }

    /// Area shared with `bbox`, as a share of the picture.
    pub fn intersection(&self, bbox: &BoundingBox) -> f32 {
        // Sutherland and Hodgman (1974): a convex window may cut any polygon. Where a concave one falls apart, the
        // pieces stay joined by edges without area.
        let (right, bottom) = (bbox.x + bbox.w, bbox.y + bbox.h);
        let left_of = cut(&self.0, |p| p.x - bbox.x);
        let rest = cut(&cut(&cut(&left_of, |p| right - p.x), |p| p.y - bbox.y), |p| bottom - p.y);
        twice_signed_area(&rest).abs() / 2.0
    }

    /// Whether `point` lies inside (even–odd rule).
    pub fn contains(&self, point: Point) -> bool {
        let n = self.0.len();
        (0..n).fold(false, |inside, i| {
            let (a, b) = (self.0[i], self.0[(i + 1) % n]);
            let straddles = (a.y > point.y) != (b.y > point.y);
            if straddles && point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x { !inside } else { inside }
        })
    }
}

/// Twice the area, positive or negative by the direction of drawing.
fn twice_signed_area(points: &[Point]) -> f32 {
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum()
}

/// What of a closed outline lies where `inside` is not negative; `inside` is linear.
fn cut(outline: &[Point], inside: impl Fn(Point) -> f32) -> Vec<Point> {
    let mut kept = Vec::with_capacity(outline.len() + 4);
    let next = outline.iter().cycle().skip(1);
    for (&a, &b) in outline.iter().zip(next) {
        let (at_a, at_b) = (inside(a), inside(b));
        if at_a >= 0.0 {
            kept.push(a);
        }
        if (at_a >= 0.0) != (at_b >= 0.0) {
            let share = at_a / (at_a - at_b);
            kept.push(Point::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share));
        }
    }
    kept
}

fn segments_cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn polygon_refuses_what_cannot_be_a_zone() {
        let p = |pairs: &[(f32, f32)]| Polygon::new(pairs.iter().map(|&(x, y)| Point::new(x, y)).collect());
        assert_eq!(p(&[(0.0, 0.0), (1.0, 1.0)]), Err(InvalidPolygon::TooFewPoints(2)));
        assert_eq!(p(&[(0.0, 0.0), (1.5, 0.0), (1.0, 1.0)]), Err(InvalidPolygon::OutsidePicture(1)));
        assert_eq!(p(&[(0.0, 0.0), (f32::NAN, 0.0), (1.0, 1.0)]), Err(InvalidPolygon::OutsidePicture(1)));
        assert_eq!(p(&[(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)]), Err(InvalidPolygon::SelfIntersecting(0, 2)));
        assert_eq!(p(&[(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)]), Err(InvalidPolygon::NoArea));
        assert!(p(&[(0.1, 0.1), (0.9, 0.1), (0.5, 0.9)]).is_ok());
    }

    #[test]
    fn concave_polygon_excludes_its_notch() {
        let u = Polygon::new(
            [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.6, 0.9), (0.6, 0.4), (0.4, 0.4), (0.4, 0.9), (0.1, 0.9)]
                .map(|(x, y)| Point::new(x, y))
                .to_vec(),
        )
        .unwrap();
        assert!(u.contains(Point::new(0.2, 0.8)));
        assert!(!u.contains(Point::new(0.5, 0.8)));
    }

    #[test]
    fn a_box_and_a_concave_zone_share_what_both_cover() {
        let corners = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.6, 0.9), (0.6, 0.4), (0.4, 0.4), (0.4, 0.9), (0.1, 0.9)];
        let u = Polygon::new(corners.map(|(x, y)| Point::new(x, y)).to_vec()).unwrap();
        for (bbox, expect) in [
            (BoundingBox::new(0.0, 0.5, 1.0, 0.2), 0.12), // both legs, not the notch between them
            (BoundingBox::new(0.42, 0.5, 0.16, 0.3), 0.0), // in the notch
            (BoundingBox::new(0.2, 0.2, 0.1, 0.1), 0.01), // inside
            (BoundingBox::new(0.0, 0.0, 1.0, 1.0), u.area()),
            (BoundingBox::new(0.95, 0.0, 0.05, 1.0), 0.0),
        ] {
            let got = u.intersection(&bbox);
            assert!((got - expect).abs() < 1e-5, "{bbox:?}: {got}, not {expect}");
        }
    }

    proptest! {
        #[test]
        fn a_zone_shares_no_more_than_it_has_and_what_points_say(
            bbox in any_box(), a in any_box(), flip in any::<bool>()
        ) {
            let (r, b) = ((a.x + a.w).min(1.0), (a.y + a.h).min(1.0));
            let mut corners = vec![Point::new(a.x, a.y), Point::new(r, a.y), Point::new(r, b)];
            if flip {
                corners.reverse();
            }
            let Ok(zone) = Polygon::new(corners) else { return Ok(()) };
            let shared = zone.intersection(&bbox);
            prop_assert!(shared <= zone.area() + 1e-5 && shared <= bbox.area() + 1e-5 && shared >= 0.0);
            let mut inside = 0;
            for i in 0..40 {
                for j in 0..40 {
                    let p = Point::new((i as f32 + 0.5) / 40.0, (j as f32 + 0.5) / 40.0);
                    inside += u32::from(zone.contains(p) && bbox.contains(p));
                }
            }
            prop_assert!((shared - inside as f32 / 1_600.0).abs() < 0.06, "{shared} against {inside} of 1600 points");
        }

        #[test]
        fn iou_is_symmetric_and_bounded(a in any_box(), b in any_box()) {
            let (ab, ba) = (a.iou(&b), b.iou(&a));
            prop_assert!((ab - ba).abs() < 1e-5);
            prop_assert!((0.0..=1.000_1).contains(&ab));
        }
    }

    fn any_box() -> impl Strategy<Value = BoundingBox> {
        (0.0f32..1.0, 0.0f32..1.0, 0.01f32..1.0, 0.01f32..1.0).prop_map(|(x, y, w, h)| BoundingBox::new(x, y, w, h))
    }
}
