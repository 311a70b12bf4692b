//! Sees: from a camera's frame to boxes with classes and scores.
//!
//! A model is a folder with an ONNX file, a manifest and a golden picture. [`Detector::load`] takes nothing
//! on trust: hash, shapes, classes and the golden picture's boxes are checked before the first real frame,
//! and each way to fail has its own [`ModelRefused`]. [`Detector::detect`] then runs
//! `frames → letterboxed tensor → network → head → non-maximum suppression → boxes` for a batch, without
//! allocating per frame. This is the only crate that knows ONNX Runtime.

mod colour;
pub mod detector;
pub mod error;
pub mod frame;
mod golden;
mod heads;
pub mod jpeg;
pub mod manifest;
mod network;
mod nms;
pub mod picture;
pub mod preprocess;
pub mod runtime;

pub use detector::{Detector, DetectorOptions, Limits};
pub use error::{InferenceError, ModelRefused};
pub use frame::Frame;
pub use manifest::Manifest;
pub use picture::PictureMeasures;
pub use runtime::Runtime;
