//! Speed over windows of a few seconds.

use std::time::{Duration, Instant};

use protocol::{InferenceHealth, ModelRef};

use crate::Execution;

/// Counts frames and the time they took.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    window: Option<Instant>,
    frames: usize,
    busy: Duration,
    last: (f32, f32),
}

impl Meter {
    const WINDOW: Duration = Duration::from_secs(5);

    pub(crate) fn add(&mut self, frames: usize, took: Duration) {
        let window = *self.window.get_or_insert_with(Instant::now);
        self.frames += frames;
        self.busy += took;
        if window.elapsed() >= Self::WINDOW {
            self.last = self.current(window);
            *self = Self { last: self.last, ..Self::default() };
        }
    }

    /// What a model that runs so reports.
    pub(crate) fn health(&self, ModelRef { name, version }: &ModelRef, execution: &Execution) -> InferenceHealth {
        let (fps, latency_ms) = self.read();
        InferenceHealth {
            model: format!("{name} {version}"),
            provider: execution.provider.to_string(),
            precision: execution.precision.to_string(),
            fps,
            latency_ms,
        }
    }

    /// Frames per second and milliseconds per frame.
    fn read(&self) -> (f32, f32) {
        match self.window {
            // The last window is too old to speak for now.
            Some(window) if window.elapsed() >= Self::WINDOW => self.current(window),
            Some(window) if self.last.0 == 0.0 => self.current(window),
            _ => self.last,
        }
    }

    fn current(&self, window: Instant) -> (f32, f32) {
        let secs = window.elapsed().as_secs_f32().max(1e-3);
        (self.frames as f32 / secs, self.busy.as_secs_f32() * 1000.0 / self.frames.max(1) as f32)
    }
}
