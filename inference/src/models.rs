//! A folder of model packages: each is loaded by itself, and a bad one never keeps the others out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use protocol::ModelRef;

use crate::{
    Classifier, Detector, DetectorOptions, Embedder, Execution, InferenceError, Manifest, ModelRefused, Runtime,
    choice::{self, Measured},
    manifest::{self, HeadSpec},
    package::Package,
};

/// The most packages that are looked at in a folder.
const MAX_PACKAGES: usize = 64;
/// The most sessions of one detector.
pub(crate) const MAX_SESSIONS: usize = 16;

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
        Self::from_package(runtime, Package::read(dir)?, &options.execution())
    }

    pub(crate) fn from_package(
        runtime: &Runtime,
        package: Package,
        execution: &Execution,
    ) -> Result<Self, ModelRefused> {
        match package.manifest.head {
            HeadSpec::Classifier { .. } => Classifier::from_package(runtime, package, execution).map(Self::Classifier),
            HeadSpec::Embedding { .. } => Embedder::from_package(runtime, package, execution).map(Self::Embedder),
            _ => Detector::from_package(runtime, package, execution).map(Self::Detector),
        }
    }

    /// Runs the network alone, one frame of whatever its input holds: what is measured to choose how to run it.
    ///
    /// # Errors
    /// When the network fails.
    pub fn run_network(&mut self) -> Result<(), InferenceError> {
        match self {
            Self::Detector(model) => model.run_network(1),
            Self::Classifier(model) => model.run_network(),
            Self::Embedder(model) => model.run_network(),
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
    load_all_on(runtime, dir, &options.execution())
}

/// [`load_all`], run in another way. A package that cannot be run so is run by ONNX Runtime on the processor.
pub fn load_all_on(
    runtime: &Runtime,
    dir: &Path,
    execution: &Execution,
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
        match load_on(runtime, &path, execution) {
            Ok(model) if loaded.iter().any(|other| other.model().name == model.model().name) => {
                refused.push((path, ModelRefused::SameName(model.model().name)));
            }
            Ok(model) => loaded.push(model),
            Err(reason) => refused.push((path, reason)),
        }
    }
    (loaded, refused)
}

/// [`load_all_on`] in the way that is the fastest on this machine, which is measured with the first package that can
/// be used; also says what was measured. Takes some seconds.
pub fn load_fastest(
    runtime: &Runtime,
    dir: &Path,
    threads: usize,
) -> (Vec<Loaded>, Vec<(PathBuf, ModelRefused)>, Vec<Measured>) {
    let candidates = Execution::candidates(runtime, threads);
    let found = packages(dir).unwrap_or_default();
    let measured = found.iter().find_map(|path| choice::measure(runtime, path, &candidates).ok()).unwrap_or_default();
    let execution = choice::best(&measured).cloned().unwrap_or_else(|| Execution::cpu(threads));
    for Measured { execution, outcome } in &measured {
        match outcome {
            Ok(time) => {
                let latency_ms = time.as_secs_f32() * 1e3;
                tracing::info!(inference.execution = %execution, latency_ms, "measured");
            }
            Err(reason) => tracing::info!(inference.execution = %execution, reason, "out of the question"),
        }
    }
    let (loaded, refused) = load_all_on(runtime, dir, &execution);
    (loaded, refused, measured)
}

fn load_on(runtime: &Runtime, dir: &Path, execution: &Execution) -> Result<Loaded, ModelRefused> {
    let package = Package::read(dir)?;
    let plain = Execution::cpu(execution.threads);
    if *execution == plain {
        return Loaded::from_package(runtime, package, &plain);
    }
    Loaded::from_package(runtime, package.clone(), execution).or_else(|reason| {
        tracing::warn!(package = %dir.display(), inference.execution = %execution, %reason, "runs on the processor instead");
        Loaded::from_package(runtime, package, &plain)
    })
}
