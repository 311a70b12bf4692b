//! The desired state on disk, so that the edge starts without the control plane.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use protocol::{DesiredState, Timestamp};

/// The file that keeps the newest desired state.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
    path: PathBuf,
}

/// What was found on disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Loaded {
    /// Nothing: a new edge.
    Nothing,
    /// The state that was kept.
    State(DesiredState),
    /// Something that cannot be read; it was moved out of the way.
    Damaged {
        /// To where.
        set_aside: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {path}: {reason}; check the folder's permissions and free space")]
pub struct KeptError {
    doing: &'static str,
    path: PathBuf,
    reason: io::Error,
}

impl Kept {
    /// The file's place in the agent's data folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), path: folder.join("desired.json") }
    }

    /// Reads the file. One that is damaged is renamed, so that the next start is clean.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub fn load(&self, now: Timestamp) -> Result<Loaded, KeptError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Nothing),
            Err(e) => return Err(self.failed("read", e)),
        };
        match serde_json::from_slice(&bytes) {
            Ok(state) => Ok(Loaded::State(state)),
            Err(e) => {
                let set_aside = self.folder.join(format!("desired.damaged-{}.json", now.as_micros()));
                fs::rename(&self.path, &set_aside).map_err(|e| self.failed("put aside", e))?;
                // The category only: the message could quote a camera's password.
                let reason = format!("{:?} error at line {}, column {}", e.classify(), e.line(), e.column());
                Ok(Loaded::Damaged { set_aside, reason })
            }
        }
    }

    /// Writes the file: beside its place, synced, then renamed. Only the agent's user may read it, for it
    /// holds the cameras' passwords.
    ///
    /// # Errors
    /// When it cannot be written; the file that was there stays.
    pub fn store(&self, state: &DesiredState) -> Result<(), KeptError> {
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let beside = self.path.with_extension("json.tmp");
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(&serde_json::to_vec(state)?)?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)?;
            fs::File::open(&self.folder)?.sync_all()
        };
        write().map_err(|e| self.failed("write", e))
    }

    fn failed(&self, doing: &'static str, reason: io::Error) -> KeptError {
        KeptError { doing, path: self.path.clone(), reason }
    }
}
