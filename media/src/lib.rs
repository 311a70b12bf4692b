//! Sans-IO video formats: bytes in, bytes or values out; no IO, no clock, no async.
//!
//! Inside Gongshao H.264 and H.265 travel as Annex B access units with parameter sets before each key
//! frame ([`nal`]). [`ParameterSets`] watches them go by and derives what a player must know up front
//! ([`VideoParams`]). [`fmp4`] writes what a browser plays live, [`mp4`] what a person keeps as a file.

mod bits;
pub mod fmp4;
mod h264;
mod h265;
pub mod mp4;
pub mod nal;
mod params;
mod track;

pub use nal::Codec;
pub use params::{InvalidParameterSet, ParameterSets, VideoParams};
pub use track::{Mp4Error, TIMESCALE};
