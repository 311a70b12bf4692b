//! NAL units: finding them, telling them apart, and the two ways to frame them.
//!
//! Annex B puts a start code (`00 00 01`, often with one more zero) before each unit; MP4 puts a 4-byte
//! length. Access units travel in Annex B, because RTP, MPEG-PS and decoders all speak it.

/// A video codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
}

impl Codec {
    /// `h264` or `h265`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
        }
    }

    /// What `nal` is; [`NalKind::Other`] for an empty one.
    pub fn kind(self, nal: &[u8]) -> NalKind {
        let Some(&first) = nal.first() else { return NalKind::Other };
        match self {
            Self::H264 => match first & 0x1f {
                1..=4 => NalKind::Slice { key: false, disposable: first & 0x60 == 0 },
                5 => NalKind::Slice { key: true, disposable: false },
                7 => NalKind::Sps,
                8 => NalKind::Pps,
                9..=12 => NalKind::Delimiter,
                _ => NalKind::Other,
            },
            Self::H265 => match first >> 1 & 0x3f {
                // even types up to 14 are sub-layer non-reference pictures (table 7-1)
                n @ 0..=15 => NalKind::Slice { key: false, disposable: n % 2 == 0 && n <= 14 },
                16..=23 => NalKind::Slice { key: true, disposable: false },
                32 => NalKind::Vps,
                33 => NalKind::Sps,
                34 => NalKind::Pps,
                35..=38 => NalKind::Delimiter,
                _ => NalKind::Other,
            },
        }
    }
}

/// What a NAL unit is, as far as anybody here cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NalKind {
    /// A piece of a picture.
    Slice {
        /// Whether decoding can start here.
        key: bool,
        /// Whether no other picture needs this one.
        disposable: bool,
    },
    /// Video parameter set (H.265).
    Vps,
    /// Sequence parameter set.
    Sps,
    /// Picture parameter set.
    Pps,
    /// Delimiters, ends and filler: nothing a player needs.
    Delimiter,
    /// All else, e.g. SEI.
    Other,
}

/// What the first slice of an access unit says; `None` for one without a picture.
pub fn picture(codec: Codec, annex_b: &[u8]) -> Option<(bool, bool)> {
    units(annex_b).find_map(|nal| match codec.kind(nal) {
        NalKind::Slice { key, disposable } => Some((key, disposable)),
        _ => None,
    })
}

/// The NAL units of an Annex B stream, without start codes and trailing zeros. Bytes before the first
/// start code are skipped, as receivers must.
pub fn units(annex_b: &[u8]) -> Units<'_> {
    let rest = start_code(annex_b).map(|at| &annex_b[at + 3..]);
    Units { rest }
}

/// See [`units`].
#[derive(Clone, Debug)]
pub struct Units<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest.take()?;
            let end = start_code(rest);
            self.rest = end.map(|at| &rest[at + 3..]);
            // a NAL unit never ends with a zero byte: those belong to the next start code or are padding
            let unit = &rest[..end.unwrap_or(rest.len())];
            let length = unit.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
            if length > 0 {
                return Some(&unit[..length]);
            }
        }
    }
}

/// Where the next `00 00 01` is.
fn start_code(data: &[u8]) -> Option<usize> {
    let mut i = 0;
    while let Some(&third) = data.get(i + 2) {
        match third {
            0 => i += 1,
            1 if data[i] == 0 && data[i + 1] == 0 => return Some(i),
            _ => i += 3,
        }
    }
    None
}

/// Appends `nal` to an Annex B stream.
pub fn push_annex_b(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&[0, 0, 0, 1]);
    out.extend_from_slice(nal);
}

/// Appends the units of `annex_b` that `keep` wants, each with its length in 4 bytes before it.
pub fn push_length_prefixed(out: &mut Vec<u8>, annex_b: &[u8], mut keep: impl FnMut(&[u8]) -> bool) {
    for nal in units(annex_b).filter(|nal| keep(nal)) {
        out.extend_from_slice(&(nal.len() as u32).to_be_bytes());
        out.extend_from_slice(nal);
    }
}

/// Length-prefixed data that does not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the NAL unit at byte {at} says it has {claimed} bytes, but {left} are left")]
pub struct Truncated {
    /// Where its length field starts.
    pub at: usize,
    /// What the length field says.
    pub claimed: usize,
    /// What follows it.
    pub left: usize,
}

