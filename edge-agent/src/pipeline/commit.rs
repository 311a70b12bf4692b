//! Commits to the outbox, again and again until it takes them.

use std::{collections::VecDeque, time::Duration};

use protocol::{Event, EvidenceKind};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use super::warnings::Warnings;
use crate::outbox::{EvidenceBlob, Outbox, OutboxError};

const OUTBOX_FAILED: &str = "outbox_failed";
const EVENT_LOST: &str = "event_lost";
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Evidence that is kept in memory while the outbox fails. Above it the oldest clip goes, then the oldest snapshot.
const MAX_BYTES: usize = 64 << 20;
/// Revisions that are kept in memory while the outbox fails. Above it the oldest goes, as the last resort.
const MAX_REVISIONS: usize = 2_000;

/// Revisions on their way into the outbox, in order.
pub(super) struct Commits {
    outbox: Outbox,
    warnings: Warnings,
    waiting: VecDeque<(Event, Vec<EvidenceBlob>)>,
    retry_at: Option<Instant>,
}

impl Commits {
    pub(super) fn new(outbox: Outbox, warnings: Warnings) -> Self {
        Self { outbox, warnings, waiting: VecDeque::new(), retry_at: None }
    }

    /// Commits a revision; when the outbox does not take it now, later.
    pub(super) async fn commit(&mut self, event: Event, blobs: Vec<EvidenceBlob>) {
        self.waiting.push_back((event, blobs));
        if self.retry_at.is_none() {
            self.retry().await;
        } else {
            self.shed();
        }
    }

    /// Waits until it is time to try again; for ever when nothing waits.
    pub(super) async fn retry_due(&self) {
        match self.retry_at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Tries to commit what waits.
    pub(super) async fn retry(&mut self) {
        self.retry_at = None;
        while let Some((event, blobs)) = self.waiting.front() {
            match self.outbox.commit(event, blobs).await {
                Ok(()) => {
                    if self.warnings.clear(OUTBOX_FAILED, None) {
                        info!("the outbox takes events again");
                    }
                }
                Err(
                    e @ (OutboxError::EventTooLarge { .. }
                    | OutboxError::NotStorable(_)
                    | OutboxError::EvidenceSize { .. }),
                ) => {
                    error!(event.id = %event.id, reason = %e, "an event cannot be stored and is lost");
                    self.warnings.set(EVENT_LOST, None, format!("an event was lost, report this as a defect: {e}"));
                }
                Err(e) => {
                    let message = format!("new events are kept in memory only, until the outbox takes them: {e}");
                    if self.warnings.set(OUTBOX_FAILED, None, message) {
                        error!(event.id = %event.id, reason = %e, "the outbox does not take events; trying again");
                    }
                    self.retry_at = Some(Instant::now() + RETRY_AFTER);
                    self.shed();
                    return;
                }
            }
            self.waiting.pop_front();
        }
    }

    /// Gives up evidence, clips first, then whole revisions, when too much waits.
    fn shed(&mut self) {
        for kind in [EvidenceKind::Clip, EvidenceKind::Snapshot] {
            while self.bytes() > MAX_BYTES {
                let has = |(_, blobs): &&mut (Event, Vec<EvidenceBlob>)| blobs.iter().any(|b| b.evidence.kind == kind);
                let Some((event, blobs)) = self.waiting.iter_mut().find(has) else { break };
                warn!(event.id = %event.id, "evidence is dropped, memory is short while the outbox fails");
                let dropped: Vec<_> =
                    blobs.iter().filter(|b| b.evidence.kind == kind).map(|b| b.evidence.hash.clone()).collect();
                blobs.retain(|b| b.evidence.kind != kind);
                for (event, _) in &mut self.waiting {
                    event.evidence.retain(|e| !dropped.contains(&e.hash));
                }
            }
        }
        while self.waiting.len() > MAX_REVISIONS {
            if let Some((event, _)) = self.waiting.pop_front() {
                error!(event.id = %event.id, "an event is lost: the outbox has failed for too long");
                self.warnings.set(
                    EVENT_LOST,
                    None,
                    "events were lost while the outbox failed; see outbox_failed".into(),
                );
            }
        }
    }

    fn bytes(&self) -> usize {
        self.waiting.iter().flat_map(|(_, blobs)| blobs).map(|b| b.bytes.len()).sum()
    }
}
