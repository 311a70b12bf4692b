//! The last half minute of one camera, and cursors into it.
//!
//! ```text
//!        first                     newest key        next
//!  … gone │ K p p p p K p p p p p │ K p p p p        │ …
//!              ▲ slow: skips to ──▶ ▲ joins here   ▲ waits here
//! ```
//! There is no queue per consumer: a consumer is a position. Whoever is too far behind jumps to the newest
//! key frame and is told so.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use protocol::Timestamp;

use crate::{AccessUnit, Unit};

/// How much of a camera is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingLimits {
    pub(crate) age: Duration,
    pub(crate) bytes: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        // clips look 5 s back and are cut up to 10 s later; the rest is for edges that are busy
        Self { age: Duration::from_secs(40), bytes: 48 << 20 }
    }
}

/// A consumer this far behind, with a newer key frame at hand, skips to that.
pub(crate) const MAX_LAG: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Entry {
    unit: Arc<AccessUnit>,
    /// Pictures are missing before this one.
    restart: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ring {
    limits: RingLimits,
    entries: VecDeque<Entry>,
    /// Number of the oldest entry.
    first: u64,
    bytes: usize,
    newest_key: Option<u64>,
    /// Whether a stream is writing: a new consumer is not shown pictures from before an outage.
    live: bool,
}

/// Where a consumer is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    next: u64,
    synced: bool,
    told: Option<u64>,
    skipped: u64,
}

impl Cursor {
    /// How often the consumer was too slow.
    pub(crate) const fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl Ring {
    pub(crate) const fn new(limits: RingLimits) -> Self {
        Self { limits, entries: VecDeque::new(), first: 0, bytes: 0, newest_key: None, live: false }
    }

    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Adds a picture. Full: the oldest go.
    pub(crate) fn push(&mut self, unit: Arc<AccessUnit>, restart: bool) {
        if unit.key {
            self.newest_key = Some(self.end());
            self.live = true;
        }
        self.bytes += unit.data.len();
        let oldest = unit.received_at - self.limits.age;
        self.entries.push_back(Entry { unit, restart });
        while self.entries.len() > 1
            && (self.bytes > self.limits.bytes || self.entries.front().is_some_and(|e| e.unit.received_at < oldest))
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(gone) = self.entries.pop_front() {
            self.bytes -= gone.unit.data.len();
            self.first += 1;
        }
    }

    /// Notes that no stream is writing.
    pub(crate) const fn stop(&mut self) {
        self.live = false;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.first = self.end();
        self.entries = VecDeque::new();
        (self.bytes, self.newest_key, self.live) = (0, None, false);
    }

    /// The next unit for `cursor`; `None` when it has to wait.
    pub(crate) fn read(&self, cursor: &mut Cursor) -> Option<Unit> {
        if !cursor.synced {
            let key = self.newest_key.filter(|&key| self.live && key >= cursor.next.max(self.first))?;
            *cursor = Cursor { next: key, synced: true, told: Some(key), ..*cursor };
        }
        if cursor.next < self.first {
            return Some(Self::skip(cursor));
        }
        let entry = self.entries.get(usize::try_from(cursor.next - self.first).ok()?)?;
        let newest = self.entries.back()?.unit.received_at;
        if self.newest_key.is_some_and(|key| key > cursor.next) && newest.since(entry.unit.received_at) > MAX_LAG {
            return Some(Self::skip(cursor));
        }
        if entry.restart && cursor.told != Some(cursor.next) {
            cursor.told = Some(cursor.next);
            return Some(Unit::Gap);
        }
        cursor.next += 1;
        Some(Unit::Frame(Arc::clone(&entry.unit)))
    }

    fn skip(cursor: &mut Cursor) -> Unit {
        cursor.synced = false;
        cursor.skipped += 1;
        Unit::Gap
    }

    /// All units, oldest first.
    pub(crate) fn units(&self) -> impl DoubleEndedIterator<Item = &Arc<AccessUnit>> {
        self.entries.iter().map(|entry| &entry.unit)
    }

    /// When the newest arrived.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.entries.back().map(|entry| entry.unit.received_at)
    }

