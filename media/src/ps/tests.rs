//! Program streams of every kind: as the standard says, as devices send them, and rubbish.

use proptest::prelude::*;

use super::*;
use crate::nal::Codec;

const SPS: &[u8] = &[0, 0, 0, 1, 0x67, 0x64, 0, 0x28, 0xac, 0, 0, 0, 1, 0x68, 0xeb, 0xe3];
const SPS_265: &[u8] = &[0, 0, 0, 1, 0x40, 1, 0x0c, 0, 0, 0, 1, 0x42, 1, 1, 0, 0, 0, 1, 0x44, 1, 0xc1];

/// A picture of `size` bytes; the first slice of its kind begins the picture.
fn picture(codec: Codec, key: bool, size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    match (codec, key) {
        (Codec::H264, true) => out.extend([SPS, &[0, 0, 0, 1, 0x65, 0x88]].concat()),
        (Codec::H264, false) => out.extend([0, 0, 0, 1, 0x41, 0x9a]),
        (Codec::H265, true) => out.extend([SPS_265, &[0, 0, 0, 1, 0x26, 1, 0xaf]].concat()),
        (Codec::H265, false) => out.extend([0, 0, 0, 1, 0x02, 1, 0xd0]),
    }
    let start = out.len();
    out.extend((0..size.saturating_sub(start)).map(|n| (n % 251) as u8 | 1));
    out
}

fn pts_bytes(pts: u64) -> [u8; 5] {
    [
        0x21 | (((pts >> 30) & 7) as u8 * 2),
        (pts >> 22) as u8,
        1 | (((pts >> 15) & 0x7f) as u8 * 2),
        (pts >> 7) as u8,
        1 | ((pts & 0x7f) as u8 * 2),
    ]
}

/// What a device does its own way.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent quirks")]
struct Quirks {
    map: Option<u8>,
    /// Start code of the pack header only.
    cut_packs: bool,
    garbage_clock: bool,
    zero_length: bool,
    /// Length modulo 65,536 instead of several packets.
    wrapped_length: bool,
    pts: bool,
    codec: Codec,
    interval: u64,
}

const SOUND: Quirks = Quirks {
    map: Some(0x1b),
    cut_packs: false,
    garbage_clock: false,
    zero_length: false,
    wrapped_length: false,
    pts: true,
    codec: Codec::H264,
    interval: 3_600,
};

fn pes(id: u8, payload: &[u8], pts: Option<u64>, quirks: Quirks) -> Vec<u8> {
    let header = pts.map(|pts| pts_bytes(pts).to_vec()).unwrap_or_default();
    let length = if quirks.zero_length { 0 } else { 3 + header.len() + payload.len() };
    let mut out = vec![0, 0, 1, id, (length >> 8) as u8, length as u8];
    out.extend([0x80, if pts.is_some() { 0x80 } else { 0 }, header.len() as u8]);
    out.extend(header);
    out.extend(payload);
    out
}

fn pack(n: u64, data: &[u8], key: bool, quirks: Quirks) -> Vec<u8> {
    let mut out = vec![0, 0, 1, 0xba];
    if quirks.garbage_clock {
        out.extend([0x01, 0, 0, 1, 2, 3, 4, 5, 6, 0xf8]);
    } else if !quirks.cut_packs {
        out.extend([0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xfa, 0xff, 0xff]);
    }
    if key && !quirks.cut_packs {
        out.extend([0, 0, 1, 0xbb, 0, 6, 0x80, 0, 1, 0, 0x21, 0xff]);
    }
    if let Some(kind) = quirks.map.filter(|_| key) {
        out.extend([0, 0, 1, 0xbc, 0, 14, 0xe1, 0xff, 0, 0, 0, 4, kind, 0xe0, 0, 0, 0, 0, 0, 0]);
    }
    let time = quirks.pts.then_some(n * quirks.interval);
    if quirks.zero_length || quirks.wrapped_length {
        out.extend(pes(0xe0, data, time, quirks));
    } else {
        for part in data.chunks(65_000) {
            out.extend(pes(0xe0, part, time, quirks));
        }
    }
    out
}

/// RTP payload and timestamp.
type Packet = (Vec<u8>, u32);

