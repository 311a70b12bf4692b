//! Packets out of a TCP connection.

use bytes::{Buf as _, Bytes, BytesMut};

/// Longest packet that is believed, bytes: no device sends more than an Ethernet jumbo frame and the length
/// has two bytes anyway.
const MAX_PACKET: usize = 65_535;
/// What Ehome devices of Hikvision send first.
const EHOME_PREAMBLE: usize = 256;

/// How packets are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Two bytes of length (RFC 4571).
    Rfc4571,
    /// `$`, channel, two bytes of length (RFC 2326 section 10.12).
    Interleaved,
}

/// Cuts a byte stream into packets. Finds out the framing by itself and finds back into step after a wrong
/// length.
#[derive(Debug, Default)]
pub struct Deframer {
    buffer: BytesMut,
    framing: Option<Framing>,
    /// SSRC of the stream: what makes a header recognisable.
    ssrc: Option<[u8; 4]>,
    /// Bytes thrown away while out of step.
    skipped: u64,
    started: bool,
}

impl Deframer {
    /// Takes what arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// Bytes that belonged to no packet.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How packets are told apart, once known.
    pub const fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Bytes that wait for the rest of their packet.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next packet, if all of it is there.
    pub fn next_packet(&mut self) -> Option<Bytes> {
        loop {
            if !self.started {
                self.start()?;
            }
            let (framing, length) = self.header_at(0)?;
            if !self.plausible(0, framing, length) {
                self.resynchronise()?;
                continue;
            }
            let head = head_size(framing);
            if self.buffer.len() < head + length {
                return None;
            }
            self.buffer.advance(head);
            let packet = self.buffer.split_to(length).freeze();
            self.framing = Some(framing);
            if let Some(ssrc) = packet.get(8..12) {
                // a control packet has another layout: its type is 200 to 207
                if !(200..=207).contains(&packet[1]) {
                    self.ssrc = ssrc.first_chunk().copied();
                }
            }
            return Some(packet);
        }
    }

    /// Looks whether a preamble comes first.
    fn start(&mut self) -> Option<()> {
        let (framing, length) = self.header_at(0)?;
        if self.buffer.len() < head_size(framing) + 2 {
            return None;
        }
        if !self.plausible(0, framing, length) {
            if self.buffer.len() < EHOME_PREAMBLE + 16 {
                return None;
            }
            let (framing, length) = self.header_at(EHOME_PREAMBLE)?;
            if self.plausible(EHOME_PREAMBLE, framing, length) {
                self.buffer.advance(EHOME_PREAMBLE);
                self.skipped += EHOME_PREAMBLE as u64;
            }
        }
        self.started = true;
        Some(())
    }

    fn header_at(&self, at: usize) -> Option<(Framing, usize)> {
        let data = self.buffer.get(at..at + 4)?;
        let interleaved = data[0] == b'$' && self.framing != Some(Framing::Rfc4571);
        // a first packet of 9,216 to 9,471 bytes looks interleaved too: what follows tells
        let interleaved = interleaved && self.buffer.get(at + 4).is_none_or(|first| first >> 6 == 2);
        Some(if interleaved {
            (Framing::Interleaved, usize::from(u16::from_be_bytes([data[2], data[3]])))
        } else {
            (Framing::Rfc4571, usize::from(u16::from_be_bytes([data[0], data[1]])))
        })
    }

    /// Whether a packet may begin here.
    fn plausible(&self, at: usize, framing: Framing, length: usize) -> bool {
        let start = at + head_size(framing);
        let agrees = self.framing.is_none_or(|known| known == framing);
        let version = self.buffer.get(start).is_none_or(|first| first >> 6 == 2);
        agrees && version && (8..=MAX_PACKET).contains(&length)
    }

    /// Throws away bytes up to the next header of this stream.
    fn resynchronise(&mut self) -> Option<()> {
        let found = (1..self.buffer.len().saturating_sub(16)).find(|&at| {
            let Some((framing, length)) = self.header_at(at) else { return false };
            let head = self.buffer.get(at + head_size(framing)..).unwrap_or_default();
            let same = match self.ssrc {
                Some(ssrc) => head.get(8..12) == Some(&ssrc),
                None => head.get(1).is_some_and(|kind| kind & 0x7f >= 96 || *kind & 0x7f <= 34),
            };
            same && self.plausible(at, framing, length)
        });
        let skip = found.unwrap_or_else(|| self.buffer.len().saturating_sub(16));
        self.buffer.advance(skip);
        self.skipped += skip as u64;
        found.map(|_| ())
    }
}

const fn head_size(framing: Framing) -> usize {
    match framing {
        Framing::Rfc4571 => 2,
        Framing::Interleaved => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rtp::Packet;

    fn packets(count: u16) -> Vec<Vec<u8>> {
        let one = |sequence| {
            let payload = vec![sequence as u8; 20 + usize::from(sequence % 7)].into();
            Packet { payload_type: 96, marker: false, sequence, timestamp: 9, ssrc: 0x0102_0304, payload }.encode()
        };
        (0..count).map(one).collect()
    }

    fn framed(packets: &[Vec<u8>], interleaved: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for packet in packets {
            if interleaved {
                out.extend([b'$', 0]);
            }
            out.extend((packet.len() as u16).to_be_bytes());
            out.extend(packet);
        }
        out
    }

    fn cut(stream: &[u8], chunk: usize) -> (Vec<Bytes>, Deframer) {
        let (mut deframer, mut out) = (Deframer::default(), Vec::new());
        for piece in stream.chunks(chunk) {
            deframer.push(piece);
            while let Some(packet) = deframer.next_packet() {
                out.push(packet);
            }
        }
        (out, deframer)
    }

    #[test]
    fn every_framing_in_every_chunk() {
        let packets = packets(20);
        for interleaved in [false, true] {
            let stream = framed(&packets, interleaved);
            for chunk in [1, 3, 50, 10_000] {
                assert_eq!(cut(&stream, chunk).0, packets, "interleaved {interleaved}, chunks of {chunk}");
            }
        }
        let ehome = [vec![1; EHOME_PREAMBLE], framed(&packets, false)].concat();
        assert_eq!(cut(&ehome, 100).0, packets);
    }

    #[test]
    fn finds_back_after_a_wrong_length() {
        let packets = packets(20);
        let mut stream = framed(&packets[..10], false);
        stream.extend([0, 3, 1, 2, 3, 9, 9]);
        stream.extend(framed(&packets[10..], false));
        let (got, deframer) = cut(&stream, 64);
        assert_eq!(got, packets);
        assert_eq!(deframer.skipped(), 7);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..2_000), chunk in 1..200_usize) {
            let (out, deframer) = cut(&data, chunk);
            prop_assert!(out.iter().map(Bytes::len).sum::<usize>() <= data.len());
            prop_assert!(deframer.waiting() <= MAX_PACKET + 4);
        }
    }
}
