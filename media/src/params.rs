//! What a player must know before the first frame, derived from the parameter sets in the stream.

use std::fmt::Write as _;

use bytes::Bytes;
use mp4_atom::{Atom as _, Avcc, AvccExt, HvcCArray, Hvcc};

use crate::{
    bits::BitsError,
    h264, h265,
    nal::{self, Codec, NalKind},
};

/// Describes a video stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParams {
    /// The codec.
    pub codec: Codec,
    /// Picture width in pixels, after cropping.
    pub width: u32,
    /// Picture height in pixels, after cropping.
    pub height: u32,
    /// RFC 6381 name, e.g. `avc1.640028`.
    pub codec_string: String,
    /// Body of the `avcC` or `hvcC` box.
    pub config: Bytes,
    /// The parameter sets in Annex B.
    pub parameter_sets: Bytes,
}

/// Why a parameter set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParameterSet {
    /// It ends too early, or a number in it is out of range.
    #[error("the {codec} sequence parameter set is damaged: {reason}", codec = .codec.as_str())]
    Damaged {
        /// Of which codec.
        codec: Codec,
        /// Where.
        reason: BitsError,
    },
    /// It describes an impossible picture.
    #[error("the {codec} sequence parameter set describes a picture of {width}x{height}", codec = .codec.as_str())]
    Size {
        /// Of which codec.
        codec: Codec,
        /// Width.
        width: u32,
        /// Height.
        height: u32,
    },
    /// It does not fit into an MP4 file.
    #[error("the parameter sets do not fit into an MP4 file")]
    TooLarge,
}

/// Collects the parameter sets that go by in a stream.
#[derive(Clone, Debug)]
pub struct ParameterSets {
    codec: Codec,
    vps: Vec<Vec<u8>>,
    sps: Vec<Vec<u8>>,
    pps: Vec<Vec<u8>>,
}

impl ParameterSets {
    /// Starts with none.
    pub const fn new(codec: Codec) -> Self {
        Self { codec, vps: Vec::new(), sps: Vec::new(), pps: Vec::new() }
    }

    /// Looks at one access unit. Gives the description when it is complete and this access unit changed it.
    ///
    /// # Errors
    /// When a parameter set is damaged; the earlier ones stay in force.
    pub fn update(&mut self, annex_b: &[u8]) -> Result<Option<VideoParams>, InvalidParameterSet> {
        let [mut vps, mut sps, mut pps] = [Vec::new(), Vec::new(), Vec::new()];
        for nal in nal::units(annex_b) {
            let kind = match self.codec.kind(nal) {
                NalKind::Vps => &mut vps,
                NalKind::Sps => &mut sps,
                NalKind::Pps => &mut pps,
                NalKind::Slice { .. } => break,
                NalKind::Delimiter | NalKind::Other => continue,
            };
            if !kind.iter().any(|known: &Vec<u8>| known == nal) {
                kind.push(nal.to_vec());
            }
        }
        let mut next = self.clone();
        let mut changed = false;
        for (known, seen) in [(&mut next.vps, vps), (&mut next.sps, sps), (&mut next.pps, pps)] {
            if !seen.is_empty() && *known != seen {
                *known = seen;
                changed = true;
            }
        }
        let complete =
            !next.sps.is_empty() && !next.pps.is_empty() && (self.codec == Codec::H264 || !next.vps.is_empty());
        if !changed {
            return Ok(None);
        }
        let described = if complete { Some(next.describe()?) } else { None };
        *self = next;
        Ok(described)
    }

    fn describe(&self) -> Result<VideoParams, InvalidParameterSet> {
        let mut parameter_sets = Vec::new();
        for nal in self.vps.iter().chain(&self.sps).chain(&self.pps) {
            nal::push_annex_b(&mut parameter_sets, nal);
        }
        let damaged = |reason| InvalidParameterSet::Damaged { codec: self.codec, reason };
        let mut config = Vec::new();
        let (width, height, codec_string) = match self.codec {
            Codec::H264 => {
                let sps = h264::Sps::parse(&self.sps[0]).map_err(damaged)?;
                self.avcc(&sps).encode_body(&mut config).map_err(|_| InvalidParameterSet::TooLarge)?;
                let name = format!("avc1.{:02x}{:02x}{:02x}", sps.profile, sps.constraints, sps.level);
                (sps.width, sps.height, name)
            }
            Codec::H265 => {
                let sps = h265::Sps::parse(&self.sps[0]).map_err(damaged)?;
                self.hvcc(&sps).encode_body(&mut config).map_err(|_| InvalidParameterSet::TooLarge)?;
                (sps.width, sps.height, hevc_name(&sps))
            }
        };
        if !(16..=16_384).contains(&width) || !(16..=16_384).contains(&height) {
            return Err(InvalidParameterSet::Size { codec: self.codec, width, height });
        }
        let (config, parameter_sets) = (config.into(), parameter_sets.into());
        Ok(VideoParams { codec: self.codec, width, height, codec_string, config, parameter_sets })
    }

