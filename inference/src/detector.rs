//! The detector: frames in, boxes out.

use std::{fmt, path::Path, time::Instant};

use protocol::{BoundingBox, ClassId, ClassTable, Detection, InferenceHealth, ModelRef};

use crate::{
    Frame, InferenceError, Manifest, ModelRefused, Runtime,
    execution::Execution,
    golden,
    heads::{self, Candidate, Head},
    meter::Meter,
    network::Network,
    nms,
    package::Package,
    preprocess::{Fitted, Letterbox},
};

/// How a detector runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectorOptions {
    /// Threads that share one run; 0 lets ONNX Runtime take every core.
    pub threads: usize,
}

impl DetectorOptions {
    pub(crate) fn execution(&self) -> Execution {
        Execution::cpu(self.threads)
    }
}

/// What is kept of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The lowest score.
    pub min_score: f32,
    /// The most boxes, strongest first.
    pub max_per_frame: usize,
}

impl Default for Limits {
    /// Far below the thresholds: the tracker bridges gaps with weak boxes, and rules apply their own threshold.
    fn default() -> Self {
        Self { min_score: 0.1, max_per_frame: 100 }
    }
}

/// A loaded and proven model.
pub struct Detector {
    manifest: Manifest,
    classes: ClassTable,
    thresholds: Vec<f32>,
    head: Head,
    network: Network,
    letterbox: Letterbox,
    candidates: Vec<Candidate>,
    execution: Execution,
    meter: Meter,
}

impl Detector {
    /// Loads the model package in the folder `dir` and proves it on its golden picture.
    ///
    /// # Errors
    /// With the first reason not to trust it.
    pub fn load(runtime: &Runtime, dir: &Path, options: &DetectorOptions) -> Result<Self, ModelRefused> {
        Self::from_package(runtime, Package::read(dir)?, &options.execution())
    }

    /// [`Detector::load`], run in another way.
    ///
    /// # Errors
    /// With the first reason not to trust it.
    pub fn load_on(runtime: &Runtime, dir: &Path, execution: &Execution) -> Result<Self, ModelRefused> {
        Self::from_package(runtime, Package::read(dir)?, execution)
    }

    pub(crate) fn from_package(
        runtime: &Runtime,
        package: Package,
        execution: &Execution,
    ) -> Result<Self, ModelRefused> {
        let Package { manifest, path, model, picture } = package;
        let wrong = || ModelRefused::WrongKind { head: manifest.head.name(), wanted: "a detector" };
        let head = Head::new(&manifest).ok_or_else(wrong)?;
        let network = Network::load(runtime, &path, &model, &manifest, heads::wanted(&manifest), execution)?;
        let mut detector = Self {
            classes: manifest.class_table(),
            thresholds: manifest.classes.iter().map(|class| class.threshold).collect(),
            head,
            network,
            letterbox: Letterbox::new(&manifest.input),
            candidates: Vec::new(),
            execution: execution.clone(),
            meter: Meter::default(),
            manifest,
        };
        detector.prove(&picture)?;
        tracing::info!(
            model.name = %detector.manifest.model.name,
            model.version = %detector.manifest.model.version,
            inference.execution = %execution,
            "model loaded"
        );
        Ok(detector)
    }

    /// The classes, in the order of [`Detection::class`].
    pub fn classes(&self) -> &ClassTable {
        &self.classes
    }

    /// Name and version of the model.
    pub fn model(&self) -> ModelRef {
        self.manifest.model.clone()
    }

    /// The manifest it was loaded by.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Per class, the score from which on a box counts unless a task says otherwise.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// How it runs: provider, precision, speed of the last seconds.
    pub fn health(&self) -> InferenceHealth {
        self.meter.health(&self.manifest.model, &self.execution)
    }

    /// Detects on `frames` and writes the boxes of each, strongest first, into the slot of `out` at its place.
    ///
    /// More frames than the model's largest batch are run in several batches.
    ///
    /// # Errors
    /// When a frame is not what it says (then no frame has been run), or the network fails.
    pub fn detect(&mut self, frames: &[Frame<'_>], out: &mut [Vec<Detection>]) -> Result<(), InferenceError> {
        self.detect_with(frames, &Limits::default(), out)
    }

    /// [`Detector::detect`] with other limits.
    ///
    /// # Errors
    /// As [`Detector::detect`].
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
        let batch = self.network.max_batch();
        for (frames, out) in frames.chunks(batch).zip(out.chunks_mut(batch)) {
            let started = Instant::now();
            self.run_batch(frames, limits, out)?;
            self.meter.add(frames.len(), started.elapsed());
        }
        Ok(())
    }

    /// Runs the network alone on whatever its input holds: what a benchmark compares [`Detector::detect`] with.
    ///
    /// # Errors
    /// When the network fails.
    pub fn run_network(&mut self, frames: usize) -> Result<(), InferenceError> {
        self.network.run(frames.clamp(1, self.network.max_batch()), |_| ())
    }

    fn run_batch(
        &mut self,
        frames: &[Frame<'_>],
        limits: &Limits,
        out: &mut [Vec<Detection>],
    ) -> Result<(), InferenceError> {
        let Self { manifest, head, network, letterbox, candidates, .. } = self;
        for (slot, frame) in frames.iter().enumerate() {
            letterbox.fill(frame, network.slot(slot))?;
        }
        let nms_iou = Head::nms_iou(manifest);
        network.run(frames.len(), |outputs| {
            for (slot, (frame, out)) in frames.iter().zip(out).enumerate() {
                candidates.clear();
                head.decode(outputs, slot, limits.min_score, candidates);
                let fitted = letterbox.fitted(frame.size());
                clip(candidates, &fitted);
                nms::suppress(candidates, nms_iou, limits.max_per_frame);
                out.extend(candidates.iter().map(|candidate| normalise(candidate, &fitted)));
            }
        })
    }

    fn prove(&mut self, picture: &image::RgbImage) -> Result<(), ModelRefused> {
        let (width, height) = picture.dimensions();
        let frame = Frame::Rgb { width, height, data: picture.as_raw(), stride: width as usize * 3 };
        let mut out = [Vec::new()];
        self.detect(&[frame], &mut out)?;
        self.meter = Meter::default();
        golden::check(&self.manifest, (width, height), &out[0])
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector").field("model", &self.manifest.model).finish_non_exhaustive()
    }
}

/// Counts corners from the picture's own, cuts boxes at its edges and drops those that lie outside.
fn clip(candidates: &mut Vec<Candidate>, fitted: &Fitted) {
    candidates.retain_mut(|c| {
        let inside = |at: f32, start: f32, length: f32| (at - start).clamp(0.0, length);
        (c.left, c.right) = (inside(c.left, fitted.left, fitted.width), inside(c.right, fitted.left, fitted.width));
        (c.top, c.bottom) = (inside(c.top, fitted.top, fitted.height), inside(c.bottom, fitted.top, fitted.height));
        c.right > c.left && c.bottom > c.top
    });
}

fn normalise(c: &Candidate, &Fitted { width, height, .. }: &Fitted) -> Detection {
    let (x, y) = (c.left / width, c.top / height);
    let bbox = BoundingBox::new(x, y, c.right / width - x, c.bottom / height - y);
    Detection { class: ClassId(c.class), score: c.score, bbox }
}
