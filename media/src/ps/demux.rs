//! From RTP payloads to pictures and sound.

use bytes::Bytes;

use super::{
    pes::{self, Extent, Kind},
    pictures,
};
use crate::nal::Codec;

/// Largest picture, bytes: an 8K key frame is below. Beyond, the picture is dropped.
const MAX_PICTURE: usize = 8 * 1024 * 1024;
/// Bytes that may wait for the rest of a header.
const MAX_WAITING: usize = 256 * 1024;
/// So many pictures with the same PES time, while RTP time goes on: the PES clock is broken.
const STUCK_AFTER: u32 = 3;

/// A picture as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// How it is encoded.
    pub codec: Codec,
    /// Presentation time, ticks of 90 kHz from any start.
    pub time: i64,
    /// Packets lost within or before it: it may be damaged, or refer to what is missing.
    pub lost: u32,
    /// Annex B.
    pub data: Bytes,
}

/// How sound is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// G.711 A-law, 8 kHz.
    G711A,
    /// G.711 µ-law, 8 kHz.
    G711U,
    /// AAC with ADTS headers.
    Aac,
    /// Of a kind that is not decoded here, by its stream type.
    Other(u8),
}

/// A piece of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// How it is encoded.
    pub codec: AudioCodec,
    /// Presentation time, ticks of 90 kHz on the clock of the pictures.
    pub time: i64,
    /// As sent.
    pub data: Bytes,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sample {
    /// A picture.
    Picture(Picture),
    /// A piece of sound.
    Audio(Audio),
}

/// What was seen: tells where a stream that shows nothing gets stuck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Payloads.
    pub payloads: u64,
    /// Pack headers.
    pub packs: u64,
    /// PES packets of video.
    pub video: u64,
    /// PES packets of audio and bare audio.
    pub audio: u64,
    /// Pictures given.
    pub pictures: u64,
    /// Pictures that came before any parameter set, so that nobody knows their codec.
    pub unknown: u64,
    /// Headers that made no sense, and pictures beyond all size.
    pub broken: u64,
    /// Stream type of the video by the map; 0 when there was no map.
    pub mapped: u8,
}

/// Where payload bytes belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Into {
    Video,
    Audio(u8),
    Nowhere,
}

/// Takes a program stream apart.
#[derive(Debug, Default)]
pub struct Demuxer {
    buffer: Vec<u8>,
    /// The PES packet that is open, and bytes it still announces (`None`: up to the next start code).
    open: Option<(Into, Option<usize>)>,
    codec: Option<Codec>,
    /// Stream types by stream id of the last map.
    map: Vec<(u8, u8)>,
    /// Video of the picture that is being received, with its PES and RTP time.
    picture: Vec<u8>,
    picture_pts: Option<u64>,
    picture_rtp: u32,
    /// Packets lost since the last picture that was given.
    lost: u32,
    audio: Vec<u8>,
    audio_pts: Option<u64>,
    clock: Clock,
    rtp_time: u32,
    counters: Counters,
}

impl Demuxer {
    /// What was seen so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Codec of the video, once its parameter sets were seen.
    pub const fn codec(&self) -> Option<Codec> {
        self.codec
    }

    /// Takes the payload of one RTP packet, in order. `lost` packets are missing before it; a stream that
    /// started over counts as one lost packet. `payload_type` matters for bare audio only.
    pub fn push(&mut self, payload: &[u8], payload_type: u8, rtp_time: u32, lost: u32, out: &mut Vec<Sample>) {
        self.counters.payloads += 1;
        if lost > 0 {
            self.interrupted(lost);
        }
        // Dahua sends sound as bare G.711 between the packets of the program stream (payload type 8 or 0)
        let at_border = self.buffer.is_empty() && self.open.is_none_or(|(_, left)| left.is_none_or(|n| n == 0));
        if matches!(payload_type, 0 | 8) && !payload.starts_with(&[0, 0, 1]) {
            self.counters.audio += 1;
            let codec = if payload_type == 8 { AudioCodec::G711A } else { AudioCodec::G711U };
            let time = self.clock.audio(None, rtp_time);
            out.push(Sample::Audio(Audio { codec, time, data: Bytes::copy_from_slice(payload) }));
            return;
        }
        // a bare elementary stream: NAL units without any program stream around them
        if self.counters.packs == 0 && self.counters.video == 0 && at_border && starts_with_nal(payload) {
            self.open = Some((Into::Video, None));
        }
        if self.open == Some((Into::Video, None))
            && self.counters.packs == 0
            && self.counters.video == 0
            && rtp_time != self.rtp_time
        {
            self.take_buffer();
            self.finish_picture(out);
            self.picture_rtp = rtp_time;
        }
        self.rtp_time = rtp_time;
        self.buffer.extend_from_slice(payload);
        self.parse(out);
        if self.buffer.len() > MAX_WAITING {
            self.counters.broken += 1;
            self.buffer.clear();
        }
    }

