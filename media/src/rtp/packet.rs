//! One packet (RFC 3550 section 5.1).

use bytes::Bytes;

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Whether the sender marks it, mostly as the last of a picture. Not to be trusted alone.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp, ticks of 90 kHz for video.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Payload, without padding.
    pub payload: Bytes,
}

/// Bytes that are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPacket {
    /// Shorter than its header.
    #[error("the RTP packet ends within its header")]
    Short,
    /// Version is not 2.
    #[error("the packet is not RTP version 2")]
    Version,
    /// The padding is longer than the payload.
    #[error("the RTP packet is padded with more than it has")]
    Padding,
}

impl Packet {
    /// Reads a packet.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(data: &Bytes) -> Result<Self, InvalidPacket> {
        let head: &[u8; 12] = data.first_chunk().ok_or(InvalidPacket::Short)?;
        if head[0] >> 6 != 2 {
            return Err(InvalidPacket::Version);
        }
        let mut start = 12 + 4 * usize::from(head[0] & 0x0f);
        if head[0] & 0x10 != 0 {
            let length = data.get(start + 2..start + 4).ok_or(InvalidPacket::Short)?;
            start += 4 + 4 * usize::from(u16::from_be_bytes([length[0], length[1]]));
        }
        let mut end = data.len();
        if head[0] & 0x20 != 0 {
            let padding = usize::from(data[end - 1]);
            end = end.checked_sub(padding).filter(|_| padding > 0).ok_or(InvalidPacket::Padding)?;
        }
        if start > end {
            return Err(if start > data.len() { InvalidPacket::Short } else { InvalidPacket::Padding });
        }
        Ok(Self {
            payload_type: head[1] & 0x7f,
            marker: head[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([head[2], head[3]]),
            timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
            payload: data.slice(start..end),
        })
    }

    /// The bytes to send.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0x80, self.payload_type & 0x7f | u8::from(self.marker) << 7];
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend_from_slice(&self.payload);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_extensions_and_padding() {
        let mut data = vec![0xb1, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        data.extend([9; 4]); // one contributing source
        data.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]);
        data.extend([1, 2, 3, 0, 2]);
        let packet = Packet::parse(&Bytes::from(data.clone())).unwrap();
        assert_eq!((packet.payload_type, packet.marker, &packet.payload[..]), (96, false, &[1, 2, 3][..]));
        *data.last_mut().unwrap() = 200;
        assert_eq!(Packet::parse(&Bytes::from(data)), Err(InvalidPacket::Padding));
        assert_eq!(Packet::parse(&Bytes::from_static(&[0; 12])), Err(InvalidPacket::Version));
        assert_eq!(Packet::parse(&Bytes::from_static(&[0x80; 11])), Err(InvalidPacket::Short));
    }

    proptest! {
        #[test]
        fn there_and_back(
            payload_type in 0..128_u8, marker in any::<bool>(), sequence in any::<u16>(), timestamp in any::<u32>(),
            ssrc in any::<u32>(), payload in prop::collection::vec(any::<u8>(), 0..50)
        ) {
            let packet = Packet { payload_type, marker, sequence, timestamp, ssrc, payload: payload.into() };
            prop_assert_eq!(Packet::parse(&packet.encode().into()), Ok(packet));
        }

        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Packet::parse(&data.into());
        }
    }
}
