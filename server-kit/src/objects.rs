//! The object store: files in a directory, addressed by their content, uploaded in resumable pieces.
//!
//! ```text
//! root/partial/<hash>       what has arrived so far; its length is the offset to go on from
//! root/<ha>/<hash>          complete, verified, never changed again
//! ```
//! A name can only be a [`ContentHash`], so no path that anybody types ever reaches the file system.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use protocol::ContentHash;
use sha2::{Digest as _, Sha256};
use tokio::{
    fs,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
};

/// Files by content.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    root: Arc<PathBuf>,
    max_bytes: u64,
    /// One upload per object at a time.
    busy: Arc<Mutex<HashSet<ContentHash>>>,
}

/// How much of an object is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are here.
    pub offset: u64,
    /// All of it, verified.
    pub complete: bool,
}

/// Why bytes were not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// They begin somewhere else than where the rest ends.
    #[error("the upload must go on at byte {0}")]
    Offset(u64),
    /// Another upload of the same object is running.
    #[error("the same object is being uploaded by somebody else")]
    Busy,
    /// Larger than allowed.
    #[error("an object may have at most {0} bytes")]
    TooLarge(u64),
    /// More bytes than were announced.
    #[error("more bytes came than `upload-length` announced")]
    TooMany,
    /// The whole has another hash. What was here is thrown away.
    #[error("the bytes have another hash than their name says; start again at byte 0")]
    WrongHash,
    /// The sender went silent or broke off. What came is kept.
    #[error("the upload broke off: {0}")]
    BrokenOff(String),
    /// The disk.
    #[error("the object store failed: {0}")]
    Io(#[from] io::Error),
}

/// Pieces of an upload.
pub trait Pieces: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, String>>> + Send;
}

struct Turn<'a>(&'a ObjectStore, &'a ContentHash);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(self.1);
    }
}

impl ObjectStore {
    /// How long a sender may be silent.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Opens the store in `root`, which is made when missing.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub async fn open(root: &Path, max_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(root.join("partial")).await?;
        Ok(Self { root: Arc::new(root.to_owned()), max_bytes, busy: Arc::default() })
    }

    /// Path of a complete object; it may not be there.
    pub fn path(&self, hash: &ContentHash) -> PathBuf {
        self.root.join(&hash.as_str()[..2]).join(hash.as_str())
    }

    /// How much of `hash` is here.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn progress(&self, hash: &ContentHash) -> io::Result<Progress> {
        if let Some(offset) = length(&self.path(hash)).await? {
            return Ok(Progress { offset, complete: true });
        }
        Ok(Progress { offset: length(&self.partial(hash)).await?.unwrap_or(0), complete: false })
    }

    /// Takes the bytes of `hash` from `offset` on; `total` is the size of the whole. What came before a failure
    /// is kept for the next try.
    ///
    /// # Errors
    /// When the bytes do not continue what is here, are too many, end with another hash, or the disk fails.
    pub async fn append(
        &self,
        hash: &ContentHash,
        offset: u64,
        total: u64,
        pieces: &mut impl Pieces,
    ) -> Result<Progress, UploadError> {
        if total > self.max_bytes {
            return Err(UploadError::TooLarge(self.max_bytes));
        }
        let _turn = self.turn(hash)?;
        let here = self.progress(hash).await?;
        if here.complete {
            return Ok(here);
        }
        if here.offset != offset || offset > total {
            return Err(UploadError::Offset(here.offset));
        }
        let partial = self.partial(hash);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&partial).await?;
        let taken = take(&mut file, total - offset, pieces).await;
        file.flush().await?;
        let offset = offset + taken?;
        if offset < total {
            return Ok(Progress { offset, complete: false });
        }
        file.sync_all().await?;
        drop(file);
        self.finish(hash, &partial).await?;
        Ok(Progress { offset, complete: true })
    }

    async fn finish(&self, hash: &ContentHash, partial: &Path) -> Result<(), UploadError> {
        if digest(partial).await? != hash.as_str() {
            fs::remove_file(partial).await?;
            return Err(UploadError::WrongHash);
        }
        let path = self.path(hash);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).await?;
        fs::rename(partial, &path).await?;
        // The rename is only safe from a power cut once the folder is.
        fs::File::open(folder).await?.sync_all().await?;
        Ok(())
    }

    fn turn<'a>(&'a self, hash: &'a ContentHash) -> Result<Turn<'a>, UploadError> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if busy.insert(hash.clone()) { Ok(Turn(self, hash)) } else { Err(UploadError::Busy) }
    }

    fn partial(&self, hash: &ContentHash) -> PathBuf {
        self.root.join("partial").join(hash.as_str())
    }
}

async fn take(file: &mut fs::File, room: u64, pieces: &mut impl Pieces) -> Result<u64, UploadError> {
    let mut taken = 0;
    loop {
        let piece = tokio::time::timeout(ObjectStore::PATIENCE, pieces.next())
            .await
            .map_err(|_| UploadError::BrokenOff("the sender is silent".into()))?;
        let Some(piece) = piece else { return Ok(taken) };
        let piece = piece.map_err(UploadError::BrokenOff)?;
        if piece.len() as u64 > room - taken {
            return Err(UploadError::TooMany);
        }
        file.write_all(&piece).await?;
        taken += piece.len() as u64;
    }
}

async fn length(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path).await {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (fs::File::open(path).await?, Sha256::new());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok(hex::encode(hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct List(Vec<Result<Bytes, String>>);

    impl Pieces for List {
        async fn next(&mut self) -> Option<Result<Bytes, String>> {
            if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
        }
    }

    fn bytes(parts: &[&'static str]) -> List {
        List(parts.iter().map(|p| Ok(Bytes::from_static(p.as_bytes()))).collect())
    }

    #[tokio::test]
    async fn goes_on_where_it_broke_off() {
        let folder = tempfile::tempdir().unwrap();
        let store = ObjectStore::open(folder.path(), 100).await.unwrap();
        let hash = ContentHash::of(b"hello world");
        let mut broken = List(vec![Ok(Bytes::from_static(b"hello")), Err("reset".into())]);
        assert!(matches!(store.append(&hash, 0, 11, &mut broken).await, Err(UploadError::BrokenOff(_))));
        assert_eq!(store.progress(&hash).await.unwrap(), Progress { offset: 5, complete: false });
        let again = store.append(&hash, 0, 11, &mut bytes(&["hello world"])).await;
        assert!(matches!(again, Err(UploadError::Offset(5))));
        let done = store.append(&hash, 5, 11, &mut bytes(&[" wor", "ld"])).await.unwrap();
        assert_eq!(done, Progress { offset: 11, complete: true });
        assert_eq!(store.append(&hash, 0, 11, &mut bytes(&["x"])).await.unwrap(), done);
        assert_eq!(std::fs::read(store.path(&hash)).unwrap(), b"hello world");
    }

    #[tokio::test]
    async fn refuses_what_is_not_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let store = ObjectStore::open(folder.path(), 10).await.unwrap();
        let hash = ContentHash::of(b"right");
        assert!(matches!(store.append(&hash, 0, 5, &mut bytes(&["wrong"])).await, Err(UploadError::WrongHash)));
        assert_eq!(store.progress(&hash).await.unwrap().offset, 0);
        assert!(matches!(store.append(&hash, 0, 11, &mut bytes(&[])).await, Err(UploadError::TooLarge(10))));
        assert!(matches!(store.append(&hash, 0, 5, &mut bytes(&["righter"])).await, Err(UploadError::TooMany)));
        assert!(store.append(&hash, 0, 5, &mut bytes(&["right"])).await.unwrap().complete);
    }
}
