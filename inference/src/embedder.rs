//! Embedders: what a box looks like, as a vector that can be compared.

use std::{fmt, path::Path};

use protocol::{BoundingBox, InferenceHealth, ModelRef};

use crate::{
    CropSpec, DetectorOptions, Frame, InferenceError, Manifest, ModelRefused, Runtime, crops::Crops,
    execution::Execution, golden, manifest::HeadSpec, package::Package,
};

/// A loaded and proven maker of feature vectors.
pub struct Embedder {
    crops: Crops,
    dim: usize,
}

impl Embedder {
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
        let HeadSpec::Embedding { dim, .. } = manifest.head else {
            return Err(ModelRefused::WrongKind { head: manifest.head.name(), wanted: "an embedder" });
        };
        let crops = Crops::load(runtime, manifest, (path, &model), execution)?;
        let mut embedder = Self { crops, dim };
        embedder.prove(&picture)?;
        Ok(embedder)
    }

    /// Length of its vectors.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Name and version of the model; vectors of different models do not compare.
    pub fn model(&self) -> ModelRef {
        self.manifest().model.clone()
    }

    /// The manifest it was loaded by.
    pub fn manifest(&self) -> &Manifest {
        &self.crops.manifest
    }

    /// Which boxes it is meant for.
    pub fn crop(&self) -> &CropSpec {
        self.crops.spec()
    }

    /// How it runs; the speed is in crops.
    pub fn health(&self) -> InferenceHealth {
        self.crops.health()
    }

    /// Vectors of the parts of `frame` in `boxes`, each of Euclidean length 1, so that their inner product is the
    /// cosine. The vector of a box that shows less than a pixel of the picture is empty. Boxes are widened by the
    /// package's own margin.
    ///
    /// # Errors
    /// When the frame is not what it says, or the network fails or gives what has no direction.
    pub fn embed(&mut self, frame: &Frame<'_>, boxes: &[BoundingBox]) -> Result<Vec<Vec<f32>>, InferenceError> {
        let mut out = Vec::new();
        self.crops.run(frame, boxes, &mut out, |vector| normalise(vector))?;
        Ok(out)
    }

    pub(crate) fn run_network(&mut self) -> Result<(), InferenceError> {
        self.crops.run_network()
    }

    fn prove(&mut self, picture: &image::RgbImage) -> Result<(), ModelRefused> {
        let parts: Vec<_> = self.manifest().golden.vectors.iter().map(|golden| golden.bbox).collect();
        let found = self.crops.prove(picture, &parts, |vector| normalise(vector))?;
        golden::check_vectors(self.manifest(), &found)
    }
}

fn normalise(vector: &mut [f32]) -> Result<(), InferenceError> {
    let length = vector.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-12 {
        return Err(InferenceError::NotANumber);
    }
    for value in vector {
        *value = (f64::from(*value) / length) as f32;
    }
    Ok(())
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder").field("model", &self.manifest().model).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_get_length_one_or_are_refused() {
        let mut vector = [3.0, 4.0];
        normalise(&mut vector).unwrap();
        assert!((vector[0] - 0.6).abs() < 1e-6 && (vector[1] - 0.8).abs() < 1e-6);
        let mut large = [f32::MAX, f32::MAX];
        normalise(&mut large).unwrap();
        assert!((large[0] - 0.707).abs() < 1e-3);
        for mut nothing in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert!(matches!(normalise(&mut nothing), Err(InferenceError::NotANumber)));
        }
    }
}
