//! SQL of the quarantine.

use protocol::Timestamp;
use server_kit::DbError;
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

use super::Message;

/// Bytes that are kept of a message.
const KEEP_BYTES: usize = 16 * 1024;

/// Keeps a message with the reason why it could not be taken. The same message is kept once and counted.
pub(crate) async fn quarantine(
    c: &mut AnyConnection,
    message: &Message,
    reason: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let mut hasher = Sha256::new();
    hasher.update(message.topic.as_bytes());
    hasher.update([0]);
    hasher.update(&message.payload);
    let kept = &message.payload[..message.payload.len().min(KEEP_BYTES)];
    let topic: String = message.topic.chars().filter(|c| *c != '\0').take(500).collect();
    let reason: String = reason.chars().filter(|c| *c != '\0').take(1_000).collect();
    sqlx::query(
        "insert into quarantine (hash, topic, reason, bytes_hex, size, times, first_at, last_at)
         values ($1, $2, $3, $4, $5, 1, $6, $7)
         on conflict (hash) do update set reason = excluded.reason, times = quarantine.times + 1,
            last_at = excluded.last_at",
    )
    .bind(hex::encode(hasher.finalize()))
    .bind(topic)
    .bind(reason)
    .bind(hex::encode(kept))
    .bind(i64::try_from(message.payload.len()).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .bind(now.as_micros())
    .execute(c)
    .await?;
    Ok(())
}

/// Forgets all but the newest `keep`.
pub(crate) async fn prune(c: &mut AnyConnection, keep: i64) -> Result<(), DbError> {
    sqlx::query(
        "delete from quarantine where hash in
         (select hash from quarantine order by last_at desc, hash limit 1000000 offset $1)",
    )
    .bind(keep)
    .execute(c)
    .await?;
    Ok(())
}
