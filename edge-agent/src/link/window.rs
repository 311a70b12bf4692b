//! Which events are under way. Pure.

use std::{collections::BTreeMap, time::Duration};

use protocol::wire::{Receipt, Received};
use tokio::time::Instant;

/// The most events under way at a time.
pub(super) const SIZE: usize = 64;

/// Events that were sent and have no receipt yet, by their place in the order of commit.
#[derive(Debug, Default)]
pub(super) struct Window {
    under_way: BTreeMap<i64, (Received, Instant)>,
    sent_up_to: i64,
}

impl Window {
    /// How many more may go.
    pub(super) fn free(&self) -> u32 {
        SIZE.saturating_sub(self.under_way.len()) as u32
    }

    /// The place up to which everything went at least once since the last [`Window::reset`].
    pub(super) fn sent_up_to(&self) -> i64 {
        self.sent_up_to
    }

    pub(super) fn sent(&mut self, seq: i64, event: Received, now: Instant) {
        self.under_way.insert(seq, (event, now));
        self.sent_up_to = self.sent_up_to.max(seq);
    }

    /// Passes over an event that cannot be sent, or left the outbox.
    pub(super) fn skip(&mut self, seq: i64) {
        self.under_way.remove(&seq);
        self.sent_up_to = self.sent_up_to.max(seq);
    }

    /// Events that wait for a receipt for too long, oldest first.
    pub(super) fn overdue(&self, now: Instant, patience: Duration) -> Vec<i64> {
        let late = |(_, (_, sent)): &(&i64, &(Received, Instant))| now.duration_since(*sent) >= patience;
        self.under_way.iter().filter(late).map(|(seq, _)| *seq).collect()
    }

    pub(super) fn received(&mut self, receipt: &Receipt) {
        self.under_way.retain(|_, (event, _)| !receipt.events.contains(event));
    }

    /// Starts over: nothing that was under way counts as sent.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use protocol::{EventId, Timestamp};

    use super::*;

    fn event(revision: u32) -> Received {
        Received { id: EventId::new(Timestamp::from_secs(1)), revision }
    }

    #[test]
    fn is_bounded_and_goes_on_with_receipts() {
        let (mut window, now) = (Window::default(), Instant::now());
        let events: Vec<_> = (1..=64).map(event).collect();
        for (seq, event) in (1..).zip(&events) {
            window.sent(seq, *event, now);
        }
        assert_eq!((window.free(), window.sent_up_to()), (0, 64));
        window.received(&Receipt { events: vec![events[1], events[63], event(7)] });
        assert_eq!((window.free(), window.sent_up_to()), (2, 64));
        window.reset();
        assert_eq!((window.free(), window.sent_up_to()), (64, 0));
    }

    #[test]
    fn what_waits_too_long_is_due_again() {
        let (mut window, start) = (Window::default(), Instant::now());
        let patience = Duration::from_secs(15);
        window.sent(1, event(1), start);
        window.sent(2, event(2), start + Duration::from_secs(5));
        assert_eq!(window.overdue(start + Duration::from_secs(14), patience), [0; 0]);
        assert_eq!(window.overdue(start + Duration::from_secs(15), patience), [1]);
        window.sent(1, event(1), start + Duration::from_secs(15));
        assert_eq!(window.overdue(start + Duration::from_secs(20), patience), [2]);
        window.skip(2);
        assert_eq!(window.overdue(start + Duration::from_secs(29), patience), [0; 0]);
        assert_eq!(window.overdue(start + Duration::from_secs(30), patience), [1]);
    }
}
