//! What consumers get.

use std::sync::Arc;

use bytes::Bytes;
use media::VideoParams;
use protocol::Timestamp;

/// One encoded picture.
#[derive(Clone, Debug)]
pub struct AccessUnit {
    /// Presentation time on the camera's media clock, microseconds. It goes on over reconnects: the time
    /// without a picture passes on this clock too.
    pub pts_us: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Whether decoding can start here.
    pub key: bool,
    /// Whether no other picture needs this one.
    pub disposable: bool,
    /// Annex B, with parameter sets before every key frame.
    pub data: Bytes,
    /// What the stream is.
    pub params: Arc<VideoParams>,
}

/// What a subscription gives.
#[derive(Clone, Debug)]
pub enum Unit {
    /// The next picture.
    Frame(Arc<AccessUnit>),
    /// Pictures are missing here: the consumer was too slow, packets were lost, or the stream started
    /// over. The next unit is a key frame.
    Gap,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A High profile 1920×1080 SPS, a PPS, and an IDR slice.
    pub(crate) const KEY: &[u8] = &[
        0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03,
        0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x3c, 0x60, 0xc6, 0x58, 0, 0, 0, 1, 0x68, 0xeb, 0xe3, 0xcb, 0x22,
        0xc0, 0, 0, 0, 1, 0x65, 0x88, 0x84,
    ];
    /// A slice that refers to others.
    pub(crate) const DELTA: &[u8] = &[0, 0, 0, 1, 0x41, 0x9a, 0x24];

    pub(crate) fn params() -> Arc<VideoParams> {
        Arc::new(media::ParameterSets::new(media::Codec::H264).update(KEY).unwrap().unwrap())
    }

    /// A picture presented and received at `at_us`.
    pub(crate) fn unit(at_us: i64, key: bool) -> Arc<AccessUnit> {
        Arc::new(AccessUnit {
            pts_us: at_us,
            received_at: Timestamp::from_micros(at_us),
            key,
            disposable: false,
            data: Bytes::from_static(if key { KEY } else { DELTA }),
            params: params(),
        })
    }
}
