//! The models an edge runs, behind the seams where tests put scripts.
//!
//! First stages look at whole pictures. Second stages look at crops of what a first stage found: for a person they
//! add what the person wears, for a vehicle they refine its class. An embedder says what a thing looks like.

use inference::{Classifier, CropSpec, Detector, Embedder, Frame, InferenceError};
use protocol::{BoundingBox, ClassTable, Detection, InferenceHealth, ModelRef};

/// The most models of one edge.
pub const MAX_MODELS: usize = 64;

/// A detector: the first stage.
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

/// A classifier of crops: a second stage.
pub trait Classify: Send {
    /// Its classes. What begins with `other_` says "none of those".
    fn classes(&self) -> &ClassTable;
    /// Per class, the score from which on it counts.
    fn thresholds(&self) -> &[f32];
    /// What it looks at.
    fn crops(&self) -> &CropSpec;
    /// Its model.
    fn model(&self) -> ModelRef;
    /// How it runs.
    fn health(&self) -> InferenceHealth;
    /// Gives the scores of every class for every box, in the order of `boxes`.
    ///
    /// # Errors
    /// When the crops could not be looked at; the next ones may.
    fn classify(
        &mut self,
        frame: &Frame<'_>,
        boxes: &[BoundingBox],
        out: &mut Vec<Vec<f32>>,
    ) -> Result<(), InferenceError>;
}

/// Tells what things look like.
pub trait Embed: Send {
    /// Its model.
    fn model(&self) -> ModelRef;
    /// How it runs.
    fn health(&self) -> InferenceHealth;
    /// An L2-normalised vector for every box; an empty one for a box that shows nothing.
    ///
    /// # Errors
    /// When the crops could not be looked at; the next ones may.
    fn embed(&mut self, frame: &Frame<'_>, boxes: &[BoundingBox]) -> Result<Vec<Vec<f32>>, InferenceError>;
}

/// All models of an edge.
#[derive(Default)]
pub struct Models {
    /// First stages. Of a class that several know, the first one decides.
    pub detectors: Vec<Box<dyn Detect>>,
    /// Second stages.
    pub classifiers: Vec<Box<dyn Classify>>,
    /// What things look like.
    pub embedder: Option<Box<dyn Embed>>,
    /// Why packages are not used, a sentence each.
    pub refused: Vec<String>,
}

impl Models {
    /// One first stage and nothing else.
    pub fn only(detector: impl Detect + 'static) -> Self {
        Self { detectors: vec![Box::new(detector)], ..Self::default() }
    }

    /// No model, for this reason.
    pub fn none(reason: impl Into<String>) -> Self {
        Self { refused: vec![reason.into()], ..Self::default() }
    }

    /// How they run together: names side by side, speeds summed, times averaged by speed.
    pub fn health(&self) -> InferenceHealth {
        let all: Vec<InferenceHealth> = (self.detectors.iter().map(|m| m.health()))
            .chain(self.classifiers.iter().map(|m| m.health()))
            .chain(self.embedder.iter().map(|m| m.health()))
            .collect();
        let joined = |of: fn(&InferenceHealth) -> &str| {
            let mut words: Vec<&str> = Vec::new();
            for word in all.iter().map(of) {
                if !word.is_empty() && !words.contains(&word) {
                    words.push(word);
                }
            }
            words.join(", ")
        };
        let fps: f32 = all.iter().map(|h| h.fps).sum();
        let busy_ms: f32 = all.iter().map(|h| h.fps * h.latency_ms).sum();
        InferenceHealth {
            model: joined(|h| &h.model),
            provider: joined(|h| &h.provider),
            precision: joined(|h| &h.precision),
            fps,
            latency_ms: if fps > 0.0 { busy_ms / fps } else { 0.0 },
        }
    }
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

impl Classify for Classifier {
    fn classes(&self) -> &ClassTable {
        Self::classes(self)
    }

    fn thresholds(&self) -> &[f32] {
        Self::thresholds(self)
    }

    fn crops(&self) -> &CropSpec {
        Self::crop(self)
    }

    fn model(&self) -> ModelRef {
        Self::model(self)
    }

    fn health(&self) -> InferenceHealth {
        Self::health(self)
    }

    fn classify(
        &mut self,
        frame: &Frame<'_>,
        boxes: &[BoundingBox],
        out: &mut Vec<Vec<f32>>,
    ) -> Result<(), InferenceError> {
        Self::classify(self, frame, boxes, out)
    }
}

impl Embed for Embedder {
    fn model(&self) -> ModelRef {
        Self::model(self)
    }

    fn health(&self) -> InferenceHealth {
        Self::health(self)
    }

    fn embed(&mut self, frame: &Frame<'_>, boxes: &[BoundingBox]) -> Result<Vec<Vec<f32>>, InferenceError> {
        Self::embed(self, frame, boxes)
    }
}
