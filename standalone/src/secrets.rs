//! Secrets that the all-in-one makes for itself at its first start, kept in one file that only its owner reads.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use protocol::{EdgeId, Secret};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

/// What the parts use among themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Password of the control plane at the broker.
    pub plane_mqtt: Secret,
    /// Key of the viewer tokens, hexadecimal.
    pub viewer_key: Secret,
    /// Credential of the edge in this process, once it has joined.
    #[serde(default)]
    pub edge: Option<EdgeCredential>,
}

/// What an edge got when it joined.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeCredential {
    /// Its id.
    pub id: EdgeId,
    /// Its secret.
    pub secret: Secret,
}

/// The secrets file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Reading or writing failed.
    #[error("cannot use the secrets file {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The content is damaged. Its text is not shown: it holds secrets.
    #[error("the secrets file {0} is damaged; restore it from a back-up, or delete it and join the edge again")]
    Damaged(PathBuf),
}

impl Secrets {
    /// Reads `path`, or makes new secrets there.
    ///
    /// # Errors
    /// When the file cannot be read, written or understood.
    pub fn load_or_create(path: &Path) -> Result<Self, SecretsError> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| SecretsError::Damaged(path.to_owned())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let new = Self { plane_mqtt: random(), viewer_key: random(), edge: None };
                new.save(path)?;
                Ok(new)
            }
            Err(source) => Err(SecretsError::Io { path: path.to_owned(), source }),
        }
    }

    /// Writes `path` whole or not at all, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), SecretsError> {
        let io = |source| SecretsError::Io { path: path.to_owned(), source };
        let temporary = path.with_extension("new");
        let text = serde_json::to_vec_pretty(self).map_err(|e| io(e.into()))?;
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).map_err(io)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&temporary, path).map_err(io)
    }
}

/// 256 random bits.
pub(crate) fn random() -> Secret {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.json");
        let first = Secrets::load_or_create(&path).unwrap();
        let again = Secrets::load_or_create(&path).unwrap();
        assert_eq!(first.viewer_key, again.viewer_key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn damage_shows_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.json");
        fs::write(&path, "{\"plane_mqtt\": \"hunter2\"").unwrap();
        let error = Secrets::load_or_create(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