/// 25 pictures, of which each tenth is a key picture of 90 kB; one in RTP packets of 1,400 bytes.
fn stream(quirks: Quirks) -> (Vec<Vec<u8>>, Vec<Packet>) {
    let pictures: Vec<_> =
        (0..25).map(|n| picture(quirks.codec, n % 10 == 0, if n % 10 == 0 { 90_000 } else { 700 + n * 50 })).collect();
    let packets = (0_u64..).zip(&pictures).flat_map(|(n, data)| {
        let pack = pack(n, data, n % 10 == 0, quirks);
        let time = (n * 3_600) as u32;
        pack.chunks(1_400).map(|part| (part.to_vec(), time)).collect::<Vec<_>>()
    });
    let packets = packets.collect();
    (pictures, packets)
}

fn demux(packets: &[Packet]) -> (Vec<Picture>, Demuxer) {
    let (mut demuxer, mut out) = (Demuxer::default(), Vec::new());
    for (payload, time) in packets {
        demuxer.push(payload, 96, *time, 0, &mut out);
    }
    demuxer.flush(&mut out);
    let pictures = out.into_iter().filter_map(|sample| match sample {
        Sample::Picture(picture) => Some(picture),
        Sample::Audio(_) => None,
    });
    (pictures.collect(), demuxer)
}

fn check(name: &str, quirks: Quirks) {
    let (expect, packets) = stream(quirks);
    let (got, demuxer) = demux(&packets);
    assert_eq!(got.len(), expect.len(), "{name}: {:?}", demuxer.counters());
    for (n, (got, expect)) in got.iter().zip(&expect).enumerate() {
        assert!(got.data == *expect, "{name}: picture {n} has {} bytes, not {}", got.data.len(), expect.len());
        assert_eq!((got.codec, got.lost), (quirks.codec, 0), "{name}");
    }
    let steps: Vec<_> = got.windows(2).map(|pair| pair[1].time - pair[0].time).collect();
    assert!(steps[5..].iter().all(|step| *step == 3_600), "{name}: {steps:?}");
}

#[test]
fn every_kind_of_device() {
    check("as the standard says", SOUND);
    check("no map", Quirks { map: None, ..SOUND });
    check("length zero", Quirks { zero_length: true, ..SOUND });
    check("length modulo 65,536", Quirks { wrapped_length: true, ..SOUND });
    check(
        "cut pack headers, H.265 of Hikvision",
        Quirks { cut_packs: true, codec: Codec::H265, zero_length: true, ..SOUND },
    );
    check("H.265 declared as H.264, KEDA", Quirks { codec: Codec::H265, map: Some(0x1b), ..SOUND });
    check("H.264 declared as H.265", Quirks { map: Some(0x24), ..SOUND });
    check("garbage clock", Quirks { garbage_clock: true, ..SOUND });
    check("no times at all", Quirks { pts: false, ..SOUND });
    check("times that stand still", Quirks { interval: 0, ..SOUND });
}

#[test]
fn bare_g711_beside_the_stream_and_aac_that_is_called_g711() {
    let (expect, mut packets) = stream(SOUND);
    let mut demuxer = Demuxer::default();
    let mut out = Vec::new();
    for (n, (payload, time)) in packets.drain(..).enumerate() {
        demuxer.push(&payload, 96, time, 0, &mut out);
        if n % 5 == 0 {
            demuxer.push(&[0xd5; 160], 8, time, 0, &mut out);
        }
    }
    let adts = pes(0xc0, &[&[0xff, 0xf1, 0x50, 0x80, 2, 0x1f, 0xfc][..], &[7; 20]].concat(), Some(1), SOUND);
    demuxer.push(&[vec![0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8], adts].concat(), 96, 90_000, 0, &mut out);
    demuxer.flush(&mut out);
    let pictures = out.iter().filter(|sample| matches!(sample, Sample::Picture(_))).count();
    let audio: Vec<_> =
        out.iter().filter_map(|s| if let Sample::Audio(a) = s { Some(a.codec) } else { None }).collect();
    assert_eq!(pictures, expect.len());
    assert!(audio.len() > 40 && audio[0] == AudioCodec::G711A && audio.last() == Some(&AudioCodec::Aac), "{audio:?}");
}

#[test]
fn a_bare_elementary_stream_is_taken() {
    let pictures: Vec<_> = (0..10).map(|n| picture(Codec::H264, n == 0, 3_000)).collect();
    let packets: Vec<_> =
        (0_u32..).zip(&pictures).flat_map(|(n, p)| p.chunks(1_400).map(move |c| (c.to_vec(), n * 3_600))).collect();
    let (got, _) = demux(&packets);
    assert_eq!(got.iter().map(|p| p.data.to_vec()).collect::<Vec<_>>(), pictures);
}

