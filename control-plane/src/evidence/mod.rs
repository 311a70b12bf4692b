//! Pictures and clips: uploaded by edges in resumable pieces, shown to people by content hash.

pub(crate) mod routes;
pub(crate) mod store;

/// The kinds of files that are taken. A browser shows them and nothing else can be smuggled in under them.
pub(crate) const MEDIA_TYPES: [&str; 2] = ["image/jpeg", "video/mp4"];
