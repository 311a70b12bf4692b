//! The H.265 sequence parameter set, as far as a container needs it (ITU-T H.265 section 7.3.2.2, 7.3.3).

use crate::bits::{Bits, BitsError};

/// What an SPS says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    pub(crate) profile_space: u8,
    pub(crate) high_tier: bool,
    pub(crate) profile: u8,
    pub(crate) compatibility: u32,
    pub(crate) constraints: [u8; 6],
    pub(crate) level: u8,
    pub(crate) sub_layers: u8,
    pub(crate) temporal_nesting: bool,
    pub(crate) chroma_format: u8,
    pub(crate) depth_luma: u8,
    pub(crate) depth_chroma: u8,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Sps {
    /// Reads a NAL unit of type 33, header included.
    pub(crate) fn parse(nal: &[u8]) -> Result<Self, BitsError> {
        let mut bits = Bits::new(nal, 2);
        bits.u(4)?; // sps_video_parameter_set_id
        let more_layers = bits.u(3)?;
        let temporal_nesting = bits.bit()?;
        let profile_space = bits.u(2)? as u8;
        let high_tier = bits.bit()?;
        let profile = bits.u(5)? as u8;
        let compatibility = bits.u(32)?;
        let mut constraints = [0; 6];
        for byte in &mut constraints {
            *byte = bits.u(8)? as u8;
        }
        let level = bits.u(8)? as u8;
        let mut present = Vec::new();
        for _ in 0..more_layers {
            present.push((bits.bit()?, bits.bit()?));
        }
        if more_layers > 0 {
            bits.skip(2 * (8 - more_layers as usize))?;
        }
        for (profile, level) in present {
            bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
        }
        bits.ue()?; // sps_seq_parameter_set_id
        let chroma_format = bits.ue()?;
        let separate_planes = chroma_format == 3 && bits.bit()?;
        let (width, height) = (bits.ue()?, bits.ue()?);
        let crop = if bits.bit()? { [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?] } else { [0; 4] };
        let (depth_luma, depth_chroma) = (8 + bits.ue()?, 8 + bits.ue()?);

        let (unit_x, unit_y) = match chroma_format {
            1 if !separate_planes => (2, 2),
            2 if !separate_planes => (2, 1),
            _ => (1, 1),
        };
        let [left, right, top, bottom] = crop.map(u64::from);
        let cropped = |size: u32, cut: u64| u32::try_from(u64::from(size).saturating_sub(cut)).unwrap_or(0);
        Ok(Self {
            profile_space,
            high_tier,
            profile,
            compatibility,
            constraints,
            level,
            sub_layers: more_layers as u8 + 1,
            temporal_nesting,
            chroma_format: chroma_format as u8,
            depth_luma: depth_luma as u8,
            depth_chroma: depth_chroma as u8,
            width: cropped(width, (left + right) * unit_x),
            height: cropped(height, (top + bottom) * unit_y),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// 1920×1080 Main, level 4.0, as x265 writes it; the height is cropped from 1088.
    pub(crate) const MAIN_1080P: &[u8] = &[
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x78,
        0xa0, 0x03, 0xc0, 0x80, 0x10, 0xe5, 0x96, 0x66, 0x69, 0x24, 0xca, 0xe0, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x01, 0xe0, 0x80,
    ];

    #[test]
    fn reads_size_and_profile() {
        let sps = Sps::parse(MAIN_1080P).unwrap();
        assert_eq!((sps.profile, sps.level, sps.high_tier), (1, 120, false));
        assert_eq!((sps.width, sps.height), (1920, 1080));
        assert_eq!((sps.chroma_format, sps.depth_luma, sps.depth_chroma), (1, 8, 8));
        assert_eq!(sps.constraints, [0x90, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_cut_is_an_error_or_a_value() {
        for end in 0..MAIN_1080P.len() {
            let _ = Sps::parse(&MAIN_1080P[..end]);
        }
        assert!(Sps::parse(&MAIN_1080P[..12]).is_err());
    }
}
