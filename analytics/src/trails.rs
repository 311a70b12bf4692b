//! How fast tracks really went during the last second.
//!
//! The tracker's own speed follows every shake of a box, because it has to find the box again. Whether a scooter is
//! ridden or parked is told by where it was a second ago.

use std::collections::{BTreeMap, VecDeque};

use protocol::{Point, Timestamp};

use crate::{scene::Scene, tracker::Track};

/// Speed is measured over at least this time, and over little more.
const SPAN_SECS: f32 = 0.8;
/// Longer than this between two looks, and nobody knows the way between.
const LONGEST_SPAN_SECS: f32 = 3.0;

/// A speed in picture heights per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Velocity {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Velocity {
    pub(crate) fn length(self) -> f32 {
        self.x.hypot(self.y)
    }

    pub(crate) fn apart(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Where tracks were lately.
#[derive(Debug, Default)]
pub(crate) struct Trails(BTreeMap<u64, VecDeque<(Timestamp, Point)>>);

impl Trails {
    /// Adds where these tracks are now, and forgets the others after a while.
    pub(crate) fn step<'t>(&mut self, scene: &Scene<'_>, tracks: impl Iterator<Item = &'t Track>) {
        for track in tracks {
            let trail = self.0.entry(track.id).or_default();
            // The lower edge stays where it is when somebody bends down or is hidden behind something.
            let foot = track.seen.bbox.foot_point();
            trail.push_back((scene.at, Point::new(foot.x * scene.aspect, foot.y)));
            let old_enough = |(at, _): &(Timestamp, Point)| scene.at.since(*at).as_secs_f32() >= SPAN_SECS;
            while trail.get(1).is_some_and(old_enough) {
                trail.pop_front();
            }
        }
        self.0.retain(|_, trail| {
            trail.back().is_some_and(|(at, _)| scene.at.since(*at).as_secs_f32() <= LONGEST_SPAN_SECS)
        });
    }

    /// Speed of a track over about a second; `None` when it has not been seen for as long.
    pub(crate) fn velocity(&self, track: u64) -> Option<Velocity> {
        let trail = self.0.get(&track)?;
        let ((from_at, from), (to_at, to)) = (trail.front()?, trail.back()?);
        let secs = to_at.since(*from_at).as_secs_f32();
        (SPAN_SECS..=LONGEST_SPAN_SECS)
            .contains(&secs)
            .then(|| Velocity { x: (to.x - from.x) / secs, y: (to.y - from.y) / secs })
    }

    /// Starts over.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
