//! One media clock per camera, from whatever timestamps the camera sends.

use protocol::Timestamp;

/// Timestamps further apart than this do not belong together.
const MAX_STEP_US: i64 = 10_000_000;
/// How far a reordered picture (B-frame) may be presented before one that was sent earlier.
const MAX_REORDER_US: i64 = 500_000;
/// Smallest step between two pictures.
const MIN_STEP_US: i64 = 12;
/// So many equal timestamps in a row mean that the camera's clock stands.
const STUCK_AFTER: u32 = 3;

/// Maps source time to the camera's media clock.
///
/// The clock starts at 0 and follows the source. It follows the wall clock instead where the source
/// cannot be trusted: at a reconnect, at a jump, and while the source's clock stands still (seen on
/// cameras in the field, as are single duplicates for a message that was sent as a picture).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timeline {
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// Newest source time.
    source_us: i64,
    /// Newest media time.
    pts_us: i64,
    /// Media time minus source time.
    offset_us: i64,
    received_at: Timestamp,
    repeats: u32,
}

impl Timeline {
    /// Media time of a picture with `source_us`. `restart` says that the source's clock may be another.
    pub(crate) fn map(&mut self, source_us: i64, received_at: Timestamp, restart: bool) -> i64 {
        let Some(last) = &mut self.last else {
            self.last = Some(Last { source_us, pts_us: 0, offset_us: -source_us, received_at, repeats: 0 });
            return 0;
        };
        let step = source_us.saturating_sub(last.source_us);
        if !restart && (-MAX_REORDER_US..0).contains(&step) {
            return source_us + last.offset_us;
        }
        let wall_step = received_at.since(last.received_at).as_micros() as i64;
        let by_wall = last.pts_us + wall_step.max(MIN_STEP_US);
        last.repeats = if step == 0 { last.repeats + 1 } else { 0 };
        let pts_us = if restart || !(0..=MAX_STEP_US).contains(&step) || last.repeats >= STUCK_AFTER {
            last.offset_us = by_wall - source_us;
            by_wall
        } else {
            (source_us + last.offset_us).max(last.pts_us + MIN_STEP_US)
        };
        last.source_us = source_us;
        last.pts_us = pts_us;
        last.received_at = received_at;
        pts_us
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(steps: &[(i64, i64, bool)], expect: &[i64]) {
        let mut timeline = Timeline::default();
        let got: Vec<_> = steps
            .iter()
            .map(|&(source, wall, again)| timeline.map(source, Timestamp::from_micros(wall), again))
            .collect();
        assert_eq!(got, expect, "{steps:?}");
    }

    #[test]
    fn follows_the_source() {
        check(&[(900, 5, false), (40_900, 7, false), (80_900, 90_000, false)], &[0, 40_000, 80_000]);
    }

    #[test]
    fn goes_on_after_a_reconnect() {
        check(
            &[(0, 0, false), (40_000, 40_000, false), (7, 3_040_000, true), (40_007, 0, false)],
            &[0, 40_000, 3_040_000, 3_080_000],
        );
    }

    #[test]
    fn reordered_pictures_keep_their_place() {
        check(
            &[(0, 0, false), (120_000, 1, false), (40_000, 2, false), (80_000, 3, false), (160_000, 4, false)],
            &[0, 120_000, 40_000, 80_000, 160_000],
        );
    }

    #[test]
    fn a_jump_follows_the_wall() {
        check(&[(0, 0, false), (9_000_000_000, 40_000, false), (9_000_040_000, 80_000, false)], &[0, 40_000, 80_000]);
        check(&[(9_000_000_000, 0, false), (0, 40_000, false)], &[0, 40_000]);
    }

    #[test]
    fn a_standing_clock_follows_the_wall() {
        let steps: Vec<_> = (0..6).map(|n| (0, n * 40_000, false)).collect();
        check(&steps, &[0, 12, 24, 40_024, 80_024, 120_024]);
    }

    #[test]
    fn a_duplicate_does_not_shift_the_rest() {
        check(&[(0, 0, false), (0, 1, false), (40_000, 2, false)], &[0, 12, 40_000]);
    }

    proptest! {
        #[test]
        fn never_goes_back_by_more_than_a_reordering(
            steps in prop::collection::vec((any::<i32>(), 0..200_000_i64, prop::bool::weighted(0.1)), 1..100)
        ) {
            let (mut timeline, mut wall, mut newest) = (Timeline::default(), 0, 0);
            for (source, elapsed, restart) in steps {
                wall += elapsed;
                let pts = timeline.map(i64::from(source), Timestamp::from_micros(wall), restart);
                prop_assert!(pts >= newest - MAX_REORDER_US);
                newest = newest.max(pts);
            }
        }
    }
}
