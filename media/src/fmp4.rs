//! Fragmented MP4 for Media Source Extensions: one init segment, then one fragment per frame.

use bytes::Bytes;
use mp4_atom::{Encode as _, FourCC, Ftyp, Mfhd, Moof, Moov, Mvex, Tfdt, Tfhd, Traf, Trex, Trun, TrunEntry};

use crate::{
    Mp4Error, VideoParams,
    track::{DecodeClock, movie_header, push_sample, ticks, video_track},
};

/// A sample that depends on no other (ISO/IEC 14496-12 section 8.8.3.1).
const SYNC: u32 = 0x0200_0000;
/// A sample that depends on others and is no sync sample.
const NOT_SYNC: u32 = 0x0101_0000;

/// Writes `ftyp` and `moov`.
///
/// # Errors
/// When the parameters do not fit into their boxes.
pub fn init_segment(params: &VideoParams) -> Result<Bytes, Mp4Error> {
    let brands = [b"iso5", b"iso6", b"mp41"].map(FourCC::new);
    let ftyp = Ftyp { major_brand: brands[0], minor_version: 512, compatible_brands: brands.to_vec() };
    let moov = Moov {
        mvhd: movie_header(0),
        mvex: Some(Mvex {
            mehd: None,
            trex: vec![Trex { track_id: 1, default_sample_description_index: 1, ..Trex::default() }],
        }),
        trak: vec![video_track(params, 0)?],
        ..Moov::default()
    };
    let mut out = Vec::with_capacity(1024);
    ftyp.encode(&mut out)?;
    moov.encode(&mut out)?;
    Ok(out.into())
}

/// Turns frames into fragments. A frame leaves when the next one comes, because only then its duration is
/// known: browsers drop frames behind a hole in decoding time.
#[derive(Debug)]
pub struct Fragmenter {
    codec: crate::Codec,
    base_pts_us: i64,
    sequence: u32,
    clock: DecodeClock,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    annex_b: Bytes,
    key: bool,
    dts: i64,
    offset: i64,
}

impl Fragmenter {
    /// Starts a track whose time 0 is `base_pts_us`.
    pub fn new(codec: crate::Codec, base_pts_us: i64) -> Self {
        Self { codec, base_pts_us, sequence: 0, clock: DecodeClock::default(), held: None }
    }

    /// Takes a frame in decoding order, the first a key frame; gives the fragment of the frame before it.
    ///
    /// # Errors
    /// When a box overflows.
    pub fn push(&mut self, annex_b: Bytes, key: bool, pts_us: i64) -> Result<Option<Bytes>, Mp4Error> {
        let (dts, offset) = self.clock.time(ticks(pts_us - self.base_pts_us));
        match self.held.replace(Held { annex_b, key, dts, offset }) {
            Some(before) => self.fragment(&before, dts - before.dts).map(Some),
            None => Ok(None),
        }
    }

    fn fragment(&mut self, frame: &Held, duration: i64) -> Result<Bytes, Mp4Error> {
        let mut payload = Vec::with_capacity(frame.annex_b.len() + 64);
        push_sample(&mut payload, self.codec, &frame.annex_b);
        self.sequence = self.sequence.wrapping_add(1);
        let sample = TrunEntry {
            duration: Some(u32::try_from(duration).unwrap_or(u32::MAX)),
            size: Some(payload.len() as u32),
            flags: Some(if frame.key { SYNC } else { NOT_SYNC }),
            cts: (frame.offset != 0).then_some(frame.offset),
        };
        let mut moof = Moof {
            mfhd: Mfhd { sequence_number: self.sequence },
            traf: vec![Traf {
                tfhd: Tfhd { track_id: 1, default_base_is_moof: true, ..Tfhd::default() },
                tfdt: Some(Tfdt { base_media_decode_time: u64::try_from(frame.dts).unwrap_or(0) }),
                trun: vec![Trun { data_offset: Some(0), samples: vec![sample].into() }],
                ..Traf::default()
            }],
        };
        let mut out = Vec::with_capacity(payload.len() + 128);
        moof.encode(&mut out)?;
        moof.traf[0].trun[0].data_offset =
            Some(i32::try_from(out.len() + 8).map_err(|_| mp4_atom::Error::InvalidSize)?);
        out.clear();
        moof.encode(&mut out)?;
        out.extend_from_slice(&(payload.len() as u32 + 8).to_be_bytes());
        out.extend_from_slice(b"mdat");
        out.extend_from_slice(&payload);
        Ok(out.into())
    }
}

#[cfg(test)]
mod tests {
    use mp4_atom::{Any, Decode as _, Mdat};

    use super::*;
    use crate::{Codec, ParameterSets, h264, nal::push_annex_b};

    fn boxes(data: &[u8]) -> Vec<Any> {
        let mut rest = data;
        std::iter::from_fn(|| (!rest.is_empty()).then(|| Any::decode(&mut rest).unwrap())).collect()
    }

    fn key_frame() -> Vec<u8> {
        let mut unit = Vec::new();
        for nal in [&[0x09, 0xf0], h264::tests::HIGH_1080P, &[0x68, 0xeb], &[0x65, 0x88, 0x84]] {
            push_annex_b(&mut unit, nal);
        }
        unit
    }

    #[test]
    fn the_init_segment_describes_the_track() {
        let params = ParameterSets::new(Codec::H264).update(&key_frame()).unwrap().unwrap();
        let init = init_segment(&params).unwrap();
        let [Any::Ftyp(_), Any::Moov(moov)] = &boxes(&init)[..] else { panic!("not ftyp and moov") };
        let mp4_atom::Codec::Avc1(entry) = &moov.trak[0].mdia.minf.stbl.stsd.codecs[0] else { panic!("not avc1") };
        assert_eq!((entry.visual.width, entry.visual.height), (1920, 1080));
        assert_eq!(entry.avcc.sequence_parameter_sets, [h264::tests::HIGH_1080P]);
        assert_eq!(moov.mvex.as_ref().unwrap().trex[0].track_id, 1);
    }

    #[test]
    fn a_frame_leaves_with_its_exact_duration() {
        let mut fragmenter = Fragmenter::new(Codec::H264, 5_000_000);
        assert!(fragmenter.push(key_frame().into(), true, 5_000_000).unwrap().is_none());
        let delta = Bytes::from_static(&[0, 0, 0, 1, 0x41, 0x9a]);
        let first = fragmenter.push(delta.clone(), false, 5_040_000).unwrap().unwrap();
        let [Any::Moof(moof), Any::Mdat(Mdat { data })] = &boxes(&first)[..] else { panic!("not moof and mdat") };
        let run = &moof.traf[0].trun[0];
        let sample = run.samples.get(0).unwrap();
        assert_eq!((sample.duration, sample.flags, sample.cts), (Some(3600), Some(SYNC), None));
        assert_eq!(data, &[0, 0, 0, 3, 0x65, 0x88, 0x84], "parameter sets and the delimiter are left out");
        assert_eq!(first[run.data_offset.unwrap() as usize..], data[..]);

        let second = fragmenter.push(delta, false, 5_120_000).unwrap().unwrap();
        let Any::Moof(moof) = &boxes(&second)[0] else { panic!("not moof") };
        assert_eq!(moof.traf[0].tfdt.as_ref().unwrap().base_media_decode_time, 3600);
        let sample = moof.traf[0].trun[0].samples.get(0).unwrap();
        assert_eq!((sample.duration, sample.flags), (Some(7200), Some(NOT_SYNC)));
    }
}
