//! The evidence folder: one file per content hash, complete or absent.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use protocol::{ContentHash, Timestamp};
use tracing::warn;

use super::OutboxError;

const TEMPORARY: &str = "tmp";

#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    evidence: PathBuf,
}

impl Files {
    pub(super) fn open(dir: &Path) -> Result<Self, OutboxError> {
        let evidence = dir.join("evidence");
        fs::create_dir_all(&evidence).map_err(|e| OutboxError::file("make the folder", &evidence, e))?;
        Ok(Self { dir: dir.to_owned(), evidence })
    }

    pub(super) fn path(&self, hash: &ContentHash) -> PathBuf {
        self.evidence.join(hash.as_str())
    }

    /// Every complete file. Half-written ones are removed on the way.
    pub(super) fn list(&self) -> Result<Vec<ContentHash>, OutboxError> {
        let failed = |e| OutboxError::file("list", &self.evidence, e);
        let mut hashes = Vec::new();
        for entry in fs::read_dir(&self.evidence).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            match name.parse::<ContentHash>() {
                Ok(hash) => hashes.push(hash),
                Err(_) => drop(fs::remove_file(self.evidence.join(name))),
            }
        }
        Ok(hashes)
    }

    /// Writes a file: beside its place, synced, then renamed. Gives false when it was there already.
    pub(super) async fn write(&self, hash: &ContentHash, bytes: Bytes) -> Result<bool, OutboxError> {
        let (folder, path) = (self.evidence.clone(), self.path(hash));
        let blocking = move || {
            // A file that is there is complete: it got its name by rename only.
            if fs::metadata(&path).is_ok_and(|m| m.len() == bytes.len() as u64) {
                return Ok(false);
            }
            let beside = path.with_extension(TEMPORARY);
            let written = write_synced(&beside, &bytes)
                .and_then(|()| fs::rename(&beside, &path))
                .and_then(|()| fs::File::open(&folder)?.sync_all());
            written.map(|()| true).map_err(|e| {
                let _ = fs::remove_file(&beside);
                OutboxError::file("write", path, e)
            })
        };
        tokio::task::spawn_blocking(blocking)
            .await
            .unwrap_or_else(|e| Err(OutboxError::file("write", self.path(hash), io::Error::other(e))))
    }

    /// Removes files; one that cannot be removed is only a warning, the next open tries again.
    pub(super) fn remove(&self, hashes: &[ContentHash]) {
        for hash in hashes {
            let path = self.path(hash);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    warn!(path = %path.display(), reason = %e, "an evidence file could not be removed");
                }
                _ => {}
            }
        }
    }

    /// Moves a damaged outbox out of the way, into a folder beside its parts.
    pub(super) fn set_aside(&self, now: Timestamp) -> Result<PathBuf, OutboxError> {
        let aside = self.dir.join(format!("damaged-{}", now.as_micros()));
        let failed = |e| OutboxError::file("put the damaged outbox aside in", &aside, e);
        fs::create_dir_all(&aside).map_err(failed)?;
        for name in ["outbox.db", "outbox.db-wal", "outbox.db-shm", "evidence"] {
            match fs::rename(self.dir.join(name), aside.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
                _ => {}
            }
        }
        fs::create_dir_all(&self.evidence).map_err(failed)?;
        Ok(aside)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
