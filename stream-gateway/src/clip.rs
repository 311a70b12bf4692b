//! Pieces of video cut from the ring.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use media::mp4::{self, Sample};
use protocol::Timestamp;
use tokio::time::timeout;

use crate::{
    AccessUnit, UnknownCamera,
    channel::{Channel, Demand},
};

/// How long past its end a clip is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest clip: the ring keeps little more.
pub(crate) const MAX_LENGTH: Duration = Duration::from_secs(30);

/// A piece of video as an MP4 file.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The file.
    pub bytes: Bytes,
    /// When its first picture arrived.
    pub starts_at: Timestamp,
    /// How long it plays.
    pub duration_ms: u32,
    /// Picture width.
    pub width: u32,
    /// Picture height.
    pub height: u32,
}

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// No such camera.
    #[error(transparent)]
    UnknownCamera(#[from] UnknownCamera),
    /// The camera was removed while the clip was waited for.
    #[error("the camera was removed before the clip was complete")]
    Removed,
    /// The times are not one after the other, or too far apart.
    #[error("a clip ends after its start and lasts {} s at most", MAX_LENGTH.as_secs())]
    Range,
    /// Nothing was received then, or it is too long ago.
    #[error("no video of that time is kept: the camera was not delivering, or it is too long ago")]
    NoVideo,
    /// The file could not be written.
    #[error(transparent)]
    Mp4(#[from] media::Mp4Error),
    /// The writer failed.
    #[error("the clip could not be written")]
    Writer,
}

/// Waits until `to` has arrived and cuts.
pub(crate) async fn record(channel: &Arc<Channel>, from: Timestamp, to: Timestamp) -> Result<Clip, ClipError> {
    if from >= to || to.since(from) > MAX_LENGTH {
        return Err(ClipError::Range);
    }
    let demand = Demand::on(channel);
    let patience = (to + PATIENCE).since(channel.clock.now());
    // when the time is over, what there is has to do
    let _ = timeout(patience, arrival(demand.channel(), to)).await;
    if channel.token.is_cancelled() {
        return Err(ClipError::Removed);
    }
    let units = select(channel.ring().units(), from, to);
    tokio::task::spawn_blocking(move || write(&units)).await.map_err(|_| ClipError::Writer)?
}

async fn arrival(channel: &Channel, to: Timestamp) {
    let mut written = channel.written();
    while channel.ring().newest().is_none_or(|newest| newest < to) {
        tokio::select! {
            changed = written.changed() => if changed.is_err() { return },
            () = channel.token.cancelled() => return,
        }
    }
}

/// From the last key frame at or before `from`, or else the first after it, up to `to`. When the stream
/// changed in between (another picture size), the longer part.
fn select<'a>(
    units: impl Iterator<Item = &'a Arc<AccessUnit>>,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Arc<AccessUnit>> {
    let mut parts: Vec<Vec<Arc<AccessUnit>>> = Vec::new();
    for unit in units.take_while(|unit| unit.received_at <= to) {
        if unit.key && unit.received_at <= from {
            parts.clear();
        }
        match parts.last_mut() {
            Some(part) if part[0].params == unit.params => part.push(Arc::clone(unit)),
            _ if unit.key => parts.push(vec![Arc::clone(unit)]),
            _ => {}
        }
    }
    let mut best = parts.into_iter().max_by_key(Vec::len).unwrap_or_default();
    if best.last().is_some_and(|last| last.received_at < from) {
        best.clear();
    }
    best
}

fn write(units: &[Arc<AccessUnit>]) -> Result<Clip, ClipError> {
    let first = units.first().ok_or(ClipError::NoVideo)?;
    let samples: Vec<_> = units.iter().map(|u| Sample { annex_b: &u.data, key: u.key, pts_us: u.pts_us }).collect();
    let file = mp4::file(&first.params, &samples)?;
    Ok(Clip {
        bytes: file.bytes,
        starts_at: first.received_at,
        duration_ms: file.duration_ms,
        width: first.params.width,
        height: first.params.height,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::tests::unit;

    /// Cuts out of 10 s with a key frame each second; gives first and last time in milliseconds.
    fn check(from_ms: i64, to_ms: i64, expect: Option<(i64, i64)>) {
        let units: Vec<_> = (0..250).map(|n| unit(n * 40_000, n % 25 == 0)).collect();
        let at = |ms: i64| Timestamp::from_micros(ms * 1_000);
        let cut = select(units.iter(), at(from_ms), at(to_ms));
        let ends = cut.first().zip(cut.last()).map(|(a, b)| (a.pts_us / 1_000, b.pts_us / 1_000));
        assert_eq!(ends, expect, "from {from_ms} to {to_ms}");
        assert!(cut.first().is_none_or(|unit| unit.key));
    }

    #[test]
    fn starts_at_the_key_frame_before() {
        check(2_500, 7_500, Some((2_000, 7_480)));
        check(3_000, 4_000, Some((3_000, 4_000)));
        check(-5_000, 1_000, Some((0, 1_000)));
        check(9_500, 20_000, Some((9_000, 9_960)));
        check(12_000, 20_000, None);
        check(-20_000, -10_000, None);
    }

    #[test]
    fn a_clip_has_one_picture_size() {
        let mut units: Vec<_> = (0..100).map(|n| unit(n * 40_000, n % 25 == 0)).collect();
        let mut params = (*units[0].params).clone();
        params.width = 640;
        let params = Arc::new(params);
        for unit in &mut units[75..] {
            Arc::make_mut(unit).params = Arc::clone(&params);
        }
        let cut = select(units.iter(), Timestamp::from_micros(0), Timestamp::from_secs(10));
        assert_eq!((cut.len(), cut[0].params.width), (75, 1920));
        assert_eq!(write(&cut).unwrap().duration_ms, 3_000);
    }
}
