//! The outbox: events and evidence on disk until the control plane has them.
//!
//! One folder holds `outbox.db` (SQLite, write-ahead log, synced at each commit) and `evidence/`, a file per
//! content hash. Order is the invariant: a file is complete and synced before the row that names it is
//! committed, and a row is gone before its file is removed. So a crash at any point leaves, at worst, files
//! without a row, which the next open removes.
//!
//! An event row leaves only by the control plane's [`Receipt`]; an evidence row by a complete upload. When
//! the disk share is used up, the oldest evidence is dropped first and the oldest event last; both are
//! counted and reported.

mod error;
mod files;
mod store;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use protocol::{ContentHash, Event, Evidence, EvidenceKind, HourlyCounts, MessageId, Timestamp, wire, wire::Receipt};
use runtime::Clock;
use serde::Deserialize;
use tokio::sync::{Mutex, watch};
use tracing::{error, warn};

pub use self::error::OutboxError;
use self::{files::Files, store::Store};

/// How much the outbox may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboxLimits {
    /// Evidence that waits for upload, bytes. Above it the oldest is dropped.
    pub max_evidence_bytes: u64,
    /// Event revisions that wait for a receipt. Above it the oldest is dropped, as the last resort.
    pub max_events: u64,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { max_evidence_bytes: 8 << 30, max_events: 200_000 }
    }
}

/// A picture or clip with its bytes.
#[derive(Clone, Debug)]
pub struct EvidenceBlob {
    /// What it is; its hash is that of `bytes`.
    pub evidence: Evidence,
    /// The file.
    pub bytes: Bytes,
}

/// What the outbox holds, and what it had to drop since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Event revisions that wait for a receipt.
    pub events: u64,
    /// Pieces of evidence that wait for upload.
    pub evidence_files: u64,
    /// Their size.
    pub evidence_bytes: u64,
    /// Evidence dropped: no room, refused by the control plane, or its file was gone.
    pub dropped_evidence: u64,
    /// Event revisions dropped, as the last resort.
    pub dropped_events: u64,
    /// Event rows that cannot be read; they stay on disk for a person to look at.
    pub unreadable_events: u64,
}

/// An event revision that waits, with its place in the order of commit.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedEvent {
    /// Place in the order of commit.
    pub seq: i64,
    /// Id of the message that carries it, the same each time it is sent.
    pub message: MessageId,
    /// The revision.
    pub event: Event,
}

/// A piece of evidence that waits for upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedEvidence {
    /// Hash of the file.
    pub hash: ContentHash,
    /// Snapshot or clip.
    pub kind: EvidenceKind,
    /// Size in bytes.
    pub bytes: u64,
    /// `image/jpeg` or `video/mp4`.
    pub media_type: String,
    /// The file.
    pub path: PathBuf,
}

/// The outbox. Clones share it.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Files,
    limits: OutboxLimits,
    clock: Arc<dyn Clock>,
    // One writer at a time, held over file and row together: see the invariant in the module's head.
    store: Mutex<Store>,
    counts: watch::Sender<OutboxCounts>,
    set_aside: Option<PathBuf>,
}

