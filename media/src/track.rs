//! What the two MP4 writers share: the description of the one video track, and sample timing.

use mp4_atom::{
    Atom as _, Avc1, Avcc, Codec as Entry, Dinf, Dref, FourCC, Hdlr, Hvc1, Hvcc, Mdhd, Mdia, Minf, Mvhd, Stbl, Stsd,
    Tkhd, Trak, Url, Visual, Vmhd,
};

use crate::{
    VideoParams,
    nal::{self, Codec, NalKind},
};

/// Ticks per second in the MP4 data written here; the same as RTP video.
pub const TIMESCALE: u32 = 90_000;

/// Why MP4 data could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Mp4Error {
    /// There was no frame.
    #[error("there is no frame to write")]
    Empty,
    /// Something is too large for its field.
    #[error("the video does not fit into an MP4 box: {0}")]
    Box(#[from] mp4_atom::Error),
}

/// Microseconds to ticks.
pub(crate) const fn ticks(micros: i64) -> i64 {
    // exact for whole ticks: 1 tick is 100/9 µs
    (micros * 9 + 50) / 100
}

/// Gives each sample a decoding time. Without B-frames it is the presentation time. With them it runs just
/// ahead of it, and the composition offset is negative, which version 1 boxes allow: there is no need to
/// know the reordering depth and no delay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DecodeClock {
    next: i64,
}

impl DecodeClock {
    /// Decoding time and composition offset of a sample presented at `pts` ticks.
    pub(crate) fn time(&mut self, pts: i64) -> (i64, i64) {
        let dts = pts.max(self.next);
        self.next = dts + 1;
        (dts, pts - dts)
    }
}

/// Appends one access unit as an MP4 sample: parameter sets are in the sample entry, delimiters nowhere.
pub(crate) fn push_sample(out: &mut Vec<u8>, codec: Codec, annex_b: &[u8]) {
    nal::push_length_prefixed(out, annex_b, |nal| matches!(codec.kind(nal), NalKind::Slice { .. } | NalKind::Other));
}

pub(crate) fn movie_header(duration: u64) -> Mvhd {
    Mvhd { timescale: TIMESCALE, duration, rate: 1.into(), volume: 1.into(), next_track_id: 2, ..Mvhd::default() }
}

/// The track, with an empty sample table.
pub(crate) fn video_track(params: &VideoParams, duration: u64) -> Result<Trak, Mp4Error> {
    let (width, height) = (params.width as u16, params.height as u16);
    let visual = Visual { data_reference_index: 1, width, height, ..Visual::default() };
    let mut config = params.config.as_ref();
    let entry = match params.codec {
        Codec::H264 => Entry::Avc1(Avc1 { visual, avcc: Avcc::decode_body(&mut config)?, ..Avc1::default() }),
        Codec::H265 => Entry::Hvc1(Hvc1 { visual, hvcc: Hvcc::decode_body(&mut config)?, ..Hvc1::default() }),
    };
    Ok(Trak {
        tkhd: Tkhd {
            track_id: 1,
            duration,
            enabled: true,
            in_movie: true,
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd { timescale: TIMESCALE, duration, language: "und".into(), ..Mdhd::default() },
            hdlr: Hdlr { handler: FourCC::new(b"vide"), name: "video".into() },
            minf: Minf {
                vmhd: Some(Vmhd::default()),
                dinf: Dinf { dref: Dref { entries: vec![Url::default().into()] } },
                stbl: Stbl { stsd: Stsd { codecs: vec![entry] }, ..Stbl::default() },
                ..Minf::default()
            },
        },
        ..Trak::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_times_never_go_back() {
        let mut clock = DecodeClock::default();
        // I P B B P in decoding order
        let times: Vec<_> = [0, 9000, 3000, 6000, 18000].map(|pts| clock.time(pts)).to_vec();
        assert_eq!(times, [(0, 0), (9000, 0), (9001, -6001), (9002, -3002), (18000, 0)]);
    }

    #[test]
    fn ticks_round() {
        assert_eq!([ticks(0), ticks(40_000), ticks(33_333), ticks(1_000_000)], [0, 3600, 3000, 90_000]);
    }
}
