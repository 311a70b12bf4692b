//! Events that are not over. A row lives from the first revision to the end, whatever was sent meanwhile, so that
//! the next run can end what a kill left open.

use protocol::{Event, EventPhase, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use super::Store;
use crate::outbox::OutboxError;

pub(super) const TABLE: &str = "
create table if not exists open_event (
    id text primary key,
    body text not null,             -- the newest revision as JSON
    seen_at integer not null        -- microseconds: when it was last known to be open
);
";

/// Enters or deletes an event with a revision of it that was just inserted, in the same transaction.
pub(super) async fn note(
    tx: &mut SqliteConnection,
    event: &Event,
    body: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let id = event.id.to_string();
    if event.phase == EventPhase::End {
        sqlx::query("delete from open_event where id = $1").bind(id).execute(tx).await?;
        return Ok(());
    }
    sqlx::query(
        "insert into open_event (id, body, seen_at) values ($1, $2, $3)
         on conflict (id) do update set body = excluded.body, seen_at = excluded.seen_at",
    )
    .bind(id)
    .bind(body)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

impl Store {
    pub(in crate::outbox) async fn open_events(&mut self) -> Result<Vec<(Event, Timestamp)>, OutboxError> {
        self.settle().await;
        let failed = |e| OutboxError::database(&self.path, e);
        let rows = sqlx::query("select body, seen_at from open_event order by id")
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let mut open = Vec::with_capacity(rows.len());
        for row in rows {
            let (body, seen_at): (String, i64) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
            // What cannot be read cannot be ended.
            if let Ok(event) = serde_json::from_str(&body) {
                open.push((event, Timestamp::from_micros(seen_at)));
            }
        }
        Ok(open)
    }

    pub(in crate::outbox) async fn still_open(&mut self, now: Timestamp) -> Result<(), OutboxError> {
        self.settle().await;
        sqlx::query("update open_event set seen_at = $1")
            .bind(now.as_micros())
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(|e| OutboxError::database(&self.path, e))
    }
}
