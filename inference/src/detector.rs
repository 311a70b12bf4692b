//! The detector: frames in, boxes out.

use std::{
    fmt,
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::Path,
    time::{Duration, Instant},
};

use ndarray::Axis;
use protocol::{BoundingBox, ClassId, ClassTable, ContentHash, Detection, InferenceHealth, ModelRef};

use crate::{
    Frame, InferenceError, Manifest, ModelRefused, Runtime, golden,
    heads::{Candidate, Head},
    manifest,
    network::Network,
    nms,
    preprocess::Letterbox,
};

/// Largest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Largest ONNX file that is read.
const MAX_MODEL_BYTES: u64 = 1 << 30;
/// Largest golden picture that is read.
const MAX_PICTURE_BYTES: u64 = 32 << 20;

/// How a detector runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectorOptions {
    /// Threads that share one run; 0 lets ONNX Runtime take every core.
    pub threads: usize,
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
    meter: Meter,
}

impl Detector {
    /// Loads the model package in the folder `dir` and proves it on its golden picture.
    ///
    /// # Errors
    /// With the first reason not to trust it.
    pub fn load(runtime: &Runtime, dir: &Path, options: &DetectorOptions) -> Result<Self, ModelRefused> {
        let manifest = read(&dir.join(manifest::FILE_NAME), MAX_MANIFEST_BYTES)?;
        let manifest = std::str::from_utf8(&manifest)
            .map_err(|e| ModelRefused::ManifestSyntax(e.to_string()))
            .and_then(Manifest::parse)?;
        // The bytes that are hashed are the bytes that are loaded.
        let path = dir.join(&manifest.file);
        let model = read(&path, MAX_MODEL_BYTES)?;
        let hash = ContentHash::of(&model);
        if hash != manifest.sha256 {
            let (expected, found) = (manifest.sha256.to_string(), hash.to_string());
            return Err(ModelRefused::WrongHash { path, expected, found });
        }
        let picture_path = dir.join(&manifest.golden.picture);
        let picture = golden::decode(&picture_path, &read(&picture_path, MAX_PICTURE_BYTES)?)?;

        let head = Head::new(&manifest);
        let network = Network::load(runtime, &path, &model, &manifest, &head, options.threads)?;
        let mut detector = Self {
            classes: manifest.class_table(),
            thresholds: manifest.classes.iter().map(|class| class.threshold).collect(),
            head,
            network,
            letterbox: Letterbox::new(&manifest.input),
            candidates: Vec::new(),
            meter: Meter::default(),
            manifest,
        };
        detector.prove(&picture)?;
        tracing::info!(
            model.name = %detector.manifest.model.name,
            model.version = %detector.manifest.model.version,
            inference.threads = options.threads,
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
        let ModelRef { name, version } = &self.manifest.model;
        let (fps, latency_ms) = self.meter.read();
        InferenceHealth {
            model: format!("{name} {version}"),
            provider: "cpu".into(),
            precision: "fp32".into(),
            fps,
            latency_ms,
        }
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
        network.run(frames.len(), |output| {
            for ((output, frame), out) in output.axis_iter(Axis(0)).zip(frames).zip(out) {
                candidates.clear();
                head.decode(&output, limits.min_score, candidates);
                let (width, height) = letterbox.fitted(frame.size());
                clip(candidates, width, height);
                nms::suppress(candidates, manifest.output.nms_iou, limits.max_per_frame);
                out.extend(candidates.iter().map(|candidate| normalise(candidate, width, height)));
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

/// Cuts boxes at the picture's edges and drops those that lie outside.
fn clip(candidates: &mut Vec<Candidate>, width: f32, height: f32) {
    candidates.retain_mut(|c| {
        (c.left, c.right) = (c.left.clamp(0.0, width), c.right.clamp(0.0, width));
        (c.top, c.bottom) = (c.top.clamp(0.0, height), c.bottom.clamp(0.0, height));
        c.right > c.left && c.bottom > c.top
    });
}

fn normalise(c: &Candidate, width: f32, height: f32) -> Detection {
    let (x, y) = (c.left / width, c.top / height);
    let bbox = BoundingBox::new(x, y, c.right / width - x, c.bottom / height - y);
    Detection { class: ClassId(c.class), score: c.score, bbox }
}

/// Reads a file of the package, unless it is absurdly large.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ModelRefused> {
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => ModelRefused::FileMissing(path.to_owned()),
        _ => ModelRefused::Unreadable { path: path.to_owned(), reason: e },
    };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > limit {
        return Err(ModelRefused::TooLarge { path: path.to_owned(), bytes, limit });
    }
    let mut content = Vec::with_capacity(bytes as usize);
    // The file may grow between the two calls; the limit holds all the same.
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content)).map_err(failed)?;
    Ok(content)
}

/// Measures speed over windows of a few seconds.
#[derive(Debug, Default)]
struct Meter {
    window: Option<Instant>,
    frames: usize,
    busy: Duration,
    last: (f32, f32),
}

impl Meter {
    const WINDOW: Duration = Duration::from_secs(5);

    fn add(&mut self, frames: usize, took: Duration) {
        let window = *self.window.get_or_insert_with(Instant::now);
        self.frames += frames;
        self.busy += took;
        if window.elapsed() >= Self::WINDOW {
            self.last = self.current(window);
            *self = Self { last: self.last, ..Self::default() };
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