    fn avcc(&self, sps: &h264::Sps) -> Avcc {
        // ISO/IEC 14496-15 section 5.3.3.1.2: these four profiles carry the extension
        let ext = [100, 110, 122, 144].contains(&sps.profile).then(|| AvccExt {
            chroma_format: sps.chroma_format,
            bit_depth_luma: sps.depth_luma,
            bit_depth_chroma: sps.depth_chroma,
            sequence_parameter_sets_ext: Vec::new(),
        });
        Avcc {
            configuration_version: 1,
            avc_profile_indication: sps.profile,
            profile_compatibility: sps.constraints,
            avc_level_indication: sps.level,
            length_size: 4,
            sequence_parameter_sets: self.sps.clone(),
            picture_parameter_sets: self.pps.clone(),
            ext,
        }
    }

    fn hvcc(&self, sps: &h265::Sps) -> Hvcc {
        let array =
            |nal_unit_type, nalus: &Vec<Vec<u8>>| HvcCArray { completeness: true, nal_unit_type, nalus: nalus.clone() };
        Hvcc {
            configuration_version: 1,
            general_profile_space: sps.profile_space,
            general_tier_flag: sps.high_tier,
            general_profile_idc: sps.profile,
            general_profile_compatibility_flags: sps.compatibility.to_be_bytes(),
            general_constraint_indicator_flags: sps.constraints,
            general_level_idc: sps.level,
            chroma_format_idc: sps.chroma_format,
            bit_depth_luma_minus8: sps.depth_luma.saturating_sub(8),
            bit_depth_chroma_minus8: sps.depth_chroma.saturating_sub(8),
            num_temporal_layers: sps.sub_layers,
            temporal_id_nested: sps.temporal_nesting,
            length_size_minus_one: 3,
            arrays: vec![array(32, &self.vps), array(33, &self.sps), array(34, &self.pps)],
            ..Hvcc::new()
        }
    }
}

/// ISO/IEC 14496-15 annex E.3.
fn hevc_name(sps: &h265::Sps) -> String {
    let space = ["", "A", "B", "C"][usize::from(sps.profile_space & 3)];
    let tier = if sps.high_tier { 'H' } else { 'L' };
    let mut name = format!("hvc1.{space}{}.{:x}.{tier}{}", sps.profile, sps.compatibility.reverse_bits(), sps.level);
    let used = sps.constraints.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    for byte in &sps.constraints[..used] {
        let _ = write!(name, ".{byte:x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annex_b(nals: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for nal in nals {
            nal::push_annex_b(&mut out, nal);
        }
        out
    }

    #[test]
    fn describes_h264_once() {
        let (sps, pps): (_, &[u8]) = (h264::tests::HIGH_1080P, &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0]);
        let mut sets = ParameterSets::new(Codec::H264);
        assert_eq!(sets.update(&annex_b(&[sps])), Ok(None), "not complete without a PPS");
        let unit = annex_b(&[sps, pps, &[0x65, 0x88]]);
        let params = sets.update(&unit).unwrap().unwrap();
        assert_eq!((params.width, params.height, params.codec_string.as_str()), (1920, 1080, "avc1.640028"));
        assert_eq!(params.config[..5], [1, 0x64, 0, 0x28, 0xff]);
        assert_eq!(params.parameter_sets, annex_b(&[sps, pps]));
        assert_eq!(sets.update(&unit), Ok(None), "nothing changed");
        let other = sets.update(&annex_b(&[h264::tests::BASELINE_VGA, pps])).unwrap().unwrap();
        assert_eq!((other.width, other.codec_string.as_str()), (640, "avc1.42c01e"));
    }

    #[test]
    fn describes_h265() {
        let mut sets = ParameterSets::new(Codec::H265);
        let unit = annex_b(&[&[0x40, 0x01, 0x0c], h265::tests::MAIN_1080P, &[0x44, 0x01, 0xc1]]);
        let params = sets.update(&unit).unwrap().unwrap();
        assert_eq!((params.width, params.height, params.codec_string.as_str()), (1920, 1080, "hvc1.1.6.L120.90"));
        assert_eq!(params.config[0], 1);
    }

    #[test]
    fn a_damaged_set_leaves_the_good_one() {
        let (sps, pps): (_, &[u8]) = (h264::tests::HIGH_1080P, &[0x68, 0xeb]);
        let mut sets = ParameterSets::new(Codec::H264);
        sets.update(&annex_b(&[sps, pps])).unwrap().unwrap();
        let error = sets.update(&annex_b(&[&sps[..5], pps])).unwrap_err();
        assert_eq!(error.to_string(), "the h264 sequence parameter set is damaged: the payload ends at bit 32");
        assert_eq!(sets.update(&annex_b(&[sps, pps])), Ok(None));
    }
}
