//! Detectors and the second stages that judge their boxes, as one.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, Result, ensure};
use inference::{Classifier, CropSpec, Detector, Execution, Frame, Limits, Loaded, Runtime, models};
use protocol::{BoundingBox, Detection, InferenceHealth};

/// All models that look.
pub(crate) struct Eyes {
    detectors: Vec<Detector>,
    classifiers: Vec<Classifier>,
    /// Names of all classes, each once, and the lowest threshold of each.
    classes: Vec<String>,
    thresholds: Vec<f32>,
}

/// Something seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Index in [`Eyes::classes`].
    pub(crate) class: usize,
    pub(crate) score: f32,
    pub(crate) bbox: BoundingBox,
}

impl Eyes {
    /// Loads the one package `dir`, or with `folder` every package in it; refused ones are said in `refused`.
    pub(crate) fn load(
        runtime: &Runtime,
        dir: &Path,
        folder: bool,
        threads: usize,
        fastest: bool,
        mut refused: impl FnMut(String) -> Result<()>,
    ) -> Result<Self> {
        let loaded = if fastest {
            let (loaded, failed, measured) = models::load_fastest(runtime, dir, threads);
            for measured in measured {
                let outcome = measured.outcome.map_or_else(|e| e, |time| format!("{:.1} ms", time.as_secs_f64() * 1e3));
                refused(format!("measured {}: {outcome}", measured.execution))?;
            }
            failed.into_iter().try_for_each(|(path, e)| refused(format!("left out {}: {e}", path.display())))?;
            loaded
        } else if folder {
            let (loaded, failed) = models::load_all_on(runtime, dir, &Execution::cpu(threads));
            failed.into_iter().try_for_each(|(path, e)| refused(format!("left out {}: {e}", path.display())))?;
            loaded
        } else {
            let options = inference::DetectorOptions { threads };
            vec![Loaded::load(runtime, dir, &options).with_context(|| dir.display().to_string())?]
        };
        let mut eyes = Self { detectors: vec![], classifiers: vec![], classes: vec![], thresholds: vec![] };
        for model in loaded {
            for class in &model.manifest().classes {
                eyes.name(&class.name, class.threshold);
            }
            match model {
                Loaded::Detector(model) => eyes.detectors.push(model),
                Loaded::Classifier(model) => eyes.classifiers.push(model),
                Loaded::Embedder(model) => refused(format!("not needed here: {}", model.model().name))?,
            }
        }
        ensure!(!eyes.detectors.is_empty(), "{} has no detector that can be used", dir.display());
        Ok(eyes)
    }

    fn name(&mut self, name: &str, threshold: f32) {
        if let Some(at) = self.classes.iter().position(|known| known == name) {
            self.thresholds[at] = self.thresholds[at].min(threshold);
        } else {
            self.classes.push(name.to_owned());
            self.thresholds.push(threshold);
        }
    }

    pub(crate) fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether it counts, unless a task says otherwise.
    pub(crate) fn counts(&self, seen: &Seen) -> bool {
        seen.score >= self.thresholds[seen.class]
    }

    /// Everything on a frame. The winning class of a second stage is one more thing in the same place; its score is
    /// the product of both.
    pub(crate) fn look(&mut self, frame: &Frame<'_>, limits: &Limits) -> Result<Vec<Seen>> {
        let mut seen = Vec::new();
        let mut found = [Vec::new()];
        let mut scores = Vec::new();
        for detector in &mut self.detectors {
            detector.detect_with(&[*frame], limits, &mut found)?;
            let index = |name: &str| self.classes.iter().position(|known| known == name).unwrap_or_default();
            let classes = detector.classes();
            seen.extend(found[0].iter().map(|&Detection { class, score, bbox }| Seen {
                class: index(classes.name(class)),
                score,
                bbox,
            }));
            for classifier in &mut self.classifiers {
                let spec = CropSpec { max_per_frame: limits.max_per_frame, ..classifier.crop().clone() };
                let picked = spec.pick(classes, frame.size(), &found[0]);
                let boxes: Vec<_> = picked.iter().map(|at| found[0][*at].bbox).collect();
                classifier.classify(frame, &boxes, &mut scores)?;
                for (at, scores) in picked.into_iter().zip(&scores) {
                    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                    let Some((class, probability)) = best else { continue };
                    let Detection { score, bbox, .. } = found[0][at];
                    let score = score * probability;
                    if score >= limits.min_score {
                        seen.push(Seen { class: index(&classifier.classes().names()[class]), score, bbox });
                    }
                }
            }
        }
        seen.sort_by(|a, b| b.score.total_cmp(&a.score));
        seen.truncate(limits.max_per_frame);
        Ok(seen)
    }

    /// A line per model: name, head, input, how it ran and how long a picture or a crop took.
    pub(crate) fn card(&self) -> Result<String> {
        let detectors = self.detectors.iter().map(|model| (model.manifest(), model.health(), "picture"));
        let classifiers = self.classifiers.iter().map(|model| (model.manifest(), model.health(), "crop"));
        let mut card = String::new();
        for (manifest, health, unit) in detectors.chain(classifiers) {
            let InferenceHealth { model, provider, precision, latency_ms, .. } = health;
            let (head, input) = (manifest.head.name(), &manifest.input);
            writeln!(
                card,
                "{model} | {head} {}×{} | {provider} {precision} | {latency_ms:.1} ms/{unit}",
                input.width, input.height
            )?;
        }
        Ok(card)
    }
}
