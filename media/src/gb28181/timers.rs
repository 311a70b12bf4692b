//! What is due when.

use std::{collections::BTreeSet, time::Duration};

use super::{CallId, Topic};
use crate::gbid::GbId;

/// What a timer is for. Firing is a hint: whoever is meant looks at its own deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Device(GbId),
    Catalog(GbId),
    Client(u64),
    Query(GbId, u32),
    Call(CallId),
    Subscription(GbId, Topic),
}

/// Timers in order.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Duration, Key)>);

impl Timers {
    pub(super) fn set(&mut self, at: Duration, key: Key) {
        self.0.insert((at, key));
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The next one that is due.
    pub(super) fn due(&mut self, now: Duration) -> Option<Key> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, key)| key)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
