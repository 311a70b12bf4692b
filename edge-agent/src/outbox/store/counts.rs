//! Hourly counts on their way up. They have no receipt: a row is sent again at each connection until it is old, and the
//! control plane takes the last one of an hour.

use protocol::{HourlyCounts, Timestamp};
use sqlx::Row as _;

use super::Store;
use crate::outbox::OutboxError;

/// Rows older than this, microseconds, are of no use to anybody: the weekly rule has been judged.
const KEPT_US: i64 = 9 * 86_400 * 1_000_000;

pub(super) const TABLE: &str = "
create table if not exists hourly_counts (
    seq integer primary key autoincrement,
    camera text not null,
    hour_start integer not null,    -- microseconds
    body text not null,             -- the counts as JSON
    sent integer not null default 0,
    unique (camera, hour_start)
);
";

impl Store {
    pub(in crate::outbox) async fn insert_counts(
        &mut self,
        counts: &HourlyCounts,
        body: &str,
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        self.begin().await?;
        let tx = &mut self.connection;
        let work = async {
            sqlx::query("insert or replace into hourly_counts (camera, hour_start, body) values ($1, $2, $3)")
                .bind(counts.camera.to_string())
                .bind(counts.hour_start.as_micros())
                .bind(body)
                .execute(&mut *tx)
                .await?;
            sqlx::query("delete from hourly_counts where hour_start < $1")
                .bind(now.as_micros() - KEPT_US)
                .execute(&mut *tx)
                .await?;
            Ok(())
        };
        let outcome = work.await;
        self.finish(outcome).await
    }

    /// Counts after place `seq` that were never sent, or are of an hour from `recent` on.
    pub(in crate::outbox) async fn counts_after(
        &mut self,
        seq: i64,
        recent: Timestamp,
        limit: u32,
    ) -> Result<Vec<(i64, HourlyCounts)>, OutboxError> {
        self.settle().await;
        let failed = |e| OutboxError::database(&self.path, e);
        let rows = sqlx::query(
            "select seq, body from hourly_counts where seq > $1 and (sent = 0 or hour_start >= $2) order by seq limit $3",
        )
        .bind(seq)
        .bind(recent.as_micros())
        .bind(i64::from(limit))
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let (seq, body): (i64, String) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
            // What cannot be read is of no use; it goes with age.
            if let Ok(counts) = serde_json::from_str(&body) {
                found.push((seq, counts));
            }
        }
        Ok(found)
    }

    pub(in crate::outbox) async fn mark_counts_sent(&mut self, seq: i64) -> Result<(), OutboxError> {
        self.settle().await;
        sqlx::query("update hourly_counts set sent = 1 where seq = $1")
            .bind(seq)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(|e| OutboxError::database(&self.path, e))
    }
}
