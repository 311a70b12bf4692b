//! SQL of looking into the quarantine.

use protocol::Timestamp;
use server_kit::{DbError, Filter};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::types::QuarantinedMessage;
use crate::ingest::Message;

/// Characters of a preview.
const PREVIEW: usize = 2000;

const COLUMNS: &str = "select hash, topic, reason, bytes_hex, size, times, first_at, last_at from quarantine";

/// A page, newest first.
pub(crate) async fn page(
    c: &mut AnyConnection,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<QuarantinedMessage>, DbError> {
    let mut filter = Filter::default();
    if let Some((at, hash)) = after {
        filter = filter.and("(last_at < ? or (last_at = ? and hash < ?))").int(at).int(at).text(hash);
    }
    let query = filter.int(limit).query(COLUMNS, " order by last_at desc, hash desc limit ?");
    query.fetch_all(c).await?.iter().map(|row| Ok(message(row)?.0)).collect()
}

/// One message, and its bytes when all of them are kept.
pub(crate) async fn get(
    c: &mut AnyConnection,
    hash: &str,
) -> Result<Option<(QuarantinedMessage, Option<Message>)>, DbError> {
    let query = Filter::default().and("hash = ?").text(hash).query(COLUMNS, "");
    query.fetch_optional(c).await?.as_ref().map(message).transpose()
}

/// Throws a message away; false when it is not there.
pub(crate) async fn delete(c: &mut AnyConnection, hash: &str) -> Result<bool, DbError> {
    let done = sqlx::query("delete from quarantine where hash = $1").bind(hash).execute(c).await?;
    Ok(done.rows_affected() == 1)
}

fn message(row: &AnyRow) -> Result<(QuarantinedMessage, Option<Message>), DbError> {
    let bytes = hex::decode(row.try_get::<String, _>(3)?).map_err(|e| DbError::corrupt("quarantine.bytes_hex")(&e))?;
    let (topic, size): (String, i64) = (row.try_get(1)?, row.try_get(4)?);
    let complete = usize::try_from(size).is_ok_and(|size| size == bytes.len());
    let shown = QuarantinedMessage {
        hash: row.try_get(0)?,
        topic: topic.clone(),
        reason: row.try_get(2)?,
        size: size.unsigned_abs(),
        times: row.try_get::<i64, _>(5)?.unsigned_abs(),
        first_at: Timestamp::from_micros(row.try_get(6)?),
        last_at: Timestamp::from_micros(row.try_get(7)?),
        preview: String::from_utf8_lossy(&bytes).chars().take(PREVIEW).collect(),
        complete,
    };
    Ok((shown, complete.then(|| Message { topic, payload: bytes.into() })))
}
