//! What looks at pictures. The one seam of the pipeline: tests put a script here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use inference::{Detector, Frame, InferenceError};
use protocol::{ClassTable, Detection, InferenceHealth, ModelRef};
use runtime::Latest;
use tracing::{error, info};

use super::{
    camera::{Cameras, Running},
    picture::Picture,
    warnings::Warnings,
};

const INFERENCE_FAILED: &str = "inference_failed";
/// How often the speed is read.
const HEALTH_EVERY: Duration = Duration::from_secs(1);

/// A detector.
pub trait Detect: Send {
    /// Its classes.
    fn classes(&self) -> &ClassTable;
    /// Its model.
    fn model(&self) -> ModelRef;
    /// How it runs.
    fn health(&self) -> InferenceHealth;
    /// Detects on `frames`; the detections of each go into the slot of `out` at its place.
    ///
    /// # Errors
    /// When the frames could not be looked at; the next ones may.
    fn detect(&mut self, frames: &[Frame<'_>], out: &mut [Vec<Detection>]) -> Result<(), InferenceError>;
}

impl Detect for Detector {
    fn classes(&self) -> &ClassTable {
        Self::classes(self)
    }

    fn model(&self) -> ModelRef {
        Self::model(self)
    }

    fn health(&self) -> InferenceHealth {
        Self::health(self)
    }

    fn detect(&mut self, frames: &[Frame<'_>], out: &mut [Vec<Detection>]) -> Result<(), InferenceError> {
        Self::detect(self, frames, out)
    }
}

/// The thread that looks: at the newest picture of every camera in turn, all of them in one batch.
pub(super) struct Looking {
    pub(super) detector: Box<dyn Detect>,
    pub(super) cameras: Cameras,
    /// Rung when a camera has a new picture.
    pub(super) bell: Latest<()>,
    pub(super) health: Arc<Mutex<InferenceHealth>>,
    pub(super) warnings: Warnings,
}

impl Looking {
    /// Runs until the bell is closed.
    pub(super) fn run(mut self) {
        let mut detections: Vec<Vec<Detection>> = Vec::new();
        let mut health_at: Option<Instant> = None;
        while self.bell.take().is_some() {
            let batch: Vec<(Arc<Running>, Picture)> =
                self.cameras.all().into_iter().filter_map(|c| c.slot.try_take().map(|p| (c, p))).collect();
            if batch.is_empty() {
                continue;
            }
            if detections.len() < batch.len() {
                detections.resize_with(batch.len(), Vec::new);
            }
            let seen = self.look(&batch, &mut detections);
            for ((camera, picture), detections) in batch.into_iter().zip(&detections) {
                if seen {
                    camera.analyse(picture, detections);
                }
            }
            if health_at.is_none_or(|at| at.elapsed() >= HEALTH_EVERY) {
                health_at = Some(Instant::now());
                *self.health.lock().unwrap_or_else(PoisonError::into_inner) = self.detector.health();
            }
        }
    }

    fn look(&mut self, batch: &[(Arc<Running>, Picture)], detections: &mut [Vec<Detection>]) -> bool {
        let frames: Vec<Frame<'_>> = batch.iter().map(|(_, picture)| picture.frame()).collect();
        match self.detector.detect(&frames, &mut detections[..batch.len()]) {
            Ok(()) => {
                if self.warnings.clear(INFERENCE_FAILED, None) {
                    info!("inference works again");
                }
                true
            }
            Err(e) => {
                let message = format!("the model cannot be run and no picture is looked at: {e}");
                if self.warnings.set(INFERENCE_FAILED, None, message) {
                    error!(reason = %e, "inference failed");
                }
                false
            }
        }
    }
}
