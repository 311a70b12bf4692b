//! Sees: from a camera's frame to boxes with classes and scores.
//!
//! A model is a folder with an ONNX file, a manifest and a golden picture. Loading takes nothing on trust: hash,
//! shapes, classes and what the golden picture shows are checked before the first real frame, and each way to fail
//! has its own [`ModelRefused`]. [`Detector::detect`] then runs
//! `frames → letterboxed tensor → network → head → non-maximum suppression → boxes` for a batch, without
//! allocating per frame. A [`Classifier`] and an [`Embedder`] look at the boxes again: `crops → tensor → network →`
//! scores or vectors. [`models::load_all`] loads a folder of packages. This is the only crate that knows ONNX
//! Runtime.

mod align;
pub mod choice;
mod classifier;
mod colour;
mod crops;
pub mod detector;
mod embedder;
pub mod error;
pub mod execution;
pub mod frame;
mod golden;
mod heads;
pub mod jpeg;
pub mod manifest;
mod meter;
pub mod models;
mod network;
mod nms;
mod outputs;
mod package;
pub mod picture;
pub mod pool;
pub mod preprocess;
pub mod reference;
pub mod runtime;

pub use classifier::Classifier;
pub use detector::{Detector, DetectorOptions, Limits};
pub use embedder::Embedder;
pub use error::{InferenceError, ModelRefused};
pub use execution::Execution;
pub use frame::Frame;
pub use manifest::{CropSpec, Manifest};
pub use models::Loaded;
pub use picture::PictureMeasures;
pub use pool::DetectorPool;
pub use reference::{Reference, ReferenceLook};
pub use runtime::Runtime;
