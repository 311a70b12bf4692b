//! Classifiers: what kind of thing a box holds.

use std::{fmt, path::Path};

use protocol::{BoundingBox, ClassTable, InferenceHealth, ModelRef};

use crate::{
    CropSpec, DetectorOptions, Frame, InferenceError, Manifest, ModelRefused, Runtime,
    crops::Crops,
    execution::Execution,
    golden,
    heads::activate,
    manifest::{Activation, HeadSpec},
    package::Package,
};

/// A loaded and proven classifier of crops.
pub struct Classifier {
    crops: Crops,
    classes: ClassTable,
    thresholds: Vec<f32>,
    activation: Activation,
}

impl Classifier {
    /// Loads the model package in the folder `dir` and proves it on its golden picture.
    ///
    /// # Errors
    /// With the first reason not to trust it.
    pub fn load(runtime: &Runtime, dir: &Path, options: &DetectorOptions) -> Result<Self, ModelRefused> {
        Self::from_package(runtime, Package::read(dir)?, &options.execution())
    }

    pub(crate) fn from_package(
        runtime: &Runtime,
        package: Package,
        execution: &Execution,
    ) -> Result<Self, ModelRefused> {
        let Package { manifest, path, model, picture } = package;
        let HeadSpec::Classifier { activation, .. } = manifest.head else {
            return Err(ModelRefused::WrongKind { head: manifest.head.name(), wanted: "a classifier" });
        };
        let (classes, thresholds) = (manifest.class_table(), manifest.classes.iter().map(|c| c.threshold).collect());
        let crops = Crops::load(runtime, manifest, (path, &model), execution)?;
        let mut classifier = Self { crops, classes, thresholds, activation };
        classifier.prove(&picture)?;
        Ok(classifier)
    }

    /// The classes, in the order of the scores.
    pub fn classes(&self) -> &ClassTable {
        &self.classes
    }

    /// Name and version of the model.
    pub fn model(&self) -> ModelRef {
        self.manifest().model.clone()
    }

    /// The manifest it was loaded by.
    pub fn manifest(&self) -> &Manifest {
        &self.crops.manifest
    }

    /// Per class, the score from which on it counts unless a task says otherwise.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// Which boxes it is meant for.
    pub fn crop(&self) -> &CropSpec {
        self.crops.spec()
    }

    /// How it runs; the speed is in crops.
    pub fn health(&self) -> InferenceHealth {
        self.crops.health()
    }

    /// Judges the parts of `frame` in `boxes`, and writes the score of every class, 0–1, into the slot of `out` at
    /// the box's place; `out` gets as many slots as there are boxes. The slot of a box that shows less than a pixel
    /// of the picture stays empty. Boxes are widened by the package's own margin.
    ///
    /// # Errors
    /// When the frame is not what it says, or the network fails or gives what is not a number.
    pub fn classify(
        &mut self,
        frame: &Frame<'_>,
        boxes: &[BoundingBox],
        out: &mut Vec<Vec<f32>>,
    ) -> Result<(), InferenceError> {
        let activation = self.activation;
        self.crops.run(frame, boxes, out, |scores| finish(activation, scores))
    }

    pub(crate) fn run_network(&mut self) -> Result<(), InferenceError> {
        self.crops.run_network()
    }

    fn prove(&mut self, picture: &image::RgbImage) -> Result<(), ModelRefused> {
        let parts: Vec<_> = self.manifest().golden.boxes.iter().map(|golden| golden.bbox).collect();
        let activation = self.activation;
        let found = self.crops.prove(picture, &parts, |scores| finish(activation, scores))?;
        golden::check_scores(self.manifest(), &found)
    }
}

fn finish(activation: Activation, scores: &mut [f32]) -> Result<(), InferenceError> {
    activate(activation, scores);
    if scores.iter().any(|score| !score.is_finite()) {
        return Err(InferenceError::NotANumber);
    }
    for score in scores {
        *score = score.clamp(0.0, 1.0);
    }
    Ok(())
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classifier").field("model", &self.manifest().model).finish_non_exhaustive()
    }
}
