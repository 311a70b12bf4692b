//! Reference pictures 参考画面: kept under their hashes on disk, and asked for when they are missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::ContentHash;
use tokio::sync::Notify;

/// The largest reference picture that is read.
pub(crate) const MAX_BYTES: u64 = 32 << 20;

/// The most pictures that are asked for at one time.
const MAX_WANTED: usize = 1_024;

/// Reference pictures on disk. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct ReferencePictures(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    dir: Option<PathBuf>,
    /// Pictures that are there without a file.
    given: BTreeMap<ContentHash, Vec<u8>>,
    wanted: Mutex<BTreeSet<ContentHash>>,
    asked: Notify,
}

impl ReferencePictures {
    /// Keeps pictures in the folder `dir`, which is made when the first one comes.
    pub fn at(dir: PathBuf) -> Self {
        Self(Arc::new(Inner { dir: Some(dir), ..Inner::default() }))
    }

    /// Has these pictures and no others.
    pub fn given(pictures: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let given = pictures.into_iter().map(|bytes| (ContentHash::of(&bytes), bytes)).collect();
        Self(Arc::new(Inner { given, ..Inner::default() }))
    }

    /// The picture; `None` when it is not here, and then it is wanted.
    pub(crate) fn get(&self, hash: &ContentHash) -> Option<Vec<u8>> {
        if let Some(bytes) = self.0.given.get(hash) {
            return Some(bytes.clone());
        }
        let path = self.path(hash)?;
        let small = fs::metadata(&path).is_ok_and(|m| m.len() <= MAX_BYTES);
        let bytes = small.then(|| fs::read(&path).ok()).flatten().filter(|bytes| ContentHash::of(bytes) == *hash);
        if bytes.is_none() {
            self.want(hash);
        }
        bytes
    }

    /// Asks for a picture, if it is not asked for yet.
    pub fn want(&self, hash: &ContentHash) {
        let mut wanted = self.lock();
        if wanted.len() < MAX_WANTED && wanted.insert(hash.clone()) {
            self.0.asked.notify_one();
        }
    }

    /// Keeps a picture that came.
    ///
    /// # Errors
    /// When it cannot be written, or is not the one with this hash.
    pub fn put(&self, hash: &ContentHash, bytes: &[u8]) -> std::io::Result<()> {
        if ContentHash::of(bytes) != *hash {
            return Err(std::io::Error::other("the bytes have another hash"));
        }
        let Some(path) = self.path(hash) else { return Ok(()) };
        if let Some(dir) = &self.0.dir {
            fs::create_dir_all(dir)?;
        }
        // Renamed when complete: a crash leaves no half picture under the name.
        let partial = path.with_extension("part");
        fs::write(&partial, bytes)?;
        fs::rename(&partial, &path)?;
        self.lock().remove(hash);
        Ok(())
    }

    /// What was asked for and is not here.
    pub fn wanted(&self) -> Vec<ContentHash> {
        self.lock().iter().cloned().collect()
    }

    /// Waits until something more is asked for.
    pub async fn asked(&self) {
        self.0.asked.notified().await;
    }

    fn path(&self, hash: &ContentHash) -> Option<PathBuf> {
        self.0.dir.as_ref().map(|dir| dir.join(format!("{hash}.jpg")))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<ContentHash>> {
        self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_asked_for_once_and_only_the_right_bytes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = ReferencePictures::at(folder.path().join("references"));
        let hash = ContentHash::of(b"approved");
        assert_eq!(pictures.get(&hash), None);
        assert_eq!(pictures.wanted(), std::slice::from_ref(&hash));
        assert!(pictures.put(&hash, b"something else").is_err());
        pictures.put(&hash, b"approved").unwrap();
        assert!(pictures.wanted().is_empty());
        assert_eq!(pictures.get(&hash).as_deref(), Some(&b"approved"[..]));
        let file = folder.path().join("references").join(format!("{hash}.jpg"));
        std::fs::write(file, b"damaged").unwrap();
        assert_eq!(pictures.get(&hash), None, "a damaged file is fetched again");
        assert_eq!(pictures.wanted(), [hash]);
    }
}
