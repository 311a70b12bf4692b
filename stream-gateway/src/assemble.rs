//! From what a source delivers to what consumers may rely on.

use std::sync::Arc;

use media::{
    Codec, ParameterSets, VideoParams,
    nal::{self, NalKind},
};
use protocol::{StreamState, Timestamp};

use crate::{
    AccessUnit,
    source::{Fault, RawUnit},
    timeline::Timeline,
};

/// Makes access units: one clock, known parameters, and nothing that refers to a lost picture.
#[derive(Debug)]
pub(crate) struct Assembler {
    timeline: Timeline,
    sets: ParameterSets,
    codec: Codec,
    params: Option<Arc<VideoParams>>,
    /// Source time of the last run has no meaning any more.
    new_run: bool,
    /// All up to the next key frame is of no use.
    wait_for_key: bool,
}

/// An access unit, and whether pictures are missing before it.
#[derive(Debug)]
pub(crate) struct Assembled {
    pub(crate) unit: AccessUnit,
    pub(crate) restart: bool,
}

impl Assembler {
    pub(crate) fn new() -> Self {
        let codec = Codec::H264;
        let sets = ParameterSets::new(codec);
        Self { timeline: Timeline::default(), sets, codec, params: None, new_run: true, wait_for_key: true }
    }

    /// Notes that a new connection begins.
    pub(crate) const fn restart(&mut self) {
        (self.new_run, self.wait_for_key) = (true, true);
    }

    /// Takes one picture; `None` when it is of no use.
    ///
    /// # Errors
    /// When the parameter sets are damaged. Later pictures may be good again.
    pub(crate) fn push(&mut self, raw: RawUnit, received_at: Timestamp) -> Result<Option<Assembled>, Fault> {
        let Some((key, disposable)) = nal::picture(raw.codec, &raw.data) else { return Ok(None) };
        // what arrived is whole, but it may refer to what did not
        self.wait_for_key |= raw.lost > 0;
        if self.wait_for_key && !key {
            return Ok(None);
        }
        if raw.codec != self.codec {
            (self.codec, self.sets, self.params) = (raw.codec, ParameterSets::new(raw.codec), None);
        }
        let mut data = raw.data;
        if key {
            let changed = self.sets.update(&data);
            let damaged = |e: media::InvalidParameterSet| Fault::new(StreamState::DecodeError, e.to_string());
            if let Some(params) = changed.map_err(damaged)? {
                self.params = Some(Arc::new(params));
            }
        }
        let Some(params) = &self.params else { return Ok(None) };
        if key && !has_parameter_sets(raw.codec, &data) {
            data = [params.parameter_sets.as_ref(), data.as_ref()].concat().into();
        }
        let pts_us = self.timeline.map(raw.source_us, received_at, self.new_run);
        let restart = self.wait_for_key;
        (self.new_run, self.wait_for_key) = (false, false);
        let unit = AccessUnit { pts_us, received_at, key, disposable, data, params: Arc::clone(params) };
        Ok(Some(Assembled { unit, restart }))
    }
}

fn has_parameter_sets(codec: Codec, annex_b: &[u8]) -> bool {
    nal::units(annex_b)
        .map(|nal| codec.kind(nal))
        .take_while(|kind| !matches!(kind, NalKind::Slice { .. }))
        .any(|kind| kind == NalKind::Sps)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::unit::tests::{DELTA, KEY};

    fn raw(n: i64, data: &'static [u8], lost: u32) -> RawUnit {
        RawUnit { codec: Codec::H264, source_us: n * 40_000, lost, data: Bytes::from_static(data) }
    }

    /// `K`, `p`: passed; upper-case `R` before it: pictures are missing; `.`: dropped; `!`: an error.
    fn check(input: &[(&'static [u8], u32)], expect: &str) {
        let mut assembler = Assembler::new();
        let mut seen = String::new();
        for (n, &(data, lost)) in (0..).zip(input) {
            match assembler.push(raw(n, data, lost), Timestamp::from_micros(n * 40_000)) {
                Err(_) => seen.push('!'),
                Ok(None) => seen.push('.'),
                Ok(Some(Assembled { unit, restart })) => {
                    seen.push_str(if restart { "R" } else { "" });
                    seen.push(if unit.key { 'K' } else { 'p' });
                }
            }
        }
        assert_eq!(seen, expect);
    }

    const SEI: &[u8] = &[0, 0, 0, 1, 0x06, 0x05, 0x01, 0x80];
    const BARE_KEY: &[u8] = &[0, 0, 0, 1, 0x65, 0x88];
    const DAMAGED: &[u8] = &[0, 0, 0, 1, 0x67, 0x64, 0, 0, 0, 1, 0x68, 0xeb, 0, 0, 0, 1, 0x65, 0x88];

    #[test]
    fn starts_at_a_key_frame() {
        check(&[(DELTA, 0), (BARE_KEY, 0), (KEY, 0), (DELTA, 0), (SEI, 0), (KEY, 0)], "..RKp.K");
    }

    #[test]
    fn loss_drops_up_to_the_next_key_frame() {
        check(&[(KEY, 0), (DELTA, 0), (DELTA, 3), (DELTA, 0), (KEY, 0), (DELTA, 0), (KEY, 1)], "RKp..RKpRK");
    }

    #[test]
    fn damaged_parameters_are_told_and_survived() {
        check(&[(DAMAGED, 0), (KEY, 0), (DAMAGED, 0), (DELTA, 0)], "!RK!p");
    }

    #[test]
    fn key_frames_always_carry_parameter_sets() {
        let mut assembler = Assembler::new();
        let at = Timestamp::from_secs(1);
        assembler.push(raw(0, KEY, 0), at).unwrap().unwrap();
        let bare = assembler.push(raw(1, BARE_KEY, 0), at).unwrap().unwrap().unit;
        assert!(has_parameter_sets(Codec::H264, &bare.data));
    }
}
