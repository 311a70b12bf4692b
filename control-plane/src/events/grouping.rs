//! Aggregation 事件聚合: which events are about one subject at one place, so that a list shows it once.
//!
//! Two events of one task are about the same subject when they carry the same track, or when their subjects
//! stood within a body height of each other, and no more than [`WINDOW`] lies between them. Track numbers begin
//! anew when an edge restarts, so a track alone must not join what lies far apart in time.

use std::time::Duration;

use protocol::{Event, Timestamp};

/// The longest pause within a group.
pub(crate) const WINDOW: Duration = Duration::from_mins(30);

/// The longest pause that one track number bridges: trackers forget a subject much sooner.
const SAME_TRACK: Duration = Duration::from_mins(5);

/// Distance below which two feet are at one place however small the subject is, in picture widths.
const NEAR: f64 = 0.05;

/// Where and when a subject was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sighting {
    pub(crate) at: Timestamp,
    pub(crate) track: Option<i64>,
    /// Foot point and height of the subject's box, 0–1; `None` for events without one subject.
    pub(crate) place: Option<(f64, f64, f64)>,
}

impl Sighting {
    /// The subject of an event.
    pub(crate) fn of(event: &Event) -> Self {
        let subject = event.boxes.iter().find(|b| b.subject).map(|b| b.bbox);
        let place = subject.map(|b| {
            let (x, y, w, h) = (f64::from(b.x), f64::from(b.y), f64::from(b.w), f64::from(b.h));
            (x + w / 2.0, y + h, h)
        });
        Self { at: event.decided_at, track: event.track.and_then(|t| i64::try_from(t).ok()), place }
    }
}

/// Whether two sightings of one task are about the same subject.
pub(crate) fn same_subject(a: &Sighting, b: &Sighting) -> bool {
    let pause = a.at.since(b.at).max(b.at.since(a.at));
    if pause > WINDOW {
        return false;
    }
    if pause <= SAME_TRACK && a.track.is_some() && a.track == b.track {
        return true;
    }
    match (a.place, b.place) {
        (Some((ax, ay, ah)), Some((bx, by, bh))) => (ax - bx).hypot(ay - by) <= ah.min(bh).max(NEAR),
        // The whole zone is the subject of both.
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(secs: i64, track: Option<i64>, x: f64) -> Sighting {
        Sighting { at: Timestamp::from_secs(secs), track, place: Some((x, 0.8, 0.2)) }
    }

    #[test]
    fn one_subject_at_one_place_is_one_group() {
        let first = sighting(0, Some(7), 0.5);
        for (other, expect) in [
            (sighting(60, Some(7), 0.9), true),
            (sighting(301, Some(7), 0.9), false),
            (sighting(60, Some(8), 0.65), true),
            (sighting(60, Some(8), 0.75), false),
            (sighting(1800, None, 0.5), true),
            (sighting(1801, None, 0.5), false),
            (Sighting { place: None, ..sighting(60, None, 0.5) }, false),
        ] {
            assert_eq!(same_subject(&first, &other), expect, "{other:?}");
            assert_eq!(same_subject(&other, &first), expect, "{other:?}");
        }
        let zone = Sighting { place: None, ..sighting(0, None, 0.0) };
        assert!(same_subject(&zone, &Sighting { at: Timestamp::from_secs(99), ..zone }));
    }
}
