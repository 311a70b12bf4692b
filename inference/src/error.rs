//! What can go wrong, in words that say what to do.

use std::{io, path::PathBuf};

/// Why inference is not possible, or one call of it failed.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// No file at the configured path.
    #[error("ONNX Runtime is not at {path}: run `make setup`, or set the path of libonnxruntime.so", path = .0.display())]
    LibraryMissing(PathBuf),
    /// There is a file, but it is not a usable ONNX Runtime.
    #[error("{path} cannot be used as ONNX Runtime: {reason}", path = path.display())]
    LibraryRefused {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// ONNX Runtime is global to the process and was loaded from another file before.
    #[error("ONNX Runtime was already loaded from {loaded}, it cannot be loaded again from {asked}", loaded = loaded.display(), asked = asked.display())]
    OtherLibrary {
        /// The one in use.
        loaded: PathBuf,
        /// The one asked for.
        asked: PathBuf,
    },
    /// The frame's description and its bytes do not fit each other.
    #[error("the frame cannot be used: {0}")]
    BadFrame(String),
    /// The caller's result slots do not match its frames.
    #[error("{frames} frames were given with {slots} result slots, they must be as many")]
    SlotsMismatch {
        /// Frames given.
        frames: usize,
        /// Slots given.
        slots: usize,
    },
    /// The network failed on a batch.
    #[error("the network failed: {0}")]
    Run(String),
    /// The network's output has another shape than the manifest promises.
    #[error("the network gave an output of shape {found}, the manifest promises {expected}")]
    OutputShape {
        /// From the manifest and the batch.
        expected: String,
        /// What came.
        found: String,
    },
    /// A second stage gave numbers that are none.
    #[error("the network gave a result that is not a number")]
    NotANumber,
    /// OpenCV refused a picture.
    #[error("measuring the picture failed: {0}")]
    Measure(String),
    /// The picture cannot be written as JPEG.
    #[error("the JPEG cannot be written: {0}")]
    Jpeg(String),
}

/// Why a model folder is not taken into use.
#[derive(Debug, thiserror::Error)]
pub enum ModelRefused {
    /// A folder that should hold packages holds none.
    #[error("{path} holds no model package: it needs folders with a manifest.toml", path = .0.display())]
    NoPackage(PathBuf),
    /// More packages than anybody needs.
    #[error("the folder holds more than {0} model packages, this one is left out: remove some")]
    TooManyPackages(usize),
    /// Another package has the same name.
    #[error("another package is called `{0}` too, this one is left out: remove one of them")]
    SameName(String),
    /// A file of the package is not there.
    #[error("the model package has no {path}: install the package again", path = .0.display())]
    FileMissing(PathBuf),
    /// A file of the package cannot be read.
    #[error("{path} cannot be read: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file of the package is larger than anything this product ships.
    #[error("{path} has {bytes} bytes, more than the {limit} that are allowed", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The manifest is not TOML, or has unknown, missing or mistyped keys.
    #[error("the model manifest is not valid: {0}")]
    ManifestSyntax(String),
    /// The manifest is of another version of the format.
    #[error("the model manifest has schema {0}, this program reads schema 1: update the program or the model")]
    Schema(u32),
    /// A value in the manifest makes no sense.
    #[error("the model manifest is not valid: `{key}` {reason}")]
    ManifestValue {
        /// Dotted key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The model has an output format this program cannot decode.
    #[error("the model has a `{0}` head, this program decodes: {heads}", heads = crate::manifest::HEADS)]
    UnsupportedHead(String),
    /// The package is fine, but not for what it was asked for.
    #[error("the model has a `{head}` head, {wanted} is needed here")]
    WrongKind {
        /// What it has.
        head: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The model file is not the one the manifest was written for.
    #[error("{path} is damaged or was replaced: its SHA-256 is {found}, the manifest says {expected}", path = path.display())]
    WrongHash {
        /// The file.
        path: PathBuf,
        /// From the manifest.
        expected: String,
        /// Of the file.
        found: String,
    },
    /// ONNX Runtime cannot make a network of the file.
    #[error("{path} is no usable ONNX model: {reason}", path = path.display())]
    NotLoadable {
        /// The file.
        path: PathBuf,
        /// What ONNX Runtime says.
        reason: String,
    },
    /// The network does not have exactly the inputs the manifest names.
    #[error("the network has the inputs [{found}], the manifest says [{expected}]")]
    InputName {
        /// From the manifest.
        expected: String,
        /// Of the network.
        found: String,
    },
    /// The input takes another shape.
    #[error("the network's input has shape {found}, the manifest says {expected}")]
    InputShape {
        /// From the manifest.
        expected: String,
        /// Of the network.
        found: String,
    },
    /// The input is not made of 32-bit floats.
    #[error("the network's input has type {0}, only float32 is supported")]
    InputType(String),
    /// The input for the picture's size is not made of two 64-bit integers a frame.
    #[error("the network's size input is {0}, only int64 N×2 is supported")]
    SizeInput(String),
    /// The network has no output of the name in the manifest.
    #[error("the network has the outputs [{found}], the manifest says `{expected}`")]
    OutputName {
        /// From the manifest.
        expected: String,
        /// Of the network.
        found: String,
    },
    /// The output has another shape.
    #[error("the network's output has shape {found}, the manifest says {expected}")]
    OutputShape {
        /// From the manifest.
        expected: String,
        /// Of the network.
        found: String,
    },
    /// The output is made of other numbers than its kind of output is.
    #[error("the network's output has type {found}, here only {wanted} is supported")]
    OutputType {
        /// What the head is decoded from.
        wanted: &'static str,
        /// Of the network.
        found: String,
    },
    /// The network knows another number of classes.
    #[error("the network has {network} classes, the manifest lists {manifest}")]
    ClassCount {
        /// In the manifest.
        manifest: usize,
        /// In the network.
        network: usize,
    },
    /// The golden picture cannot be decoded.
    #[error("the golden picture {path} cannot be decoded: {reason}", path = path.display())]
    GoldenPicture {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// The network ran, but does not see on the golden picture what it must see.
    #[error("the model fails its golden picture: expected {expected}, {found}")]
    GoldenMismatch {
        /// What the manifest promises.
        expected: String,
        /// The best that was seen.
        found: String,
    },
    /// The network cannot be run at all.
    #[error("the model cannot be run: {0}")]
    Run(#[from] InferenceError),
}