    /// Gives what is complete although nothing follows it, for a stream that ends or pauses.
    pub fn flush(&mut self, out: &mut Vec<Sample>) {
        if matches!(self.open, Some((Into::Video | Into::Audio(_), _))) {
            self.take_buffer();
        }
        self.finish_audio(out);
        self.finish_picture(out);
    }

    /// What waits is not continued by what comes next.
    fn interrupted(&mut self, lost: u32) {
        self.lost = self.lost.saturating_add(lost);
        self.buffer.clear();
        self.open = None;
        self.audio.clear();
        // what it tells about the codec stays true
        self.codec = pictures::codec(&self.picture).or(self.codec);
        self.picture.clear();
    }

    fn parse(&mut self, out: &mut Vec<Sample>) {
        // consumed bytes are dropped once at the end
        let mut at = 0;
        loop {
            let used = match self.open {
                Some((into, Some(left))) if left > 0 => self.announced(into, left, at),
                Some((into, _)) => self.unannounced(into, at),
                None => self.header(at, out),
            };
            match used {
                Some(used) => at += used,
                None => break,
            }
        }
        self.buffer.drain(..at);
    }

    /// Takes bytes that the PES header announced.
    fn announced(&mut self, into: Into, left: usize, at: usize) -> Option<usize> {
        let available = (self.buffer.len() - at).min(left);
        if available == 0 {
            return None;
        }
        self.keep(into, at, available);
        self.open = Some((into, Some(left - available)));
        Some(available)
    }

    /// Takes bytes up to the next start code: after length 0, and after lengths that are too small, because
    /// some devices write big pictures with the length modulo 65,536.
    fn unannounced(&mut self, into: Into, at: usize) -> Option<usize> {
        if let Some(code) = pes::next_code(&self.buffer, at) {
            self.keep(into, at, code - at);
            self.open = None;
            return Some(code - at);
        }
        // the last three bytes may be the beginning of a start code
        let certain = (self.buffer.len() - at).saturating_sub(3);
        if certain == 0 {
            return None;
        }
        self.keep(into, at, certain);
        if let Some((_, left)) = &mut self.open
            && *left == Some(0)
        {
            *left = None;
        }
        Some(certain)
    }

    fn keep(&mut self, into: Into, at: usize, length: usize) {
        let bytes = &self.buffer[at..at + length];
        match into {
            Into::Video if self.picture.len() + length > MAX_PICTURE => {
                self.counters.broken += 1;
                self.picture.clear();
                self.lost = self.lost.max(1);
            }
            Into::Video => self.picture.extend_from_slice(bytes),
            Into::Audio(_) if self.audio.len() + length <= 64 * 1024 => self.audio.extend_from_slice(bytes),
            Into::Audio(_) | Into::Nowhere => {}
        }
    }

    fn take_buffer(&mut self) {
        if let Some((into, _)) = self.open {
            self.keep(into, 0, self.buffer.len());
        }
        self.buffer.clear();
    }

    /// Reads a header; gives its length.
    fn header(&mut self, at: usize, out: &mut Vec<Sample>) -> Option<usize> {
        let Some(code) = pes::next_code(&self.buffer, at) else {
            let rubbish = (self.buffer.len() - at).saturating_sub(3);
            return (rubbish > 0).then_some(rubbish);
        };
        if code > at {
            return Some(code - at);
        }
        let data = &self.buffer[at..];
        let id = data[3];
        let kind = pes::kind(id)?;
        let extent = match kind {
            Kind::Pack => pes::pack(data),
            Kind::End => Extent::Is(4),
            Kind::System | Kind::Map => pes::sized(data),
            Kind::Private | Kind::Video | Kind::Audio => return self.packet(kind, id, at, out),
        };
        match extent {
            Extent::Unknown => None,
            Extent::Broken => {
                self.counters.broken += 1;
                self.counters.packs += u64::from(kind == Kind::Pack);
                Some(4)
            }
            Extent::Is(length) => {
                match kind {
                    Kind::Pack => self.counters.packs += 1,
                    Kind::Map => {
                        let streams = pes::map(&data[..length]);
                        if let Some((mapped, _)) = streams.iter().find(|(_, id)| pes::kind(*id) == Some(Kind::Video)) {
                            self.counters.mapped = *mapped;
                        }
                        self.map = streams;
                    }
                    _ => {}
                }
                Some(length)
            }
        }
    }

