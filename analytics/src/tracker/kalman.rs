//! Constant-velocity motion of a box, with time in seconds.
//!
//! The coordinates are independent, so the usual 8 × 8 Kalman filter falls apart into four of 2 × 2. Noise is
//! given in statures (heights of a body), which makes it the same near and far, and as a density over time,
//! which makes it the same at any frame rate.

use protocol::BoundingBox;

/// Uncertainty of a measured coordinate, statures.
const MEASURED_SIGMA: f32 = 0.04;
/// Uncertainty of the speed of something just found, statures per second.
const FIRST_SPEED_SIGMA: f32 = 1.0;
/// How much speed wanders, statures² per second³.
const SPEED_WANDER: f32 = 0.5;
/// How fast the size follows what is measured, seconds.
const SIZE_FOLLOWS_SECS: f32 = 0.4;

#[derive(Clone, Copy, Debug)]
struct Axis {
    position: f32,
    speed: f32,
    var_position: f32,
    covariance: f32,
    var_speed: f32,
}

impl Axis {
    fn new(position: f32, unit: f32) -> Self {
        Self {
            position,
            speed: 0.0,
            var_position: (MEASURED_SIGMA * unit).powi(2),
            covariance: 0.0,
            var_speed: (FIRST_SPEED_SIGMA * unit).powi(2),
        }
    }

    fn predict(&mut self, dt: f32, unit: f32) {
        let wander = SPEED_WANDER * unit * unit;
        self.position += self.speed * dt;
        self.var_position += 2.0 * dt * self.covariance + dt * dt * self.var_speed + wander * dt * dt * dt / 3.0;
        self.covariance += dt * self.var_speed + wander * dt * dt / 2.0;
        self.var_speed += wander * dt;
    }

    /// Squared distance of `measured` from the prediction, in standard deviations.
    fn surprise(&self, measured: f32, unit: f32) -> f32 {
        (measured - self.position).powi(2) / (self.var_position + (MEASURED_SIGMA * unit).powi(2))
    }

    fn correct(&mut self, measured: f32, unit: f32) {
        let total = self.var_position + (MEASURED_SIGMA * unit).powi(2);
        let (gain_position, gain_speed) = (self.var_position / total, self.covariance / total);
        let residual = measured - self.position;
        self.position += gain_position * residual;
        self.speed += gain_speed * residual;
        self.var_speed -= gain_speed * self.covariance;
        self.covariance *= 1.0 - gain_position;
        self.var_position *= 1.0 - gain_position;
    }
}

/// Where a box is and where it goes. Lengths are in picture heights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    x: Axis,
    y: Axis,
    width: f32,
    height: f32,
    /// Height of the body that the box belongs to.
    unit: f32,
}

impl Motion {
    pub(super) fn new(bbox: &BoundingBox, aspect: f32, unit: f32) -> Self {
        let center = bbox.center();
        Self {
            x: Axis::new(center.x * aspect, unit),
            y: Axis::new(center.y, unit),
            width: bbox.w * aspect,
            height: bbox.h,
            unit,
        }
    }

    pub(super) fn predict(&mut self, dt: f32) {
        self.x.predict(dt, self.unit);
        self.y.predict(dt, self.unit);
    }

    pub(super) fn correct(&mut self, bbox: &BoundingBox, aspect: f32, unit: f32, dt: f32) {
        let center = bbox.center();
        self.x.correct(center.x * aspect, self.unit);
        self.y.correct(center.y, self.unit);
        let follow = 1.0 - (-dt / SIZE_FOLLOWS_SECS).exp();
        self.width += (bbox.w * aspect - self.width) * follow;
        self.height += (bbox.h - self.height) * follow;
        self.unit += (unit - self.unit) * follow;
    }

    /// The predicted box.
    pub(super) fn bbox(&self, aspect: f32) -> BoundingBox {
        let (w, h) = (self.width / aspect, self.height);
        BoundingBox::new(self.x.position / aspect - w / 2.0, self.y.position - h / 2.0, w, h)
    }

    /// Squared Mahalanobis distance of a box's centre from the prediction.
    pub(super) fn surprise(&self, bbox: &BoundingBox, aspect: f32) -> f32 {
        let center = bbox.center();
        self.x.surprise(center.x * aspect, self.unit) + self.y.surprise(center.y, self.unit)
    }

    /// Distance of a box's centre from the prediction, statures.
    pub(super) fn distance(&self, bbox: &BoundingBox, aspect: f32) -> f32 {
        let center = bbox.center();
        (center.x * aspect - self.x.position).hypot(center.y - self.y.position) / self.unit.max(1e-4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A walker at 0.8 statures per second is predicted alike at any rate of frames.
    #[test]
    fn learns_the_speed_at_2_and_25_frames_per_second() {
        for fps in [2.0f32, 5.0, 25.0] {
            let unit = 0.2;
            let walker = |t: f32| BoundingBox::new(0.1 + 0.8 * unit * t, 0.4, 0.07, unit);
            let mut motion = Motion::new(&walker(0.0), 1.0, unit);
            let frames = (3.0 * fps) as u32;
            for i in 1..=frames {
                motion.predict(1.0 / fps);
                motion.correct(&walker(i as f32 / fps), 1.0, unit, 1.0 / fps);
            }
            motion.predict(1.0);
            let ahead = frames as f32 / fps + 1.0;
            let off = motion.distance(&walker(ahead), 1.0);
            assert!(off < 0.12, "{fps} fps: off by {off} statures after 1 s unseen");
            assert!(motion.surprise(&walker(ahead), 1.0) < 1.0);
        }
    }
}
