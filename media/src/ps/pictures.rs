//! From the bytes of an elementary stream to pictures.

use crate::nal::{self, Codec, NalKind};

/// Guesses the codec by parameter sets, which alone are telling: `40 01` and `42 01` begin sets of H.265 and are
/// nothing that cameras send in H.264; `67`, `47` and `27` the other way round. (`28` is an H.264 picture set
/// and an H.265 key picture.)
pub(super) fn codec(annex_b: &[u8]) -> Option<Codec> {
    nal::units(annex_b).take(16).find_map(|nal| match *nal {
        [0x40 | 0x42, 0x01, ..] => Some(Codec::H265),
        [0x27 | 0x47 | 0x67, _, ..] => Some(Codec::H264),
        _ => None,
    })
}

/// Whether a slice is the first of its picture (`first_mb_in_slice` is 0, `first_slice_segment_in_pic_flag` is
/// set): both are one leading bit.
fn begins_picture(codec: Codec, nal: &[u8]) -> bool {
    let after_header = match codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
    };
    nal.get(after_header).is_some_and(|byte| byte & 0x80 != 0)
}

/// Whether the first slice is the first of its picture.
pub(super) fn is_whole(codec: Codec, picture: &[u8]) -> bool {
    let mut slices = nal::units(picture).filter(|nal| matches!(codec.kind(nal), NalKind::Slice { .. }));
    slices.next().is_none_or(|slice| begins_picture(codec, slice))
}

/// Splits a run of NAL units into pictures.
pub(super) fn split(codec: Codec, annex_b: &[u8]) -> Vec<Vec<u8>> {
    let (mut pictures, mut current, mut has_slice) = (Vec::new(), Vec::new(), false);
    for nal in nal::units(annex_b) {
        let kind = codec.kind(nal);
        let begins = match kind {
            NalKind::Slice { .. } => begins_picture(codec, nal),
            NalKind::Vps | NalKind::Sps | NalKind::Pps => true,
            NalKind::Delimiter => is_delimiter(codec, nal),
            NalKind::Other => is_prefix(codec, nal),
        };
        if has_slice && begins {
            pictures.push(std::mem::take(&mut current));
            has_slice = false;
        }
        has_slice |= matches!(kind, NalKind::Slice { .. });
        nal::push_annex_b(&mut current, nal);
    }
    if !current.is_empty() {
        pictures.push(current);
    }
    pictures
}

/// Access unit delimiters; filler and ends of sequence belong to what came before.
fn is_delimiter(codec: Codec, nal: &[u8]) -> bool {
    match codec {
        Codec::H264 => nal[0] & 0x1f == 9,
        Codec::H265 => nal[0] >> 1 & 0x3f == 35,
    }
}

/// SEI before the picture it is about.
fn is_prefix(codec: Codec, nal: &[u8]) -> bool {
    match codec {
        Codec::H264 => nal[0] & 0x1f == 6,
        Codec::H265 => nal[0] >> 1 & 0x3f == 39,
    }
}
