//! MPEG program streams (ISO/IEC 13818-1) as GB/T 28181 devices send them, which is rarely as the standard
//! says: no map or a lying one, lengths of zero, cut pack headers, garbage clocks, bare G.711 beside.
//!
//! [`Demuxer`] takes RTP payloads in order and gives pictures and sound. What a picture is, is decided by its
//! NAL units, never by a marker bit; what codec, by its parameter sets, never by the map alone.

mod demux;
mod pes;
mod pictures;
#[cfg(test)]
mod tests;

pub use demux::{Audio, AudioCodec, Counters, Demuxer, Picture, Sample};
