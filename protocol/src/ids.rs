//! Identifiers: one newtype per kind of thing, so that a camera is never taken for a task.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes an id that sorts by creation time (UUID version 7).
            pub fn new(at: crate::Timestamp) -> Self {
                let millis = at.as_micros().max(0) / 1_000;
                let seconds = (millis / 1_000).unsigned_abs();
                let nanos = (millis % 1_000).unsigned_abs() as u32 * 1_000_000;
                let at = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
                Self(Uuid::new_v7(at))
            }

            /// Wraps an existing UUID.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

uuid_id! {
    /// A construction site 工地.
    SiteId;
    /// A camera 摄像头.
    CameraId;
    /// An edge box 边缘节点.
    EdgeId;
    /// An algorithm task 算法任务: one algorithm on one camera.
    TaskId;
    /// An event 事件, kept through all its revisions.
    EventId;
    /// A user of the console.
    UserId;
    /// One message on the wire.
    MessageId;
}

/// The SHA-256 of a piece of evidence, as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash(String);

/// A text that is no content hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a content hash is 64 lower-case hexadecimal digits")]
pub struct NotAContentHash;

impl ContentHash {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ContentHash {
    type Error = NotAContentHash;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if valid { Ok(Self(text)) } else { Err(NotAContentHash) }
    }
}

impl FromStr for ContentHash {
    type Err = NotAContentHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_creation_time() {
        let early = EventId::new(crate::Timestamp::from_micros(1_000_000_000_000));
        let late = EventId::new(crate::Timestamp::from_micros(1_000_000_001_000));
        assert!(early < late);
        assert_eq!(early.to_string().parse::<EventId>().unwrap(), early);
    }

    #[test]
    fn content_hash_refuses_paths() {
        assert!(ContentHash::from_str("../../etc/passwd").is_err());
        assert!(ContentHash::from_str(&"A".repeat(64)).is_err());
        assert!(ContentHash::from_str(ContentHash::of(b"x").as_str()).is_ok());
    }
}
