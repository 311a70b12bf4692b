//! Wall-clock time of a picture, free of the network's jitter.

use protocol::Timestamp;

/// How far media clock and wall clock may part before one of them is taken to have jumped.
const JUMP_US: i64 = 2_000_000;

/// Maps the media clock to the wall clock: the quickest arrivals are the true ones, and the mapping yields
/// slowly (1 ‰) to later arrivals, since the two clocks drift.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WallTime {
    offset_us: Option<i64>,
    last_pts_us: i64,
}

impl WallTime {
    /// Wall-clock time of the picture presented at `pts_us` that arrived at `received_at`.
    pub(super) fn map(&mut self, pts_us: i64, received_at: Timestamp) -> Timestamp {
        let seen = received_at.as_micros() - pts_us;
        let offset = match self.offset_us {
            Some(offset) if (seen - offset).abs() <= JUMP_US => {
                let yielding = (pts_us - self.last_pts_us).max(0) / 1_000;
                offset + (seen - offset).min(yielding)
            }
            _ => seen,
        };
        self.offset_us = Some(offset);
        self.last_pts_us = pts_us;
        Timestamp::from_micros(pts_us + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_gone_and_drift_is_followed() {
        let mut wall = WallTime::default();
        let mut worst = 0;
        for i in 0..25 * 600i64 {
            let pts = i * 40_000;
            // Up to 300 ms late; the camera's clock runs 100 ppm slow.
            let late = [0, 50_000, 300_000, 10_000, 120_000][i as usize % 5];
            let truth = 1_000_000_000 + pts + pts / 10_000;
            let at = wall.map(pts, Timestamp::from_micros(truth + late));
            worst = worst.max((at.as_micros() - truth).abs());
        }
        assert!(worst < 1_000, "{worst} us off");
    }

    #[test]
    fn a_jump_is_followed_at_once() {
        let mut wall = WallTime::default();
        wall.map(0, Timestamp::from_secs(100));
        assert_eq!(wall.map(40_000, Timestamp::from_secs(5)), Timestamp::from_secs(5));
    }
}
