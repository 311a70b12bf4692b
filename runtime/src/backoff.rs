//! How long to wait before the next attempt.

use std::time::Duration;

use protocol::Timestamp;
use rand::Rng;

/// Exponential back-off with jitter. Starts at 1 s, doubles up to 60 s, and starts over after a good minute.
///
/// A camera starved by fixed 1 s reconnects never recovers; jitter keeps the cameras of one switch from
/// coming back in step.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    good_since: Option<Timestamp>,
}

impl Backoff {
    /// First wait.
    pub const START: Duration = Duration::from_secs(1);
    /// Longest wait.
    pub const CAP: Duration = Duration::from_mins(1);
    /// How long a connection must be good before failures are forgotten.
    pub const RESET_AFTER: Duration = Duration::from_mins(1);

    /// Notes that the connection is good since `now`.
    pub fn connected(&mut self, now: Timestamp) {
        self.good_since.get_or_insert(now);
    }

    /// Notes a failure and gives the wait before the next attempt: between half and all of the step.
    pub fn failed(&mut self, now: Timestamp, rng: &mut impl Rng) -> Duration {
        if self.good_since.take().is_some_and(|since| now.since(since) >= Self::RESET_AFTER) {
            self.failures = 0;
        }
        let step = Self::START.saturating_mul(1 << self.failures.min(6)).min(Self::CAP);
        self.failures = self.failures.saturating_add(1);
        let share = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        step.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;

    #[test]
    fn doubles_to_the_cap_and_starts_over_after_a_good_minute() {
        let (mut backoff, mut rng) = (Backoff::default(), SmallRng::seed_from_u64(1));
        let mut now = Timestamp::from_secs(0);
        for step in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let wait = backoff.failed(now, &mut rng).as_secs_f64();
            assert!((step / 2.0..=step).contains(&wait), "{wait} is not within half to all of {step}");
            now = now + Duration::from_secs_f64(wait);
        }
        backoff.connected(now);
        assert!(backoff.failed(now + Duration::from_secs(59), &mut rng) > Duration::from_secs(29));
        backoff.connected(now);
        assert!(backoff.failed(now + Duration::from_mins(1), &mut rng) <= Backoff::START);
    }
}
