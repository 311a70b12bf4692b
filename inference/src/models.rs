//! A folder of model packages: each is loaded by itself, and a bad one never keeps the others out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use protocol::ModelRef;

use crate::{
    Classifier, Detector, DetectorOptions, Embedder, Manifest, ModelRefused, Runtime,
    manifest::{self, HeadSpec},
    package::Package,
};

/// The most packages that are looked at in a folder.
const MAX_PACKAGES: usize = 64;

/// A loaded package of whatever kind.
#[derive(Debug)]
pub enum Loaded {
    /// Gives boxes.
    Detector(Detector),
    /// Judges boxes of a detector.
    Classifier(Classifier),
    /// Gives vectors of boxes of a detector.
    Embedder(Embedder),
}

impl Loaded {
    /// Loads the package in the folder `dir` as what its manifest says it is.
    ///
    /// # Errors
    /// With the first reason not to trust it.
    pub fn load(runtime: &Runtime, dir: &Path, options: &DetectorOptions) -> Result<Self, ModelRefused> {
        let (package, execution) = (Package::read(dir)?, options.execution());
        match package.manifest.head {
            HeadSpec::Classifier { .. } => Classifier::from_package(runtime, package, &execution).map(Self::Classifier),
            HeadSpec::Embedding { .. } => Embedder::from_package(runtime, package, &execution).map(Self::Embedder),
            _ => Detector::from_package(runtime, package, &execution).map(Self::Detector),
        }
    }

    /// The manifest it was loaded by.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Self::Detector(model) => model.manifest(),
            Self::Classifier(model) => model.manifest(),
            Self::Embedder(model) => model.manifest(),
        }
    }

    /// Name and version of the model.
    pub fn model(&self) -> ModelRef {
        self.manifest().model.clone()
    }
}

/// Folders of packages in `dir`, in the order of their names: `dir` itself when it is a package, or else each of its
/// sub-folders with a manifest.
///
/// # Errors
/// When `dir` cannot be read.
pub fn packages(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_package = |dir: &Path| dir.join(manifest::FILE_NAME).is_file();
    if is_package(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if is_package(&path) {
            found.insert(path);
        }
    }
    Ok(found.into_iter().collect())
}

/// Loads every package in the folder `dir`, or the one that `dir` is; gives what can be used, and what is refused
/// and why. Two packages of one name are one too many: the first, by folder name, is taken.
pub fn load_all(
    runtime: &Runtime,
    dir: &Path,
    options: &DetectorOptions,
) -> (Vec<Loaded>, Vec<(PathBuf, ModelRefused)>) {
    let (mut loaded, mut refused) = (Vec::<Loaded>::new(), Vec::new());
    let found = match packages(dir) {
        Ok(found) => found,
        Err(reason) => {
            refused.push((dir.to_owned(), ModelRefused::Unreadable { path: dir.to_owned(), reason }));
            return (loaded, refused);
        }
    };
    if found.is_empty() {
        refused.push((dir.to_owned(), ModelRefused::NoPackage(dir.to_owned())));
    }
    for (at, path) in found.into_iter().enumerate() {
        if at >= MAX_PACKAGES {
            refused.push((path, ModelRefused::TooManyPackages(MAX_PACKAGES)));
            continue;
        }
        match Loaded::load(runtime, &path, options) {
            Ok(model) if loaded.iter().any(|other| other.model().name == model.model().name) => {
                refused.push((path, ModelRefused::SameName(model.model().name)));
            }
            Ok(model) => loaded.push(model),
            Err(reason) => refused.push((path, reason)),
        }
    }
    (loaded, refused)
}
