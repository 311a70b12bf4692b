//! Finds and loads model packages.

use std::path::{Path, PathBuf};

use inference::{DetectorOptions, Loaded, Runtime, models};

use crate::pipeline::models::Models;

/// Why there are no models.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// ONNX Runtime.
    #[error(transparent)]
    Runtime(#[from] inference::InferenceError),
    /// The folder.
    #[error("the folder of models {path} cannot be read: {reason}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// No package in it.
    #[error("{path} holds no model package: a folder with a manifest.toml, or a folder of such folders", path = .0.display())]
    Empty(PathBuf),
}

/// Loads the package in `dir`, or every package in the folders of `dir`, in the order of their names. A package that
/// is refused is named in [`Models::refused`] and does not prevent the others.
///
/// # Errors
/// When ONNX Runtime cannot be used, or there is no package at all.
pub fn load_models(library: &Path, dir: &Path, threads: usize) -> Result<Models, LoadError> {
    packages(dir)?;
    let runtime = Runtime::load(library)?;
    let (loaded, refused) = models::load_all(&runtime, dir, &DetectorOptions { threads });
    let mut models = Models::default();
    for model in loaded {
        match model {
            Loaded::Detector(detector) => models.detectors.push(Box::new(detector)),
            Loaded::Classifier(classifier) => models.classifiers.push(Box::new(classifier)),
            Loaded::Embedder(embedder) if models.embedder.is_none() => models.embedder = Some(Box::new(embedder)),
            Loaded::Embedder(second) => {
                let name = second.model().name;
                models.refused.push(format!("{name}: one embedder is enough, and another one is loaded"));
            }
        }
    }
    models.refused.extend(refused.into_iter().map(|(path, reason)| format!("{}: {reason}", path.display())));
    Ok(models)
}

/// The model packages in a folder, or the folder itself if it is one.
///
/// # Errors
/// When there is none.
pub fn packages(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let found = models::packages(dir).map_err(|reason| LoadError::Folder { path: dir.to_owned(), reason })?;
    if found.is_empty() { Err(LoadError::Empty(dir.to_owned())) } else { Ok(found) }
}
