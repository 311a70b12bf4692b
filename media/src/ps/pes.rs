//! The layer of packs and PES packets: finds them in a byte stream, however broken.

/// Longest pack, system, map or directory header believed, bytes.
const MAX_HEADER: usize = 4_096;

/// What begins at a start code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pack,
    System,
    Map,
    Video,
    Audio,
    /// Private data and directories: skipped.
    Private,
    End,
}

/// What a start code stands for; `None` for one of a video stream.
pub(super) const fn kind(code: u8) -> Option<Kind> {
    match code {
        0xba => Some(Kind::Pack),
        0xbb => Some(Kind::System),
        0xbc => Some(Kind::Map),
        0xc0..=0xdf => Some(Kind::Audio),
        0xe0..=0xef => Some(Kind::Video),
        0xb9 => Some(Kind::End),
        0xbd..=0xbf | 0xf0..=0xff => Some(Kind::Private),
        // NAL unit headers have their first bit zero: they are all below
        _ => None,
    }
}

/// Where the next start code of a program stream is, from `from` on.
pub(super) fn next_code(data: &[u8], from: usize) -> Option<usize> {
    let mut i = from;
    while let Some(window) = data.get(i..i + 4) {
        match window[2] {
            0 => i += 1,
            1 if window[0] == 0 && window[1] == 0 && kind(window[3]).is_some() => return Some(i),
            _ => i += 3,
        }
    }
    None
}

/// How far a header reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes, start code included.
    Is(usize),
    /// More bytes are needed to tell.
    Unknown,
    /// It is broken: go on at the next start code.
    Broken,
}

/// Length of the pack header at the start of `data`. Hikvision's H.265 has some that are a start code only.
pub(super) fn pack(data: &[u8]) -> Extent {
    let Some(&marker) = data.get(4) else { return Extent::Unknown };
    if data.len() < 8 {
        return Extent::Unknown;
    }
    if data[4..7] == [0, 0, 1] {
        return Extent::Is(4);
    }
    let length = if marker & 0xf0 == 0x20 {
        12 // ISO/IEC 11172-1
    } else {
        let Some(stuffing) = data.get(13) else { return Extent::Unknown };
        14 + usize::from(stuffing & 7)
    };
    match data.get(length..length + 3) {
        Some([0, 0, 1]) => Extent::Is(length),
        Some(_) => Extent::Broken,
        None => Extent::Unknown,
    }
}

/// Length of a header that says its own length in two bytes.
pub(super) fn sized(data: &[u8]) -> Extent {
    let Some(length) = data.get(4..6) else { return Extent::Unknown };
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length > MAX_HEADER {
        return Extent::Broken;
    }
    if data.len() < 6 + length { Extent::Unknown } else { Extent::Is(6 + length) }
}

/// The streams of a program stream map: `(stream_type, stream_id)`.
pub(super) fn map(data: &[u8]) -> Vec<(u8, u8)> {
    let mut found = Vec::new();
    let u16_at = |at: usize| data.get(at..at + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]])));
    let Some(info) = u16_at(8) else { return found };
    let Some(length) = u16_at(10 + info) else { return found };
    let mut at = 12 + info;
    let end = (at + length).min(data.len());
    while at + 4 <= end && found.len() < 16 {
        found.push((data[at], data[at + 1]));
        at += 4 + u16_at(at + 2).unwrap_or(0);
    }
    found
}

/// A PES header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PesHeader {
    /// Where the payload begins.
    pub(super) payload_at: usize,
    /// Bytes of payload that it announces; `None` until the next start code.
    pub(super) payload: Option<usize>,
    /// Presentation time, 90 kHz, 33 bits.
    pub(super) pts: Option<u64>,
}

/// Reads the PES header at the start of `data`; `Ok(None)` when more bytes are needed, `Err` when broken.
pub(super) fn pes(data: &[u8]) -> Result<Option<PesHeader>, ()> {
    let Some(head) = data.get(..9) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let (payload_at, pts) = if head[6] & 0xc0 == 0x80 {
        let payload_at = 9 + usize::from(head[8]);
        if data.len() < payload_at {
            return Ok(None);
        }
        let has_pts = head[7] & 0x80 != 0 && head[8] >= 5;
        (payload_at, has_pts.then(|| timestamp(&data[9..14])).flatten())
    } else {
        match mpeg1(data) {
            Some(found) => found,
            None if data.len() < 6 + 32 => return Ok(None),
            None => return Err(()),
        }
    };
    let payload = match length {
        0 => None,
        length => Some((6 + length).checked_sub(payload_at).ok_or(())?),
    };
    Ok(Some(PesHeader { payload_at, payload, pts }))
}

/// The header of ISO/IEC 11172-1: stuffing, buffer size, timestamps.
fn mpeg1(data: &[u8]) -> Option<(usize, Option<u64>)> {
    let mut at = 6 + data.get(6..)?.iter().take(17).take_while(|&&b| b == 0xff).count();
    if data.get(at)? & 0xc0 == 0x40 {
        at += 2;
    }
    match data.get(at)? {
        0x0f => Some((at + 1, None)),
        b if b & 0xf0 == 0x20 => Some((at + 5, timestamp(data.get(at..at + 5)?))),
        b if b & 0xf0 == 0x30 => Some((at + 10, timestamp(data.get(at..at + 5)?))).filter(|_| data.len() >= at + 10),
        _ => None,
    }
}

/// 33 bits in five bytes; `None` when the marker bits are not where they should be, as garbage has it.
fn timestamp(bytes: &[u8]) -> Option<u64> {
    let bytes = bytes.first_chunk::<5>()?;
    if [0, 2, 4].iter().any(|&marker: &usize| bytes[marker] & 1 == 0) {
        return None;
    }
    let part = bytes.map(u64::from);
    Some(((part[0] >> 1 & 7) << 30) | (part[1] << 22) | ((part[2] >> 1) << 15) | (part[3] << 7) | (part[4] >> 1))
}
