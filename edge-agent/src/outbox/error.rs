//! What can go wrong with the outbox.

use std::{io, path::PathBuf};

use protocol::ContentHash;

/// Why the outbox did not do it.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// No room on the disk.
    #[error("the disk that holds {path} is full; free space there or lower outbox.max_evidence_bytes")]
    DiskFull {
        /// The outbox's folder.
        path: PathBuf,
    },
    /// A folder or file that cannot be used.
    #[error("cannot {doing} {path}: {reason}; check that the folder exists and that the agent may write to it")]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// The database said no.
    #[error("the outbox database {path} failed: {reason}")]
    Database {
        /// The database file.
        path: PathBuf,
        /// Why.
        reason: sqlx::Error,
    },
    /// Written by a newer agent.
    #[error("the outbox {path} was written by a newer version of the agent (layout {found}); update this agent")]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Layout that was found.
        found: i64,
    },
    /// An event that no message can carry.
    #[error("the event has {bytes} bytes, more than one message can carry")]
    EventTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// An event that cannot be written as JSON.
    #[error("the event cannot be stored: {0}")]
    NotStorable(String),
    /// Evidence whose stated size is not its size.
    #[error("evidence {hash} states {stated} bytes but has {got}")]
    EvidenceSize {
        /// Which.
        hash: ContentHash,
        /// As stated.
        stated: u64,
        /// As it is.
        got: u64,
    },
}

// Primary result codes of SQLite, https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_NOT_A_DATABASE: u32 = 26;

impl OutboxError {
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if source.kind() == io::ErrorKind::StorageFull || source.kind() == io::ErrorKind::QuotaExceeded {
            return Self::DiskFull { path };
        }
        Self::File { doing, path, reason: source }
    }

    pub(super) fn database(path: impl Into<PathBuf>, source: sqlx::Error) -> Self {
        let path = path.into();
        if primary_code(&source) == Some(SQLITE_FULL) {
            return Self::DiskFull { path };
        }
        Self::Database { path, reason: source }
    }

    pub(super) fn is_corrupt(&self) -> bool {
        let Self::Database { reason, .. } = self else { return false };
        matches!(primary_code(reason), Some(SQLITE_CORRUPT | SQLITE_NOT_A_DATABASE))
    }
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    // The low byte of an extended code is the primary one.
    code.parse::<u32>().ok().map(|c| c & 0xff)
}