    pub(crate) const fn is_live(&self) -> bool {
        self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::tests::unit;

    /// Pushes pictures of 40 ms, a key frame each `gop`, and gives the time after the last.
    fn fill(ring: &mut Ring, from: i64, count: i64, gop: i64) -> i64 {
        for n in from..from + count {
            ring.push(unit(n * 40_000, n % gop == 0), false);
        }
        from + count
    }

    fn drain(ring: &Ring, cursor: &mut Cursor) -> String {
        let mut seen = String::new();
        while let Some(unit) = ring.read(cursor) {
            seen.push(match unit {
                Unit::Gap => '|',
                Unit::Frame(unit) if unit.key => 'K',
                Unit::Frame(_) => 'p',
            });
        }
        seen
    }

    #[test]
    fn a_late_joiner_starts_at_the_newest_key_frame() {
        let mut ring = Ring::new(RingLimits::default());
        fill(&mut ring, 0, 28, 25);
        let mut cursor = Cursor::default();
        assert_eq!(drain(&ring, &mut cursor), "Kpp");
        fill(&mut ring, 28, 2, 25);
        assert_eq!(drain(&ring, &mut cursor), "pp");
    }

    #[test]
    fn nobody_joins_into_an_outage() {
        let mut ring = Ring::new(RingLimits::default());
        fill(&mut ring, 0, 10, 25);
        ring.stop();
        let mut cursor = Cursor::default();
        assert_eq!(drain(&ring, &mut cursor), "");
        ring.push(unit(1_000_000, true), true);
        assert_eq!(drain(&ring, &mut cursor), "K", "the first thing a consumer gets is never a gap");
    }

    #[test]
    fn a_slow_consumer_skips_to_the_newest_key_frame() {
        let mut ring = Ring::new(RingLimits::default());
        let mut cursor = Cursor::default();
        let next = fill(&mut ring, 0, 10, 25);
        assert_eq!(drain(&ring, &mut cursor), "Kppppppppp");
        fill(&mut ring, next, 93, 25);
        assert_eq!(drain(&ring, &mut cursor), "|Kpp");
        assert_eq!(cursor.skipped(), 1);
    }

    #[test]
    fn a_restart_is_told_once() {
        let mut ring = Ring::new(RingLimits::default());
        let mut cursor = Cursor::default();
        fill(&mut ring, 0, 2, 25);
        assert_eq!(drain(&ring, &mut cursor), "Kp");
        ring.stop();
        ring.push(unit(90_000, true), true);
        ring.push(unit(130_000, false), false);
        assert_eq!(drain(&ring, &mut cursor), "|Kp");
        assert_eq!(cursor.skipped(), 0);
    }

    #[test]
    fn memory_is_bounded_by_age_and_bytes() {
        let mut ring = Ring::new(RingLimits { age: Duration::from_secs(40), bytes: usize::MAX });
        fill(&mut ring, 0, 3_000, 25);
        assert_eq!(ring.units().count(), 1_001);
        let size = unit(0, false).data.len();
        let mut ring = Ring::new(RingLimits { age: Duration::from_secs(40), bytes: size * 30 });
        let mut cursor = Cursor::default();
        fill(&mut ring, 0, 5, 1_000);
        assert_eq!(drain(&ring, &mut cursor), "Kpppp");
        fill(&mut ring, 5, 200, 1_000);
        assert!(ring.bytes <= size * 30);
        assert_eq!(drain(&ring, &mut cursor), "|", "its key frame is gone: it waits for the next one");
        ring.push(unit(9_000_000, true), false);
        assert_eq!(drain(&ring, &mut cursor), "K");
    }
}
