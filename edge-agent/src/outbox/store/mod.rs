//! The outbox database. The only SQL of the edge.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use protocol::{ContentHash, Event, EvidenceKind, MessageId, Timestamp, wire::Received};
use sqlx::{
    ConnectOptions as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

mod counts;
mod open;

use super::{EvidenceBlob, OutboxCounts, OutboxError, OutboxLimits, QueuedEvent};

/// Layout of the tables, kept in `user_version`.
const LAYOUT: i64 = 1;

/// Records of dropped evidence that are kept for whoever looks into the file.
const DROPPED_RECORDS: i64 = 1_000;

const TABLES: &str = "
create table if not exists event (
    seq integer primary key autoincrement,      -- order of commit
    id text not null,
    revision integer not null,
    message text not null,                      -- id of the message that carries it
    body text not null,                         -- the event as JSON
    committed_at integer not null,              -- microseconds
    unreadable integer not null default 0,
    unique (id, revision)
);
create table if not exists evidence (
    seq integer primary key autoincrement,
    hash text not null unique,                  -- also the file's name
    kind text not null,                         -- snapshot | clip
    bytes integer not null,
    media_type text not null,
    state text not null,                        -- waiting | dropped
    committed_at integer not null
);
create index if not exists evidence_waiting on evidence (state, kind, seq);
";

#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    connection: SqliteConnection,
    // `None` while unknown: a write takes it out and puts the new value back, so that a write that was cancelled
    // half-way, and may or may not have happened, leads to a recount.
    counts: Option<OutboxCounts>,
    // Set while a transaction is open. One that was cancelled is rolled back before anything else.
    unfinished: bool,
    since_open: SinceOpen,
}

#[derive(Clone, Copy, Debug, Default)]
struct SinceOpen {
    dropped_evidence: u64,
    dropped_events: u64,
}

/// What did not fit.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    pub(super) evidence: Vec<ContentHash>,
    pub(super) events: u64,
}

#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) rows_without_file: usize,
    pub(super) files_without_row: Vec<ContentHash>,
}

#[derive(Debug)]
pub(super) struct EvidenceRow {
    pub(super) hash: ContentHash,
    pub(super) kind: EvidenceKind,
    pub(super) bytes: u64,
    pub(super) media_type: String,
}

#[derive(Debug)]
pub(super) struct ReadEvents {
    pub(super) events: Vec<QueuedEvent>,
    pub(super) unreadable: u64,
}

impl Store {
    pub(super) async fn open(dir: &Path) -> Result<Self, OutboxError> {
        let path = dir.join("outbox.db");
        let failed = |e| OutboxError::database(&path, e);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With a write-ahead log only `full` makes a commit survive a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        let mut connection = options.connect().await.map_err(failed)?;
        let found: i64 = sqlx::query_scalar("pragma user_version").fetch_one(&mut connection).await.map_err(failed)?;
        if found > LAYOUT {
            return Err(OutboxError::Newer { path, found });
        }
        sqlx::raw_sql(TABLES).execute(&mut connection).await.map_err(failed)?;
        sqlx::raw_sql(open::TABLE).execute(&mut connection).await.map_err(failed)?;
        sqlx::raw_sql(counts::TABLE).execute(&mut connection).await.map_err(failed)?;
        sqlx::raw_sql("pragma user_version = 1").execute(&mut connection).await.map_err(failed)?;
        Ok(Self { path, connection, counts: None, unfinished: false, since_open: SinceOpen::default() })
    }

    // SQLite itself rolls back when the disk is full, of which sqlx's transactions lose count: after that
    // each `begin` of theirs fails. Hence three statements by hand.
    async fn begin(&mut self) -> Result<(), OutboxError> {
        self.settle().await;
        (self.unfinished, self.counts) = (true, None);
        let begun = sqlx::raw_sql("begin immediate").execute(&mut self.connection).await;
        self.end(begun.map(drop)).await
    }

