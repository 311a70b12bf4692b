//! The H.264 sequence parameter set, as far as a container needs it (ITU-T H.264 section 7.3.2.1.1).

use crate::bits::{Bits, BitsError};

/// What an SPS says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    pub(crate) profile: u8,
    pub(crate) constraints: u8,
    pub(crate) level: u8,
    pub(crate) chroma_format: u8,
    pub(crate) depth_luma: u8,
    pub(crate) depth_chroma: u8,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Profiles whose SPS tells chroma format and bit depth.
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

impl Sps {
    /// Reads a NAL unit of type 7, header included.
    pub(crate) fn parse(nal: &[u8]) -> Result<Self, BitsError> {
        let mut bits = Bits::new(nal, 1);
        let [profile, constraints, level] = [bits.u(8)? as u8, bits.u(8)? as u8, bits.u(8)? as u8];
        bits.ue()?; // seq_parameter_set_id
        let (mut chroma_format, mut separate_planes, mut depth_luma, mut depth_chroma) = (1, false, 8, 8);
        if HIGH_PROFILES.contains(&profile) {
            chroma_format = bits.ue()?;
            separate_planes = chroma_format == 3 && bits.bit()?;
            depth_luma = 8 + bits.ue()?;
            depth_chroma = 8 + bits.ue()?;
            bits.bit()?; // qpprime_y_zero_transform_bypass_flag
            if bits.bit()? {
                for list in 0..if chroma_format == 3 { 12 } else { 8 } {
                    if bits.bit()? {
                        skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        bits.ue()?; // log2_max_frame_num_minus4
        match bits.ue()? {
            0 => drop(bits.ue()?), // log2_max_pic_order_cnt_lsb_minus4
            1 => {
                bits.bit()?;
                bits.se()?;
                bits.se()?;
                for _ in 0..bits.ue()?.min(255) {
                    bits.se()?;
                }
            }
            _ => {}
        }
        bits.ue()?; // max_num_ref_frames
        bits.bit()?; // gaps_in_frame_num_value_allowed_flag
        let (columns, rows) = (u64::from(bits.ue()?) + 1, u64::from(bits.ue()?) + 1);
        let frames_only = bits.bit()?;
        if !frames_only {
            bits.bit()?; // mb_adaptive_frame_field_flag
        }
        bits.bit()?; // direct_8x8_inference_flag
        let crop = if bits.bit()? { [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?] } else { [0; 4] };

        // section 7.4.2.1.1, equations 7-19 to 7-22
        let field_factor = if frames_only { 1 } else { 2 };
        let (unit_x, unit_y) = match chroma_format {
            1 if !separate_planes => (2, 2),
            2 if !separate_planes => (2, 1),
            _ => (1, 1),
        };
        let [left, right, top, bottom] = crop.map(u64::from);
        let width = (columns * 16).saturating_sub((left + right) * unit_x);
        let height = (rows * 16 * field_factor).saturating_sub((top + bottom) * unit_y * field_factor);
        Ok(Self {
            profile,
            constraints,
            level,
            chroma_format: chroma_format as u8,
            depth_luma: depth_luma as u8,
            depth_chroma: depth_chroma as u8,
            width: u32::try_from(width).unwrap_or(0),
            height: u32::try_from(height).unwrap_or(0),
        })
    }
}

fn skip_scaling_list(bits: &mut Bits, size: usize) -> Result<(), BitsError> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.se()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// 1920×1080, High 4.0, as a common network camera sends it; the height is cropped from 1088.
    pub(crate) const HIGH_1080P: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xc8, 0x3c, 0x60, 0xc6, 0x58,
    ];
    /// 640×480, Baseline 3.0.
    pub(crate) const BASELINE_VGA: &[u8] = &[0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x3d, 0xa1, 0x00, 0x00, 0x03];

    #[test]
    fn reads_size_and_profile() {
        let sps = Sps::parse(HIGH_1080P).unwrap();
        assert_eq!((sps.profile, sps.level, sps.width, sps.height), (100, 40, 1920, 1080));
        assert_eq!((sps.chroma_format, sps.depth_luma), (1, 8));
        let sps = Sps::parse(BASELINE_VGA).unwrap();
        assert_eq!((sps.profile, sps.constraints, sps.level, sps.width, sps.height), (66, 0xc0, 30, 640, 480));
    }

    #[test]
    fn every_cut_is_an_error_or_a_value() {
        for end in 0..HIGH_1080P.len() {
            let _ = Sps::parse(&HIGH_1080P[..end]);
        }
        assert!(Sps::parse(&HIGH_1080P[..6]).is_err());
    }
}
