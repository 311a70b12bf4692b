//! A plain MP4 file with its index in front: plays everywhere, seeks exactly, survives messengers.

use bytes::Bytes;
use mp4_atom::{
    Ctts, CttsEntry, Encode as _, FourCC, Ftyp, Moov, Stbl, Stco, Stsc, StscEntry, Stss, Stsz, StszSamples, Stts,
    SttsEntry,
};

use crate::{
    Mp4Error, VideoParams,
    track::{DecodeClock, movie_header, push_sample, ticks, video_track},
};

/// One frame for a file.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The access unit.
    pub annex_b: &'a [u8],
    /// Whether decoding can start here.
    pub key: bool,
    /// Presentation time, microseconds.
    pub pts_us: i64,
}

/// A finished file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its content.
    pub bytes: Bytes,
    /// How long it plays.
    pub duration_ms: u32,
}

/// Duration of the last frame when there is no other to learn from: 25 frames per second.
const DEFAULT_TICKS: i64 = 3_600;

/// Writes `samples`, in decoding order and starting with a key frame.
///
/// # Errors
/// When there is no sample, or too much for 32-bit offsets.
pub fn file(params: &VideoParams, samples: &[Sample<'_>]) -> Result<File, Mp4Error> {
    let base = samples.first().ok_or(Mp4Error::Empty)?.pts_us;
    let mut clock = DecodeClock::default();
    let times: Vec<_> = samples.iter().map(|s| clock.time(ticks(s.pts_us - base))).collect();
    let mut durations: Vec<_> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    durations.push(durations.last().copied().unwrap_or(DEFAULT_TICKS));
    let total: i64 = durations.iter().sum();

    let mut payload = Vec::with_capacity(samples.iter().map(|s| s.annex_b.len() + 16).sum());
    let sizes = samples.iter().map(|sample| {
        let before = payload.len();
        push_sample(&mut payload, params.codec, sample.annex_b);
        (payload.len() - before) as u32
    });
    let sizes = sizes.collect();

    let mut track = video_track(params, total.unsigned_abs())?;
    let reordered = times.iter().any(|&(_, offset)| offset != 0);
    track.mdia.minf.stbl = Stbl {
        stsd: track.mdia.minf.stbl.stsd,
        stts: Stts {
            entries: runs(durations.iter().copied())
                .map(|(count, delta)| SttsEntry { sample_count: count, sample_delta: delta as u32 })
                .collect(),
        },
        ctts: reordered.then(|| Ctts {
            entries: runs(times.iter().map(|&(_, offset)| offset))
                .map(|(sample_count, sample_offset)| CttsEntry { sample_count, sample_offset })
                .collect(),
        }),
        stss: Some(Stss { entries: (1..).zip(samples).filter(|(_, s)| s.key).map(|(number, _)| number).collect() }),
        stsc: Stsc {
            entries: vec![StscEntry {
                first_chunk: 1,
                samples_per_chunk: samples.len() as u32,
                sample_description_index: 1,
            }],
        },
        stsz: Stsz { samples: StszSamples::Different { sizes } },
        stco: Some(Stco { entries: vec![0] }),
        ..Stbl::default()
    };

    let brands = [b"isom", b"iso2", b"mp41"].map(FourCC::new);
    let mut out = Vec::with_capacity(payload.len() + 16 * samples.len() + 1024);
    Ftyp { major_brand: brands[0], minor_version: 512, compatible_brands: brands.to_vec() }.encode(&mut out)?;
    let mut moov = Moov { mvhd: movie_header(total.unsigned_abs()), trak: vec![track], ..Moov::default() };
    let head = out.len();
    moov.encode(&mut out)?;
    // the size of the index does not depend on the offset in it
    let data_at = u32::try_from(out.len() + 8).map_err(|_| mp4_atom::Error::InvalidSize)?;
    moov.trak[0].mdia.minf.stbl.stco = Some(Stco { entries: vec![data_at] });
    out.truncate(head);
    moov.encode(&mut out)?;
    let size = u32::try_from(payload.len() + 8).map_err(|_| mp4_atom::Error::InvalidSize)?;
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(b"mdat");
    out.extend_from_slice(&payload);
    let duration_ms = u32::try_from(total / 90).unwrap_or(u32::MAX);
    Ok(File { bytes: out.into(), duration_ms })
}

/// Run lengths of equal neighbours.
fn runs(values: impl Iterator<Item = i64>) -> impl Iterator<Item = (u32, i64)> {
    let mut values = values.peekable();
    std::iter::from_fn(move || {
        let value = values.next()?;
        let mut count = 1;
        while values.next_if_eq(&value).is_some() {
            count += 1;
        }
        Some((count, value))
    })
}

#[cfg(test)]
mod tests {
    use mp4_atom::{Any, Decode as _};

    use super::*;
    use crate::{Codec, ParameterSets, h264, nal::push_annex_b};

    #[test]
    fn the_index_finds_every_sample() {
        let mut key = Vec::new();
        for nal in [h264::tests::HIGH_1080P, &[0x68, 0xeb], &[0x65, 0x11]] {
            push_annex_b(&mut key, nal);
        }
        let delta = [0, 0, 0, 1, 0x41, 0x22, 0x23];
        let params = ParameterSets::new(Codec::H264).update(&key).unwrap().unwrap();
        let samples: Vec<_> = (0..50)
            .map(|n| Sample {
                annex_b: if n % 25 == 0 { &key } else { &delta },
                key: n % 25 == 0,
                pts_us: 7 + n * 40_000,
            })
            .collect();
        let file = file(&params, &samples).unwrap();
        assert_eq!(file.duration_ms, 2_000);

        let mut rest = file.bytes.as_ref();
        let Any::Ftyp(_) = Any::decode(&mut rest).unwrap() else { panic!("no ftyp") };
        let Any::Moov(moov) = Any::decode(&mut rest).unwrap() else { panic!("no moov") };
        let table = &moov.trak[0].mdia.minf.stbl;
        assert_eq!(table.stss.as_ref().unwrap().entries, [1, 26]);
        assert_eq!(table.stts.entries, [SttsEntry { sample_count: 50, sample_delta: 3600 }]);
        assert!(table.ctts.is_none());
        let start = table.stco.as_ref().unwrap().entries[0] as usize;
        assert_eq!(file.bytes[start..start + 6], [0, 0, 0, 2, 0x65, 0x11]);
        assert_eq!(file.bytes[start + 6..start + 13], [0, 0, 0, 3, 0x41, 0x22, 0x23]);
    }

    #[test]
    fn nothing_is_an_error() {
        let mut key = Vec::new();
        for nal in [h264::tests::HIGH_1080P, &[0x68, 0xeb]] {
            push_annex_b(&mut key, nal);
        }
        let params = ParameterSets::new(Codec::H264).update(&key).unwrap().unwrap();
        assert!(matches!(file(&params, &[]), Err(Mp4Error::Empty)));
    }
}
