//! Several sessions of one detector, each with its own threads: frames of different cameras side by side.
//!
//! One session with many threads answers a single frame sooner; several sessions with one thread each get more
//! frames done, because small networks do not split well. `examples/latency.rs` measures both.

use std::{path::Path, thread};

use protocol::{Detection, InferenceHealth};

use crate::{
    Detector, Execution, Frame, InferenceError, Limits, ModelRefused, Runtime, models::MAX_SESSIONS, package::Package,
};

/// A detector with several sessions.
#[derive(Debug)]
pub struct DetectorPool {
    detectors: Vec<Detector>,
}

impl DetectorPool {
    /// Loads the package in the folder `dir` into `sessions` (1 to 16) sessions, each run as `execution` says.
    ///
    /// # Errors
    /// With the first reason not to trust it.
    pub fn load(runtime: &Runtime, dir: &Path, execution: &Execution, sessions: usize) -> Result<Self, ModelRefused> {
        let package = Package::read(dir)?;
        let detectors = (0..sessions.clamp(1, MAX_SESSIONS))
            .map(|_| Detector::from_package(runtime, package.clone(), execution))
            .collect::<Result<_, _>>()?;
        Ok(Self { detectors })
    }

    /// The first of its detectors: classes, thresholds and manifest are those of all.
    pub fn first(&self) -> &Detector {
        &self.detectors[0]
    }

    /// How many sessions it has.
    pub fn sessions(&self) -> usize {
        self.detectors.len()
    }

    /// How they run: frames per second of all together, time per frame of each.
    pub fn health(&self) -> InferenceHealth {
        let mut health = self.first().health();
        let all: Vec<_> = self.detectors.iter().map(Detector::health).collect();
        health.fps = all.iter().map(|h| h.fps).sum();
        health.latency_ms = all.iter().map(|h| h.latency_ms).fold(0.0, f32::max);
        health
    }

    /// As [`Detector::detect`], with the frames shared out among the sessions.
    ///
    /// # Errors
    /// As [`Detector::detect`]; the slots of frames whose session failed are empty.
    pub fn detect(&mut self, frames: &[Frame<'_>], out: &mut [Vec<Detection>]) -> Result<(), InferenceError> {
        self.detect_with(frames, &Limits::default(), out)
    }

    /// [`DetectorPool::detect`] with other limits.
    ///
    /// # Errors
    /// As [`DetectorPool::detect`].
    pub fn detect_with(
        &mut self,
        frames: &[Frame<'_>],
        limits: &Limits,
        out: &mut [Vec<Detection>],
    ) -> Result<(), InferenceError> {
        if frames.len() != out.len() {
            return Err(InferenceError::SlotsMismatch { frames: frames.len(), slots: out.len() });
        }
        out.iter_mut().for_each(Vec::clear);
        frames.iter().try_for_each(Frame::check)?;
        let share = frames.len().div_ceil(self.detectors.len()).max(1);
        let mut work = self.detectors.iter_mut().zip(frames.chunks(share).zip(out.chunks_mut(share)));
        let Some((own, (own_frames, own_out))) = work.next() else { return Ok(()) };
        thread::scope(|scope| {
            let others: Vec<_> = work
                .map(|(detector, (frames, out))| scope.spawn(move || detector.detect_with(frames, limits, out)))
                .collect();
            let mut result = own.detect_with(own_frames, limits, own_out);
            for other in others {
                let ended =
                    other.join().unwrap_or_else(|_| Err(InferenceError::Run("a session's thread ended".into())));
                result = result.and(ended);
            }
            result
        })
    }
}