impl Outbox {
    /// Opens the outbox in the folder `dir`, which is made when missing, and repairs what a crash left.
    ///
    /// A database that is damaged beyond reading is moved aside, with its evidence, so that the edge goes on.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn open(dir: &Path, limits: OutboxLimits, clock: Arc<dyn Clock>) -> Result<Self, OutboxError> {
        let files = Files::open(dir)?;
        let (mut store, set_aside) = match Store::open(dir).await {
            Err(e) if e.is_corrupt() => {
                let aside = files.set_aside(clock.now())?;
                error!(path = %aside.display(), reason = %e, "the outbox is damaged and was put aside");
                (Store::open(dir).await?, Some(aside))
            }
            opened => (opened?, None),
        };
        let lost = store.repair(&files.list()?).await?;
        if lost.rows_without_file > 0 {
            warn!(evidence.count = lost.rows_without_file, "evidence files are missing and count as dropped");
        }
        files.remove(&lost.files_without_row);
        let (counts, _) = watch::channel(store.counts().await?);
        Ok(Self(Arc::new(Inner { files, limits, clock, store: Mutex::new(store), counts, set_aside })))
    }

    /// Takes an event revision with its evidence: all of it or nothing, and on disk for good when it returns.
    /// A revision that is already there is left as it is.
    ///
    /// # Errors
    /// [`OutboxError::DiskFull`] may be tried again later; nothing was stored.
    pub async fn commit(&self, event: &Event, evidence: &[EvidenceBlob]) -> Result<(), OutboxError> {
        let body = serde_json::to_string(event).map_err(|e| OutboxError::NotStorable(e.to_string()))?;
        // The envelope around it is a few hundred bytes; what does not fit could never be sent.
        if body.len() + 1024 > wire::MAX_MESSAGE_BYTES {
            return Err(OutboxError::EventTooLarge { bytes: body.len() });
        }
        if let Some(bad) = evidence.iter().find(|b| b.evidence.bytes != b.bytes.len() as u64) {
            return Err(OutboxError::EvidenceSize {
                hash: bad.evidence.hash.clone(),
                stated: bad.evidence.bytes,
                got: bad.bytes.len() as u64,
            });
        }
        let mut store = self.0.store.lock().await;
        let mut outcome = self.try_commit(&mut store, event, &body, evidence).await;
        // A new event is worth more than old evidence, so room is made once before giving up.
        if matches!(outcome, Err(OutboxError::DiskFull { .. })) && self.make_room(&mut store, evidence).await? {
            outcome = self.try_commit(&mut store, event, &body, evidence).await;
        }
        self.tell(&mut store).await?;
        outcome
    }

    async fn try_commit(
        &self,
        store: &mut Store,
        event: &Event,
        body: &str,
        evidence: &[EvidenceBlob],
    ) -> Result<(), OutboxError> {
        let mut written = Vec::new();
        for blob in evidence {
            match self.0.files.write(&blob.evidence.hash, blob.bytes.clone()).await {
                Ok(true) => written.push(blob.evidence.hash.clone()),
                Ok(false) => {}
                Err(e) => {
                    self.0.files.remove(&written);
                    return Err(e);
                }
            }
        }
        match store.insert(event, body, evidence, &self.0.limits, self.0.clock.now()).await {
            Ok(dropped) => {
                self.0.files.remove(&dropped.evidence);
                if !dropped.evidence.is_empty() {
                    warn!(evidence.count = dropped.evidence.len(), "the outbox is full: oldest evidence dropped");
                }
                if dropped.events > 0 {
                    error!(event.count = dropped.events, "the outbox is full: oldest events dropped");
                }
                Ok(())
            }
            Err(e) => {
                self.0.files.remove(&written);
                Err(e)
            }
        }
    }

    /// Gives up old evidence for as many bytes as `needed` takes. Files go first here, against the usual
    /// order: marking the rows may itself need the room, and a row without a file is repaired at open.
    async fn make_room(&self, store: &mut Store, needed: &[EvidenceBlob]) -> Result<bool, OutboxError> {
        let bytes = needed.iter().map(|b| b.evidence.bytes).sum::<u64>().max(1 << 20);
        let oldest = store.oldest_evidence(bytes).await?;
        self.0.files.remove(&oldest);
        store.drop_evidence(&oldest).await?;
        warn!(evidence.count = oldest.len(), "the disk is full: oldest evidence dropped");
        Ok(!oldest.is_empty())
    }

    /// The oldest event revisions, in the order of commit.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_events(&self, limit: u32) -> Result<Vec<Event>, OutboxError> {
        Ok(self.events_after(0, limit).await?.into_iter().map(|q| q.event).collect())
    }

    /// As [`Outbox::next_events`], beginning after place `seq`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_after(&self, seq: i64, limit: u32) -> Result<Vec<QueuedEvent>, OutboxError> {
        let mut store = self.0.store.lock().await;
        let read = store.events_after(seq, limit).await?;
        if read.unreadable > 0 {
            error!(event.count = read.unreadable, "events in the outbox cannot be read and stay behind");
            self.tell(&mut store).await?;
        }
        Ok(read.events)
    }

    /// The event revision at place `seq`; `None` once it left.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn event_at(&self, seq: i64) -> Result<Option<QueuedEvent>, OutboxError> {
        let found = self.events_after(seq - 1, 1).await?.pop();
        Ok(found.filter(|q| q.seq == seq))
    }

    /// Deletes what the control plane has. Gives how many revisions that were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn receive(&self, receipt: &Receipt) -> Result<u64, OutboxError> {
        let mut store = self.0.store.lock().await;
        let received = store.delete_events(&receipt.events).await?;
        self.tell(&mut store).await?;
        Ok(received)
    }

    /// The next piece of evidence to upload that is not in `except`: snapshots before clips, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_evidence(&self, except: &HashSet<ContentHash>) -> Result<Option<QueuedEvidence>, OutboxError> {
        let row = self.0.store.lock().await.next_evidence(except).await?;
        Ok(row.map(|row| QueuedEvidence {
            path: self.0.files.path(&row.hash),
            hash: row.hash,
            kind: row.kind,
            bytes: row.bytes,
            media_type: row.media_type,
        }))
    }

    /// Deletes evidence that the control plane has completely.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn evidence_uploaded(&self, hash: &ContentHash) -> Result<(), OutboxError> {
        let mut store = self.0.store.lock().await;
        store.delete_evidence(hash).await?;
        self.0.files.remove(std::slice::from_ref(hash));
        self.tell(&mut store).await
    }

    /// Gives up evidence that can never be uploaded; it is counted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn drop_evidence(&self, hash: &ContentHash) -> Result<(), OutboxError> {
        let mut store = self.0.store.lock().await;
        store.drop_evidence(std::slice::from_ref(hash)).await?;
        self.0.files.remove(std::slice::from_ref(hash));
        self.tell(&mut store).await
    }

    /// Events that are not over as far as the outbox knows, each in its newest revision, with when that was last
    /// confirmed. After a start these are what the run before left open: they outlive their receipts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_events(&self) -> Result<Vec<(Event, Timestamp)>, OutboxError> {
        self.0.store.lock().await.open_events().await
    }

    /// Notes that everything open still is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn still_open(&self) -> Result<(), OutboxError> {
        self.0.store.lock().await.still_open(self.0.clock.now()).await
    }

    /// Takes the counts of an hour; those that are there for the same camera and hour are replaced.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn commit_counts(&self, counts: &HourlyCounts) -> Result<(), OutboxError> {
        let body = serde_json::to_string(counts).map_err(|e| OutboxError::NotStorable(e.to_string()))?;
        let mut store = self.0.store.lock().await;
        store.insert_counts(counts, &body, self.0.clock.now()).await?;
        // Wakes the link.
        self.tell(&mut store).await
    }

    /// Hourly counts after place `seq`, at most `limit`: those that were never sent, and those of hours from `recent`
    /// on, which go again because nobody confirms them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counts_after(
        &self,
        seq: i64,
        recent: Timestamp,
        limit: u32,
    ) -> Result<Vec<(i64, HourlyCounts)>, OutboxError> {
        self.0.store.lock().await.counts_after(seq, recent, limit).await
    }

    /// Notes that the counts at place `seq` were sent.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn counts_sent(&self, seq: i64) -> Result<(), OutboxError> {
        self.0.store.lock().await.mark_counts_sent(seq).await
    }

    /// Changes whenever something came or left.
    pub fn changed(&self) -> watch::Receiver<OutboxCounts> {
        self.0.counts.subscribe()
    }

    /// What is in it now.
    pub fn counts(&self) -> OutboxCounts {
        *self.0.counts.borrow()
    }

    /// Its limits.
    pub fn limits(&self) -> OutboxLimits {
        self.0.limits
    }

    /// Where a damaged outbox was put when this one was opened.
    pub fn set_aside(&self) -> Option<&Path> {
        self.0.set_aside.as_deref()
    }

    async fn tell(&self, store: &mut Store) -> Result<(), OutboxError> {
        let counts = store.counts().await?;
        self.0.counts.send_replace(counts);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod carried_tests;
