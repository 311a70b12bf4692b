//! Which pictures are decoded, and which of those are looked at.
//!
//! A picture that others refer to must be decoded even when nobody looks at it; a disposable one need not. When
//! the tasks ask for fewer pictures than there are key frames, only key frames are decoded: a twelfth of the cost.

/// Tasks that look this seldom or less, microseconds between two looks, take any picture near the time: key frames
/// will do.
const SLOW_US: i64 = 4_900_000;
/// Key frames further apart than this, microseconds, are too few even for them.
const MAX_KEY_INTERVAL_US: i64 = 30_000_000;

/// Picks pictures at a rate, without drift and whatever the camera's own rate is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sampler {
    interval_us: Option<i64>,
    due_us: Option<i64>,
}

impl Sampler {
    /// Sets the rate; `None` picks nothing.
    pub(super) fn set_rate(&mut self, fps: Option<f32>) {
        let interval_us = fps.map(|fps| (1e6 / f64::from(fps.max(0.01))) as i64);
        if interval_us != self.interval_us {
            *self = Self { interval_us, due_us: None };
        }
    }

    /// Time between two picked pictures.
    pub(super) fn interval_us(&self) -> Option<i64> {
        self.interval_us
    }

    /// Whether the picture presented at `pts_us` is one to look at.
    pub(super) fn is_due(&self, pts_us: i64) -> bool {
        let Some(interval) = self.interval_us else { return false };
        // A little early is in time; far early means that the media clock started over.
        self.due_us.is_none_or(|due| pts_us >= due - interval / 8 || pts_us < due - 2 * interval)
    }

    /// Picks the picture if it is due.
    pub(super) fn pick(&mut self, pts_us: i64) -> bool {
        let due = self.is_due(pts_us);
        if let (true, Some(interval)) = (due, self.interval_us) {
            let next = self.due_us.unwrap_or(pts_us) + interval;
            let on_time = next > pts_us + interval / 2 && next <= pts_us + 2 * interval;
            self.due_us = Some(if on_time { next } else { pts_us + interval });
        }
        due
    }
}

/// What matters of an encoded picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoded {
    pub(super) pts_us: i64,
    pub(super) key: bool,
    pub(super) disposable: bool,
}

/// Decides what goes to the decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gate {
    /// Whether the pictures before are missing: nothing can be decoded before a key frame.
    broken: bool,
    keys_only: bool,
    last_key_us: Option<i64>,
    /// Of key frames alone, those to decode. The sampler would know too late: decoders hold a picture back until they
    /// have seen the next ones.
    keys: Sampler,
}

impl Gate {
    /// A gate before a fresh decoder, or one that has missed pictures.
    pub(super) fn break_off(&mut self) {
        self.broken = true;
    }

    /// Whether pictures are missing before the next one.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the picture goes to the decoder.
    pub(super) fn admits(&mut self, unit: Encoded, sampler: &Sampler) -> bool {
        if unit.key {
            let key_interval = self.last_key_us.map(|last| unit.pts_us - last);
            self.last_key_us = Some(unit.pts_us);
            let before = self.keys_only;
            // Looked at again with each key frame, since cameras change their mind about the interval.
            self.keys_only = match (sampler.interval_us(), key_interval) {
                (Some(asked), Some(keys)) if keys > 0 => {
                    asked * 9 >= keys * 10 || (asked >= SLOW_US && keys <= MAX_KEY_INTERVAL_US)
                }
                (Some(asked), _) => asked >= SLOW_US,
                (None, _) => false,
            };
            self.broken = false;
            if !self.keys_only {
                return true;
            }
            if !before || self.keys.interval_us != sampler.interval_us {
                self.keys = *sampler;
            }
            return self.keys.pick(unit.pts_us);
        }
        if self.keys_only {
            self.broken = true;
        }
        !self.broken && (!unit.disposable || sampler.is_due(unit.pts_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(camera_fps: f64, asked: f32, secs: f64, expect: std::ops::RangeInclusive<usize>) {
        let mut sampler = Sampler::default();
        sampler.set_rate(Some(asked));
        let frames = (secs * camera_fps) as i64;
        // Pictures jitter by up to 5 ms.
        let at = |i: i64| (i as f64 * 1e6 / camera_fps) as i64 + i * 7_919 % 10_000 - 5_000;
        let picked = (0..frames).filter(|i| sampler.pick(at(*i))).count();
        assert!(expect.contains(&picked), "{picked} of {frames}");
    }

    #[test]
    fn the_rate_is_met() {
        check(25.0, 5.0, 10.0, 49..=51);
        check(15.0, 5.0, 10.0, 49..=51);
        check(12.5, 5.0, 10.0, 45..=51);
        check(25.0, 25.0, 10.0, 230..=250);
        check(5.0, 25.0, 10.0, 50..=50);
        check(25.0, 0.5, 20.0, 10..=11);
        check(30.0, 8.0, 10.0, 75..=81);
    }

    #[test]
    fn a_media_clock_that_starts_over_does_not_stop_it() {
        let mut sampler = Sampler::default();
        assert!(!sampler.pick(0), "nobody asked");
        sampler.set_rate(Some(5.0));
        assert!(sampler.pick(50_000_000));
        assert!(!sampler.pick(50_100_000));
        assert!(sampler.pick(40_000));
        assert!(sampler.pick(900_000_000), "after a pause");
        assert!(!sampler.pick(900_040_000));
    }

    /// Feeds 5 s of a camera with 10 pictures a second, a key frame each second and every second one
    /// disposable; gives how many went to the decoder.
    fn decoded(asked: f32, missed_at: Option<i64>) -> usize {
        let (mut sampler, mut gate) = (Sampler::default(), Gate::default());
        sampler.set_rate(Some(asked));
        gate.break_off();
        let mut count = 0;
        for i in 5..55 {
            if missed_at == Some(i) {
                gate.break_off();
                continue;
            }
            let unit = Encoded { pts_us: i * 100_000, key: i % 10 == 0, disposable: i % 2 == 1 };
            if gate.admits(unit, &sampler) {
                count += 1;
                sampler.pick(unit.pts_us);
            }
        }
        count
    }

    #[test]
    fn no_more_is_decoded_than_needed() {
        assert_eq!(decoded(10.0, None), 45, "all from the first key frame on");
        assert_eq!(decoded(5.0, None), 23, "no disposable ones");
        assert_eq!(decoded(0.8, None), 5 + 2, "key frames only, once the interval is known, and of those every second");
        assert_eq!(decoded(0.2, None), 1, "slow tasks never take more than key frames, and of those what is due");
        assert_eq!(decoded(10.0, Some(22)), 45 - 8, "nothing between a miss and the next key frame");
    }
}
