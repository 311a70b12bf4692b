//! One lane of uploads: takes a piece, brings it up, takes the next.

use std::{collections::HashSet, io, sync::Arc, time::Duration};

use protocol::ContentHash;
use runtime::Backoff;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, error, warn};

use super::{Piece, Shared, UploadState, client::UploadError};
use crate::outbox::{OutboxError, QueuedEvidence};

/// How long a piece that failed by itself waits behind the others.
const ASIDE: Duration = Duration::from_mins(1);

/// How often a piece may arrive damaged although it is whole on this side.
const MAX_FAILURES: u32 = 5;

pub(super) struct Lane {
    shared: Arc<Shared>,
    backoff: Backoff,
}

impl Lane {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), backoff: Backoff::default() }
    }

    pub(super) async fn run(&mut self) {
        let mut changed = self.shared.outbox.changed();
        loop {
            match self.claim().await {
                Ok(Some(piece)) => self.bring_up(&piece).await,
                // Pieces set aside come back by time alone.
                Ok(None) => drop(timeout(Duration::from_secs(5), changed.changed()).await),
                Err(e) => {
                    error!(reason = %e, "evidence cannot be read from the outbox");
                    sleep(Duration::from_secs(5)).await;
                }
            }
        }
    }

    /// The next piece that no lane works on and that need not wait.
    async fn claim(&self) -> Result<Option<QueuedEvidence>, OutboxError> {
        let mut pieces = self.shared.pieces.lock().await;
        let now = Instant::now();
        let busy = |p: &Piece| p.busy_until.is_none_or(|until| until > now);
        let except: HashSet<ContentHash> =
            pieces.iter().filter(|(_, p)| busy(p)).map(|(hash, _)| hash.clone()).collect();
        let next = self.shared.outbox.next_evidence(&except).await?;
        if let Some(piece) = &next {
            pieces.entry(piece.hash.clone()).or_insert(Piece { failures: 0, busy_until: None }).busy_until = None;
        } else {
            // Nothing waits, so what is not busy has left the outbox.
            pieces.retain(|_, p| busy(p));
        }
        Ok(next)
    }

    async fn bring_up(&mut self, piece: &QueuedEvidence) {
        let outcome = self.shared.client.upload(piece).await;
        let now = self.shared.clock.now();
        match outcome {
            Ok(()) => {
                self.backoff.connected(now);
                self.shared.state.send_replace(UploadState::Good);
                debug!(evidence.hash = %piece.hash, evidence.bytes = piece.bytes, "evidence uploaded");
                self.leave(piece, false).await;
            }
            Err(UploadError::Unreachable(detail)) => self.wait(piece, UploadState::Waiting { detail }).await,
            Err(UploadError::Unauthorised) => self.wait(piece, UploadState::Unauthorised).await,
            Err(e @ UploadError::Refused(_)) => {
                error!(evidence.hash = %piece.hash, reason = %e, "evidence is given up");
                self.leave(piece, true).await;
            }
            Err(e @ UploadError::Damaged) => {
                // Damaged on the way, or already here?
                let whole = tokio::fs::read(&piece.path).await.is_ok_and(|b| ContentHash::of(&b) == piece.hash);
                let failures = self.set_aside(piece, Duration::ZERO).await;
                warn!(evidence.hash = %piece.hash, reason = %e, failures, "evidence is sent again from the start");
                if !whole || failures >= MAX_FAILURES {
                    error!(evidence.hash = %piece.hash, whole, "evidence is given up");
                    self.leave(piece, true).await;
                } else {
                    let wait = self.backoff.failed(now, &mut rand::rng());
                    sleep(wait).await;
                }
            }
            // Dropped meanwhile for want of room, or cut short by a disk that lied about a sync.
            Err(UploadError::File(e)) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => {
                warn!(evidence.hash = %piece.hash, reason = %e, "evidence is gone");
                self.leave(piece, true).await;
            }
            Err(e @ (UploadError::Odd(_) | UploadError::File(_))) => {
                warn!(evidence.hash = %piece.hash, reason = %e, "evidence waits behind the others");
                self.set_aside(piece, ASIDE).await;
            }
        }
    }

    /// Waits before anything else is tried; the piece is free for whoever is first then.
    async fn wait(&mut self, piece: &QueuedEvidence, state: UploadState) {
        let wait = self.backoff.failed(self.shared.clock.now(), &mut rand::rng());
        let changed = self.shared.state.send_if_modified(|current| {
            let changed = *current != state;
            current.clone_from(&state);
            changed
        });
        if changed {
            warn!(reason = ?state, "evidence waits for the control plane");
        }
        self.shared.pieces.lock().await.remove(&piece.hash);
        sleep(wait).await;
    }

    async fn set_aside(&self, piece: &QueuedEvidence, wait: Duration) -> u32 {
        let mut pieces = self.shared.pieces.lock().await;
        let entry = pieces.entry(piece.hash.clone()).or_insert(Piece { failures: 0, busy_until: None });
        entry.failures += 1;
        entry.busy_until = Some(Instant::now() + wait);
        entry.failures
    }

    /// Takes the piece out of the outbox, uploaded or given up.
    async fn leave(&self, piece: &QueuedEvidence, dropped: bool) {
        let outbox = &self.shared.outbox;
        let outcome =
            if dropped { outbox.drop_evidence(&piece.hash).await } else { outbox.evidence_uploaded(&piece.hash).await };
        if let Err(e) = outcome {
            // It is still there: the next round finds it uploaded at once.
            error!(evidence.hash = %piece.hash, reason = %e, "evidence could not be taken out of the outbox");
            self.set_aside(piece, ASIDE).await;
            return;
        }
        self.shared.pieces.lock().await.remove(&piece.hash);
    }
}
