//! Finds and loads model packages.

use std::path::{Path, PathBuf};

use inference::{Detector, DetectorOptions, Runtime};

use crate::pipeline::models::{MAX_MODELS, Models};

const MANIFEST: &str = "manifest.toml";

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
    let packages = packages(dir)?;
    let runtime = Runtime::load(library)?;
    let mut models = Models::default();
    for package in packages {
        match Detector::load(&runtime, &package, &DetectorOptions { threads }) {
            Ok(detector) => models.detectors.push(Box::new(detector)),
            Err(e) => models.refused.push(format!("{}: {e}", package.display())),
        }
    }
    Ok(models)
}

/// The model packages in a folder, or the folder itself if it is one.
///
/// # Errors
/// When there is none.
pub fn packages(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if dir.join(MANIFEST).is_file() {
        return Ok(vec![dir.to_owned()]);
    }
    let unreadable = |reason| LoadError::Folder { path: dir.to_owned(), reason };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join(MANIFEST).is_file() {
            found.push(path);
        }
    }
    found.sort();
    found.truncate(MAX_MODELS);
    if found.is_empty() { Err(LoadError::Empty(dir.to_owned())) } else { Ok(found) }
}