    async fn finish<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, OutboxError> {
        let outcome = match outcome {
            Ok(value) => sqlx::raw_sql("commit").execute(&mut self.connection).await.map(|_| value),
            Err(e) => Err(e),
        };
        self.unfinished = outcome.is_err();
        self.end(outcome).await
    }

    async fn end<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, OutboxError> {
        if outcome.is_err() {
            self.settle().await;
        }
        outcome.map_err(|e| OutboxError::database(&self.path, e))
    }

    async fn settle(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            self.counts = None;
            // It fails when there is nothing to roll back any more, which is as good.
            let _ = sqlx::raw_sql("rollback").execute(&mut self.connection).await;
        }
    }

    /// Brings rows and files together after a crash.
    pub(super) async fn repair(&mut self, files: &[ContentHash]) -> Result<Repaired, OutboxError> {
        let rows: Vec<String> = sqlx::query_scalar("select hash from evidence where state = 'waiting'")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|e| OutboxError::database(&self.path, e))?;
        let rows: HashSet<&str> = rows.iter().map(String::as_str).collect();
        let on_disk: HashSet<&str> = files.iter().map(ContentHash::as_str).collect();
        let missing: Vec<ContentHash> =
            rows.iter().filter(|h| !on_disk.contains(**h)).filter_map(|h| h.parse().ok()).collect();
        let files_without_row = files.iter().filter(|h| !rows.contains(h.as_str())).cloned().collect();
        self.drop_evidence(&missing).await?;
        Ok(Repaired { rows_without_file: missing.len(), files_without_row })
    }

    pub(super) async fn counts(&mut self) -> Result<OutboxCounts, OutboxError> {
        self.settle().await;
        if let Some(counts) = self.counts {
            return Ok(OutboxCounts {
                dropped_evidence: self.since_open.dropped_evidence,
                dropped_events: self.since_open.dropped_events,
                ..counts
            });
        }
        let row = sqlx::query(
            "select (select count(*) from event where unreadable = 0),
                    (select count(*) from event where unreadable = 1),
                    (select count(*) from evidence where state = 'waiting'),
                    (select coalesce(sum(bytes), 0) from evidence where state = 'waiting')",
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(|e| OutboxError::database(&self.path, e))?;
        let number = |i: usize| row.try_get::<i64, _>(i).map(i64::unsigned_abs);
        let read = || {
            Ok(OutboxCounts {
                events: number(0)?,
                unreadable_events: number(1)?,
                evidence_files: number(2)?,
                evidence_bytes: number(3)?,
                dropped_evidence: self.since_open.dropped_evidence,
                dropped_events: self.since_open.dropped_events,
            })
        };
        let counts = read().map_err(|e| OutboxError::database(&self.path, e))?;
        self.counts = Some(counts);
        Ok(counts)
    }

    /// Inserts an event revision with its evidence and keeps the limits, in one transaction.
    pub(super) async fn insert(
        &mut self,
        event: &Event,
        body: &str,
        evidence: &[EvidenceBlob],
        limits: &OutboxLimits,
        now: Timestamp,
    ) -> Result<Dropped, OutboxError> {
        let mut counts = self.counts().await?;
        self.begin().await?;
        let tx = &mut self.connection;
        let work = async {
            let mut dropped = Dropped::default();
            let fresh = sqlx::query(
                "insert into event (id, revision, message, body, committed_at) values ($1, $2, $3, $4, $5)
                 on conflict (id, revision) do nothing",
            )
            .bind(event.id.to_string())
            .bind(i64::from(event.revision))
            .bind(MessageId::new(now).to_string())
            .bind(body)
            .bind(now.as_micros())
            .execute(&mut *tx)
            .await?
            .rows_affected();
            counts.events += fresh;
            if fresh > 0 {
                open::note(tx, event, body, now).await?;
            }
            for EvidenceBlob { evidence, .. } in evidence {
                // A dropped piece that comes again is new, at the end of the line.
                sqlx::query("delete from evidence where hash = $1 and state = 'dropped'")
                    .bind(evidence.hash.as_str())
                    .execute(&mut *tx)
                    .await?;
                let inserted = sqlx::query(
                    "insert into evidence (hash, kind, bytes, media_type, state, committed_at)
                     values ($1, $2, $3, $4, 'waiting', $5) on conflict (hash) do nothing",
                )
                .bind(evidence.hash.as_str())
                .bind(kind_name(evidence.kind))
                .bind(evidence.bytes.cast_signed())
                .bind(&evidence.media_type)
                .bind(now.as_micros())
                .execute(&mut *tx)
                .await?
                .rows_affected();
                counts.evidence_files += inserted;
                counts.evidence_bytes += inserted * evidence.bytes;
            }
            let over = counts.evidence_bytes.saturating_sub(limits.max_evidence_bytes);
            if over > 0 {
                let oldest = oldest(tx, over).await?;
                mark_dropped(tx, &oldest, &mut counts).await?;
                dropped.evidence = oldest;
            }
            let over = counts.events.saturating_sub(limits.max_events.max(1));
            if over > 0 {
                dropped.events = sqlx::query(
                    "delete from event where seq in
                         (select seq from event where unreadable = 0 order by seq limit $1)",
                )
                .bind(over.cast_signed())
                .execute(&mut *tx)
                .await?
                .rows_affected();
                counts.events -= dropped.events;
            }
            Ok((dropped, counts))
        };
        let outcome = work.await;
        let (dropped, counts) = self.finish(outcome).await?;
        self.counts = Some(counts);
        self.since_open.dropped_evidence += dropped.evidence.len() as u64;
        self.since_open.dropped_events += dropped.events;
        Ok(dropped)
    }

    pub(super) async fn events_after(&mut self, seq: i64, limit: u32) -> Result<ReadEvents, OutboxError> {
        self.settle().await;
        let failed = |e| OutboxError::database(&self.path, e);
        let rows =
            sqlx::query("select seq, message, body from event where seq > $1 and unreadable = 0 order by seq limit $2")
                .bind(seq)
                .bind(i64::from(limit))
                .fetch_all(&mut self.connection)
                .await
                .map_err(failed)?;
        let mut read = ReadEvents { events: Vec::with_capacity(rows.len()), unreadable: 0 };
        for row in rows {
            let seq: i64 = row.try_get(0).map_err(failed)?;
            let message: String = row.try_get(1).map_err(failed)?;
            let body: String = row.try_get(2).map_err(failed)?;
            if let (Ok(message), Ok(event)) = (message.parse(), serde_json::from_str(&body)) {
                read.events.push(QueuedEvent { seq, message, event });
            } else {
                // One bad row must not block those behind it.
                self.counts = None;
                sqlx::query("update event set unreadable = 1 where seq = $1")
                    .bind(seq)
                    .execute(&mut self.connection)
                    .await
                    .map_err(failed)?;
                read.unreadable += 1;
            }
        }
        Ok(read)
    }

    pub(super) async fn delete_events(&mut self, received: &[Received]) -> Result<u64, OutboxError> {
        let mut counts = self.counts().await?;
        self.begin().await?;
        let tx = &mut self.connection;
        let work = async {
            let mut deleted = 0;
            for one in received {
                deleted += sqlx::query("delete from event where id = $1 and revision = $2 and unreadable = 0")
                    .bind(one.id.to_string())
                    .bind(i64::from(one.revision))
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
            }
            Ok(deleted)
        };
        let outcome = work.await;
        let deleted = self.finish(outcome).await?;
        counts.events -= deleted;
        self.counts = Some(counts);
        Ok(deleted)
    }

    pub(super) async fn next_evidence(
        &mut self,
        except: &HashSet<ContentHash>,
    ) -> Result<Option<EvidenceRow>, OutboxError> {
        self.settle().await;
        let failed = |e| OutboxError::database(&self.path, e);
        // As many rows as could be excepted, and one more.
        let limit = i64::try_from(except.len()).unwrap_or(i64::MAX).saturating_add(1);
        let rows = sqlx::query(
            "select hash, kind, bytes, media_type from evidence where state = 'waiting'
             order by kind = 'clip', seq limit $1",
        )
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed)?;
        for row in rows {
            let hash: String = row.try_get(0).map_err(failed)?;
            let Ok(hash) = hash.parse::<ContentHash>() else { continue };
            if except.contains(&hash) {
                continue;
            }
            return Ok(Some(EvidenceRow {
                hash,
                kind: kind_of(&row.try_get::<String, _>(1).map_err(failed)?),
                bytes: row.try_get::<i64, _>(2).map_err(failed)?.unsigned_abs(),
                media_type: row.try_get(3).map_err(failed)?,
            }));
        }
        Ok(None)
    }

    pub(super) async fn delete_evidence(&mut self, hash: &ContentHash) -> Result<(), OutboxError> {
        self.settle().await;
        self.counts = None;
        sqlx::query("delete from evidence where hash = $1")
            .bind(hash.as_str())
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(|e| OutboxError::database(&self.path, e))
    }

    /// The oldest evidence that together has at least `bytes`.
    pub(super) async fn oldest_evidence(&mut self, bytes: u64) -> Result<Vec<ContentHash>, OutboxError> {
        self.settle().await;
        oldest(&mut self.connection, bytes).await.map_err(|e| OutboxError::database(&self.path, e))
    }

    pub(super) async fn drop_evidence(&mut self, hashes: &[ContentHash]) -> Result<(), OutboxError> {
        let mut counts = self.counts().await?;
        let before = counts.evidence_files;
        self.begin().await?;
        let outcome = mark_dropped(&mut self.connection, hashes, &mut counts).await;
        self.finish(outcome).await?;
        self.since_open.dropped_evidence += before - counts.evidence_files;
        self.counts = Some(counts);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

async fn oldest(connection: &mut SqliteConnection, bytes: u64) -> Result<Vec<ContentHash>, sqlx::Error> {
    let (mut hashes, mut sum, mut after) = (Vec::new(), 0, 0_i64);
    while sum < bytes {
        let rows = sqlx::query(
            "select seq, hash, bytes from evidence where state = 'waiting' and seq > $1 order by seq limit 64",
        )
        .bind(after)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if sum >= bytes {
                break;
            }
            after = row.try_get(0)?;
            sum += row.try_get::<i64, _>(2)?.unsigned_abs();
            hashes.extend(row.try_get::<String, _>(1)?.parse());
        }
    }
    Ok(hashes)
}

async fn mark_dropped(
    connection: &mut SqliteConnection,
    hashes: &[ContentHash],
    counts: &mut OutboxCounts,
) -> Result<(), sqlx::Error> {
    for hash in hashes {
        let bytes: Option<i64> = sqlx::query_scalar(
            "update evidence set state = 'dropped' where hash = $1 and state = 'waiting' returning bytes",
        )
        .bind(hash.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(bytes) = bytes {
            counts.evidence_files = counts.evidence_files.saturating_sub(1);
            counts.evidence_bytes = counts.evidence_bytes.saturating_sub(bytes.unsigned_abs());
        }
    }
    if !hashes.is_empty() {
        sqlx::query(
            "delete from evidence where state = 'dropped' and seq <=
                 (select seq from evidence where state = 'dropped' order by seq desc limit 1 offset $1)",
        )
        .bind(DROPPED_RECORDS)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

const fn kind_name(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::Snapshot => "snapshot",
        EvidenceKind::Clip => "clip",
    }
}

fn kind_of(name: &str) -> EvidenceKind {
    if name == "clip" { EvidenceKind::Clip } else { EvidenceKind::Snapshot }
}