/// Appends units with 4-byte lengths to an Annex B stream.
///
/// # Errors
/// When a length exceeds the data. Nothing is appended from there on.
pub fn annex_b_from_lengths(out: &mut Vec<u8>, mut data: &[u8]) -> Result<(), Truncated> {
    let total = data.len();
    while !data.is_empty() {
        let at = total - data.len();
        let Some((length, rest)) = data.split_first_chunk::<4>() else {
            return Err(Truncated { at, claimed: 4, left: data.len() });
        };
        let claimed = u32::from_be_bytes(*length) as usize;
        let Some((nal, rest)) = rest.split_at_checked(claimed) else {
            return Err(Truncated { at, claimed, left: rest.len() });
        };
        push_annex_b(out, nal);
        data = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(data: &[u8], expect: &[&[u8]]) {
        assert_eq!(units(data).collect::<Vec<_>>(), expect, "{data:?}");
    }

    #[test]
    fn finds_units() {
        check(&[], &[]);
        check(&[1, 2, 3], &[]);
        check(&[0, 0, 1], &[]);
        check(&[0, 0, 1, 0x67], &[&[0x67]]);
        check(&[0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65, 0], &[&[0x67, 1], &[0x68], &[0x65]]);
        check(&[9, 9, 0, 0, 1, 5, 0, 0, 1, 0, 0, 1, 6], &[&[5], &[6]]);
    }

    #[test]
    fn tells_units_apart() {
        assert_eq!(picture(Codec::H264, &[0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 1]), Some((true, false)));
        assert_eq!(picture(Codec::H264, &[0, 0, 1, 0x41, 1]), Some((false, false)));
        assert_eq!(picture(Codec::H264, &[0, 0, 1, 0x01, 1]), Some((false, true)));
        assert_eq!(picture(Codec::H264, &[0, 0, 1, 0x06, 1]), None, "SEI alone is no picture");
        assert_eq!(picture(Codec::H265, &[0, 0, 1, 0x40, 1, 0, 0, 1, 0x26, 1]), Some((true, false)));
        assert_eq!(picture(Codec::H265, &[0, 0, 1, 0x02, 1]), Some((false, false)));
        assert_eq!(picture(Codec::H265, &[0, 0, 1, 0x00, 1]), Some((false, true)), "TRAIL_N");
    }

    #[test]
    fn refuses_lengths_that_do_not_add_up() {
        let mut out = Vec::new();
        let broken = [0, 0, 0, 1, 7, 0, 0, 0, 9, 8];
        assert_eq!(annex_b_from_lengths(&mut out, &broken), Err(Truncated { at: 5, claimed: 9, left: 1 }));
        assert_eq!(annex_b_from_lengths(&mut out, &[0, 0]), Err(Truncated { at: 0, claimed: 4, left: 2 }));
    }

    /// Units as an encoder writes them: emulation prevented, never ending in zero.
    fn unit() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(3), any::<u8>()], 1..60).prop_map(|raw| {
            let (mut nal, mut zeros) = (Vec::new(), 0);
            for byte in raw {
                if zeros >= 2 && byte <= 3 {
                    nal.push(3);
                    zeros = 0;
                }
                zeros = if byte == 0 { zeros + 1 } else { 0 };
                nal.push(byte);
            }
            nal.push(0x80);
            nal
        })
    }

    proptest! {
        #[test]
        fn framing_goes_there_and_back(nals in prop::collection::vec(unit(), 0..8)) {
            let mut annex_b = Vec::new();
            for nal in &nals {
                push_annex_b(&mut annex_b, nal);
            }
            prop_assert_eq!(units(&annex_b).map(<[u8]>::to_vec).collect::<Vec<_>>(), nals);
            let mut lengths = Vec::new();
            push_length_prefixed(&mut lengths, &annex_b, |_| true);
            let mut back = Vec::new();
            prop_assert_eq!(annex_b_from_lengths(&mut back, &lengths), Ok(()));
            prop_assert_eq!(back, annex_b);
        }

        #[test]
        fn rubbish_never_panics(data in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..200)) {
            for nal in units(&data) {
                prop_assert!(!nal.is_empty() && nal.last() != Some(&0));
            }
            let _ = annex_b_from_lengths(&mut Vec::new(), &data);
            let _ = crate::ParameterSets::new(Codec::H264).update(&data);
            let _ = crate::ParameterSets::new(Codec::H265).update(&data);
        }
    }
}
