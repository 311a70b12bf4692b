//! SQL of the evidence.

use std::collections::HashSet;

use protocol::{ContentHash, EventId, Timestamp};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _};

/// Notes that a file has arrived from an edge (or from a person: an empty text); false when that was known.
pub(crate) async fn mark_stored(
    c: &mut AnyConnection,
    hash: &ContentHash,
    bytes: u64,
    edge: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "insert into evidence_files (hash, bytes, edge_id, stored_at) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(hash.as_str())
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .bind(edge)
    .bind(now.as_micros())
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Events that refer to a file.
pub(crate) async fn events_with(c: &mut AnyConnection, hash: &ContentHash) -> Result<Vec<String>, DbError> {
    let query = sqlx::query("select event_id from event_evidence where hash = $1").bind(hash.as_str());
    query.fetch_all(c).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What kind of file it is, as its events say, or as a picture that was approved; `None` when nothing refers to it.
pub(crate) async fn media_type(c: &mut AnyConnection, hash: &ContentHash) -> Result<Option<String>, DbError> {
    let query = sqlx::query(
        "select media_type from event_evidence where hash = $1
         union all select 'image/jpeg' from reference_pictures where hash = $1 limit 1",
    );
    let query = query.bind(hash.as_str());
    Ok(query.fetch_optional(c).await?.map(|row| row.try_get(0)).transpose()?)
}

/// Which files of an event have arrived.
pub(crate) async fn stored_of_event(c: &mut AnyConnection, event: EventId) -> Result<HashSet<String>, DbError> {
    let query = sqlx::query(
        "select r.hash from event_evidence r join evidence_files f on f.hash = r.hash where r.event_id = $1",
    );
    query.bind(event.to_string()).fetch_all(c).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