#[test]
fn several_slices_are_one_picture() {
    let mut two_slices = picture(Codec::H264, true, 500);
    two_slices.extend([0, 0, 0, 1, 0x65, 0x08, 0x11, 0x13]); // first_mb_in_slice is not 0
    let packets =
        [(pack(0, &two_slices, true, SOUND), 0), (pack(1, &picture(Codec::H264, false, 300), false, SOUND), 3_600)];
    let (got, _) = demux(&packets);
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].data, two_slices);
}

#[test]
fn a_muxer_that_writes_nonsense_is_survived_and_counted() {
    // a PES header without its flag byte, and the map with the code of a pack, as one simulator writes them
    let mut bad = vec![0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8];
    bad.extend([0, 0, 1, 0xba, 0, 14, 0xe1, 0xff, 0, 0, 0, 4, 0x1b, 0xe0, 0, 0, 0, 0, 0, 0]);
    bad.extend([0, 0, 1, 0xe0, 0, 40, 0x05, 0x21, 0, 1, 0, 1]);
    bad.extend([9; 40]);
    let (expect, good) = stream(SOUND);
    let packets = [vec![(bad, 0)], good].concat();
    let (got, demuxer) = demux(&packets);
    assert_eq!(got.len(), expect.len());
    assert!(demuxer.counters().broken >= 2, "{:?}", demuxer.counters());
}

#[test]
fn a_loss_costs_its_picture_and_is_told() {
    let (expect, packets) = stream(SOUND);
    let key_packets = pack(0, &expect[0], true, SOUND).len().div_ceil(1_400);
    for missing in [3, key_packets, key_packets + 2, packets.len() - 6] {
        let (mut demuxer, mut out) = (Demuxer::default(), Vec::new());
        for (n, (payload, time)) in packets.iter().enumerate().filter(|(n, _)| *n != missing) {
            demuxer.push(payload, 96, *time, u32::from(n == missing + 1), &mut out);
        }
        demuxer.flush(&mut out);
        let got: Vec<_> = out.iter().filter_map(|s| if let Sample::Picture(p) = s { Some(p) } else { None }).collect();
        for picture in &got {
            assert!(
                expect.iter().any(|whole| picture.data == *whole),
                "packet {missing} lost: a damaged picture came through"
            );
        }
        assert_eq!(got.iter().map(|p| p.lost).sum::<u32>(), 1, "packet {missing} lost");
        assert!(got.len() >= expect.len() - 2, "packet {missing} lost: {} pictures left", got.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_in_any_pieces_are_survived(
        pieces in prop::collection::vec(prop_oneof![
            Just(vec![0, 0, 1, 0xba]), Just(vec![0, 0, 1, 0xbb, 0, 6]), Just(vec![0, 0, 1, 0xbc, 0, 14]), Just(vec![0, 0, 1, 0xe0, 0, 0]),
            Just(vec![0, 0, 1, 0xc0, 0, 9, 0x80, 0x80, 5]), Just(SPS.to_vec()), Just(SPS_265.to_vec()),
            prop::collection::vec(any::<u8>(), 0..60),
        ], 0..40),
        chunk in 1..100_usize, times in prop::collection::vec(0..3_u32, 1..8), lost in any::<u8>(), payload_type in 0..128_u8
    ) {
        let (bytes, mut demuxer, mut out) = (pieces.concat(), Demuxer::default(), Vec::new());
        for (n, part) in bytes.chunks(chunk).enumerate() {
            demuxer.push(part, payload_type, times[n % times.len()], u32::from(n as u8 == lost), &mut out);
        }
        demuxer.flush(&mut out);
        let given: usize = out.iter().map(|sample| match sample { Sample::Picture(p) => p.data.len(), Sample::Audio(a) => a.data.len() }).sum();
        // start codes are written with one more zero
        prop_assert!(given <= 2 * bytes.len() + 8);
    }

    #[test]
    fn pictures_do_not_depend_on_the_pieces(chunk in 1..3_000_usize) {
        let (expect, packets) = stream(SOUND);
        let bytes: Vec<Packet> = packets.iter().flat_map(|(p, t)| p.chunks(chunk).map(|c| (c.to_vec(), *t)).collect::<Vec<_>>()).collect();
        let (got, _) = demux(&bytes);
        prop_assert_eq!(got.len(), expect.len());
        prop_assert!(got.iter().zip(&expect).all(|(g, e)| g.data == *e));
    }
}
