//! Sans-IO media protocols: bytes in, bytes or values out; no IO, no clock, no async.
//!
//! Inside Gongshao H.264 and H.265 travel as Annex B access units with parameter sets before each key
//! frame ([`nal`]). [`ParameterSets`] watches them go by and derives what a player must know up front
//! ([`VideoParams`]). [`fmp4`] writes what a browser plays live, [`mp4`] what a person keeps as a file.
//!
//! GB/T 28181 is built from the bottom: [`charset`], [`gbid`] and [`gbtime`]; [`sip`], [`digest`] and [`sdp`];
//! [`manscdp`], [`mansrtsp`] and [`ptz`] for what is said, [`rtp`] and [`ps`] for what is shown; [`gb28181`] is the
//! platform itself.

mod bits;
pub mod charset;
pub mod digest;
pub mod fmp4;
pub mod gb28181;
pub mod gbid;
pub mod gbtime;
mod h264;
mod h265;
pub mod manscdp;
pub mod mansrtsp;
pub mod mp4;
pub mod nal;
mod params;
pub mod ps;
pub mod ptz;
pub mod rtp;
pub mod sdp;
pub mod sip;
mod track;

pub use gbid::GbId;
pub use nal::Codec;
pub use params::{InvalidParameterSet, ParameterSets, VideoParams};
pub use track::{Mp4Error, TIMESCALE};