    fn packet(&mut self, kind: Kind, id: u8, at: usize, out: &mut Vec<Sample>) -> Option<usize> {
        let data = &self.buffer[at..];
        if kind == Kind::Private {
            let length = usize::from(u16::from_be_bytes([*data.get(4)?, *data.get(5)?]));
            self.open = Some((Into::Nowhere, Some(length)));
            return Some(6);
        }
        let header = match pes::pes(data) {
            Ok(Some(header)) => header,
            Ok(None) => return None,
            Err(()) => {
                self.counters.broken += 1;
                self.open = Some((Into::Nowhere, None));
                return Some(4);
            }
        };
        let into = if kind == Kind::Video { Into::Video } else { Into::Audio(id) };
        if kind == Kind::Video {
            // another time is another picture; so is RTP time alone when the PES has none or it stands still
            let payload = &data[header.payload_at..];
            if payload.len() < header.payload.unwrap_or(5).min(5) {
                return None;
            }
            self.counters.video += 1;
            let starts = starts_with_nal(payload);
            let other_pts = header.pts.is_some() && header.pts != self.picture_pts;
            let other_rtp = starts && self.rtp_time != self.picture_rtp;
            if !self.picture.is_empty() && (other_pts || other_rtp) {
                self.finish_picture(out);
            }
            if self.picture.is_empty() && !starts {
                // the beginning is missing: after a loss, or when joining in the middle
                self.open = Some((Into::Nowhere, header.payload));
                return Some(header.payload_at);
            }
            if self.picture.is_empty() {
                self.picture_pts = header.pts;
                self.picture_rtp = self.rtp_time;
            }
        } else {
            self.counters.audio += 1;
            self.finish_audio(out);
            self.audio_pts = header.pts;
        }
        self.open = Some((into, header.payload));
        Some(header.payload_at)
    }

    fn finish_picture(&mut self, out: &mut Vec<Sample>) {
        self.finish_audio(out);
        let data = std::mem::take(&mut self.picture);
        if data.is_empty() {
            return;
        }
        self.codec = pictures::codec(&data).or(self.codec);
        let Some(codec) = self.codec else {
            self.counters.unknown += 1;
            return;
        };
        let time = self.clock.video(self.picture_pts, self.picture_rtp);
        let mut pictures = pictures::split(codec, &data);
        if self.lost > 0 && pictures.first().is_some_and(|first| !pictures::is_whole(codec, first)) {
            pictures.remove(0);
        }
        for picture in pictures {
            self.counters.pictures += 1;
            let lost = std::mem::take(&mut self.lost);
            out.push(Sample::Picture(Picture { codec, time, lost, data: picture.into() }));
        }
    }

    fn finish_audio(&mut self, out: &mut Vec<Sample>) {
        let data = std::mem::take(&mut self.audio);
        if data.is_empty() {
            return;
        }
        let mapped = self.map.iter().find(|(_, id)| pes::kind(*id) == Some(Kind::Audio)).map(|(kind, _)| *kind);
        let codec = match mapped {
            // Dahua declares G.711 and sends AAC
            _ if data.len() > 7 && data[0] == 0xff && data[1] & 0xf6 == 0xf0 => AudioCodec::Aac,
            None | Some(0x90) => AudioCodec::G711A,
            Some(0x91) => AudioCodec::G711U,
            Some(0x0f) => AudioCodec::Aac,
            Some(other) => AudioCodec::Other(other),
        };
        let time = self.clock.audio(self.audio_pts, self.rtp_time);
        out.push(Sample::Audio(Audio { codec, time, data: data.into() }));
    }
}

fn starts_with_nal(data: &[u8]) -> bool {
    let zeros = data.iter().take_while(|&&b| b == 0).count();
    zeros >= 2 && data.get(zeros) == Some(&1) && data.get(zeros + 1).is_none_or(|header| header & 0x80 == 0)
}

/// Time of pictures: that of the PES packets, unless it is missing or stands still.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    pts: Unwrapped<33>,
    rtp: Unwrapped<32>,
    last_pts: Option<u64>,
    last_rtp: Option<u32>,
    repeats: u32,
    by_rtp: bool,
}

impl Clock {
    fn video(&mut self, pts: Option<u64>, rtp: u32) -> i64 {
        let moved = self.last_rtp.replace(rtp).is_some_and(|last| last != rtp);
        let stands = match pts {
            Some(pts) => self.last_pts.replace(pts) == Some(pts),
            None => true,
        };
        self.repeats = if stands && moved { self.repeats + 1 } else { 0 };
        self.by_rtp |= self.repeats >= STUCK_AFTER || (pts.is_none() && self.last_pts.is_none());
        if !stands && self.by_rtp {
            // the PES clock runs again
            self.by_rtp = false;
        }
        let rtp = self.rtp.at(u64::from(rtp));
        match pts {
            Some(pts) if !self.by_rtp => self.pts.at(pts),
            _ if self.by_rtp => rtp,
            _ => self.pts.last,
        }
    }

    fn audio(&self, pts: Option<u64>, rtp: u32) -> i64 {
        let mut copy = *self;
        match pts {
            Some(pts) if !self.by_rtp => copy.pts.at(pts),
            _ => copy.rtp.at(u64::from(rtp)),
        }
    }
}

/// A counter of `BITS` bits that goes on beyond them.
#[derive(Clone, Copy, Debug, Default)]
struct Unwrapped<const BITS: u32> {
    last: i64,
    started: bool,
}

impl<const BITS: u32> Unwrapped<BITS> {
    fn at(&mut self, raw: u64) -> i64 {
        let size = 1_i64 << BITS;
        let raw = (raw & (size as u64 - 1)).cast_signed();
        if !self.started {
            (self.last, self.started) = (raw, true);
            return raw;
        }
        let mut step = (raw - self.last).rem_euclid(size);
        if step > size / 2 {
            step -= size;
        }
        self.last += step;
        self.last
    }
}
