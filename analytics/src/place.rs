//! Where a subject is, comparable between a person's box and a head's box.

use protocol::{BoundingBox, Point};

/// How many heads tall a standing person is.
pub(crate) const HEADS_PER_STATURE: f32 = 7.5;

/// The head's position and the body's height, both in picture heights, so that distances are isotropic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    x: f32,
    y: f32,
    stature: f32,
}

impl Place {
    pub(crate) fn of_person(bbox: &BoundingBox, aspect: f32) -> Self {
        let head_center = bbox.h / (2.0 * HEADS_PER_STATURE);
        Self { x: bbox.center().x * aspect, y: bbox.y + head_center, stature: bbox.h.max(1e-4) }
    }

    pub(crate) fn of_head(bbox: &BoundingBox, aspect: f32) -> Self {
        let center = bbox.center();
        Self { x: center.x * aspect, y: center.y, stature: (bbox.h * HEADS_PER_STATURE).max(1e-4) }
    }

    /// Distance in statures of the taller of the two: a metre stays a metre in the depth of the picture.
    pub(crate) fn distance(&self, other: &Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y) / self.stature.max(other.stature)
    }

    /// Larger stature ÷ smaller stature, at least 1.
    pub(crate) fn size_ratio(&self, other: &Self) -> f32 {
        self.stature.max(other.stature) / self.stature.min(other.stature)
    }
}

/// Where somebody stands of whom only the head is seen: a stature below the crown, at most the picture's edge.
pub(crate) fn foot_below_head(head: &BoundingBox) -> Point {
    Point::new(head.center().x, (head.y + head.h * HEADS_PER_STATURE).min(0.999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_and_its_head_are_at_the_same_place() {
        let person = BoundingBox::new(0.4, 0.3, 0.1, 0.3);
        let head = BoundingBox::new(0.44, 0.3, 0.02, 0.04);
        let (p, h) = (Place::of_person(&person, 1.8), Place::of_head(&head, 1.8));
        assert!(p.distance(&h) < 0.02, "{p:?} {h:?}");
        assert!(p.size_ratio(&h) < 1.01);
        let foot = foot_below_head(&head);
        assert!((foot.y - person.foot_point().y).abs() < 0.01);
    }
}
