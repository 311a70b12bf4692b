//! SQL of the changes.

use protocol::Timestamp;
use server_kit::{DbError, Filter};
use sqlx::{AnyConnection, Row as _};

use super::ChangeKind;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangeRow {
    pub(crate) seq: i64,
    pub(crate) kind: ChangeKind,
    pub(crate) id: String,
}

/// Appends changes and gives the newest number, for [`super::Changes::tell`] after the commit.
///
/// The numbers come out of a counter row: its lock is held until the commit, so that they are visible in the
/// order they were given out and a reader that has seen n has seen everything below it. Append last in a
/// transaction, to hold it briefly.
pub(crate) async fn append(
    c: &mut AnyConnection,
    changes: &[(ChangeKind, String)],
    now: Timestamp,
) -> Result<i64, DbError> {
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let row = sqlx::query("update counters set value = value + $1 where name = 'changes' returning value")
        .bind(count)
        .fetch_one(&mut *c)
        .await?;
    let newest: i64 = row.try_get(0)?;
    let first = newest - count + 1;
    for (seq, (kind, id)) in (first..).zip(changes) {
        sqlx::query("insert into changes (seq, kind, id, at) values ($1, $2, $3, $4)")
            .bind(seq)
            .bind(kind.as_str())
            .bind(id)
            .bind(now.as_micros())
            .execute(&mut *c)
            .await?;
    }
    Ok(newest)
}

/// Number of the newest change.
pub(crate) async fn newest(c: &mut AnyConnection) -> Result<i64, DbError> {
    Ok(sqlx::query("select value from counters where name = 'changes'").fetch_one(c).await?.try_get(0)?)
}

/// Number of the oldest change that is kept.
pub(crate) async fn oldest(c: &mut AnyConnection) -> Result<Option<i64>, DbError> {
    Ok(sqlx::query("select min(seq) from changes").fetch_one(c).await?.try_get(0)?)
}

/// Changes after `cursor`, oldest first.
pub(crate) async fn after(c: &mut AnyConnection, cursor: i64, limit: i64) -> Result<Vec<ChangeRow>, DbError> {
    let query = Filter::default()
        .and("seq > ?")
        .int(cursor)
        .int(limit)
        .query("select seq, kind, id from changes", " order by seq limit ?");
    let mut changes = Vec::new();
    for row in query.fetch_all(c).await? {
        let kind: String = row.try_get(1)?;
        let kind = ChangeKind::parse(&kind).ok_or_else(|| DbError::corrupt("changes.kind")(&kind))?;
        changes.push(ChangeRow { seq: row.try_get(0)?, kind, id: row.try_get(2)? });
    }
    Ok(changes)
}

/// Forgets all but the newest `keep`.
pub(crate) async fn prune(c: &mut AnyConnection, keep: i64) -> Result<(), DbError> {
    sqlx::query("delete from changes where seq <= (select value from counters where name = 'changes') - $1")
        .bind(keep)
        .execute(c)
        .await?;
    Ok(())
}
