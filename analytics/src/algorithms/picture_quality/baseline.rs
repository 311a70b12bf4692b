//! What is usual for a camera, hour by hour of the day.

use protocol::Timestamp;

use super::defects::acuity;
use crate::look::PictureLook;

/// Looks of an hour of the day before it is known: ten minutes of them.
const FEWEST_LOOKS: u32 = 60;
/// The newest look counts this much once an hour is known: the middle follows within some 100 looks.
const SLOWEST: f32 = 0.01;
/// What is further away than this many deviations pulls no harder.
const OUTLIER: f32 = 2.0;

/// A running middle that outliers do not pull away (a Huber estimate with exponential forgetting).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Running {
    pub(super) middle: f32,
    deviation: f32,
    looks: u32,
}

impl Running {
    fn push(&mut self, value: f32) {
        if !value.is_finite() {
            return;
        }
        self.looks = self.looks.saturating_add(1);
        let weight = (1.0 / self.looks as f32).max(SLOWEST);
        let away = value - self.middle;
        let reach =
            if self.looks <= 10 { f32::INFINITY } else { OUTLIER * self.deviation.max(1e-3 * self.middle.abs()) };
        self.middle += weight * away.clamp(-reach, reach);
        self.deviation += weight * (away.abs().min(2.0 * reach) - self.deviation);
    }
}

/// Usual measures of one hour of the day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual {
    looks: u32,
    pub(super) luma: Running,
    pub(super) contrast: Running,
    pub(super) acuity: Running,
    pub(super) noise: Running,
    pub(super) difference: Running,
    pub(super) cast: [Running; 2],
}

/// Usual measures of a day, by hours of UTC: any fixed 24 slots do.
#[derive(Debug, Default)]
pub(super) struct Baseline([Usual; 24]);

impl Baseline {
    /// What is usual at this hour; `None` until it has been seen for long enough.
    pub(super) fn usual(&self, at: Timestamp) -> Option<Usual> {
        Some(self.0[hour_of_day(at)]).filter(|u| u.looks >= FEWEST_LOOKS)
    }

    /// Learns from a look without a defect.
    pub(super) fn learn(&mut self, at: Timestamp, look: &PictureLook) {
        let usual = &mut self.0[hour_of_day(at)];
        usual.looks = usual.looks.saturating_add(1);
        usual.luma.push(look.mean_luma);
        usual.contrast.push(look.contrast);
        usual.acuity.push(acuity(look));
        usual.noise.push(look.noise);
        if let Some(difference) = look.difference {
            usual.difference.push(difference);
        }
        usual.cast[0].push(look.cast[0]);
        usual.cast[1].push(look.cast[1]);
    }
}

fn hour_of_day(at: Timestamp) -> usize {
    (at.as_micros().div_euclid(3_600_000_000).rem_euclid(24)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_pull_the_middle_away() {
        let mut running = Running::default();
        for i in 0..400 {
            running.push(if i % 10 == 9 { 1_000.0 } else { 50.0 + (i % 5) as f32 });
        }
        assert!((45.0..70.0).contains(&running.middle), "{}", running.middle);
        for _ in 0..600 {
            running.push(80.0);
        }
        assert!((70.0..90.0).contains(&running.middle), "does not follow: {}", running.middle);
    }
}
