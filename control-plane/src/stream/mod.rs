//! Changes: store, then tell.
//!
//! Whoever changes something appends to the `changes` table in the same transaction; after the commit
//! [`Changes::tell`] wakes the open streams, which read from the table what they have not yet sent. A stream
//! that was away resumes from its cursor; nothing is kept in memory that could be lost.

pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;

pub(crate) use store::append;
use tokio::sync::watch;
pub(crate) use types::ChangeKind;

/// The newest change that is committed.
#[derive(Debug)]
pub(crate) struct Changes(watch::Sender<i64>);

impl Changes {
    pub(crate) fn starting_at(newest: i64) -> Self {
        Self(watch::Sender::new(newest))
    }

    /// Wakes the streams: everything up to `newest` is committed.
    pub(crate) fn tell(&self, newest: i64) {
        self.0.send_if_modified(|seq| {
            let later = newest > *seq;
            *seq = newest.max(*seq);
            later
        });
    }

    pub(crate) fn listen(&self) -> watch::Receiver<i64> {
        self.0.subscribe()
    }
}
