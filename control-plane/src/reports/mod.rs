//! Reports: how often alarms are true 真实告警率, and statistics 统计.
//!
//! Everything is read from counts per day, which the transactions that move an event keep; no report reads the
//! events themselves.

pub(crate) mod histogram;
pub(crate) mod hours;
pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
pub(crate) mod wilson;

use std::time::Duration;

use protocol::{StreamState, Timestamp};
use server_kit::{Db, DbError};

use crate::{china_time, edges};

/// How often is looked which cameras are online.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_mins(5);

/// Counts for each camera whether it is online now. One of an edge that is silent is not.
pub(crate) async fn sample_cameras(db: &Db, now: Timestamp) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    let day = china_time::day(now);
    let mut online = std::collections::HashSet::new();
    for edge in edges::store::all(&mut tx).await? {
        if !edges::reports::is_online(edge.online, edge.last_seen_at, now) {
            continue;
        }
        let cameras = edge.reported.map(|r| r.cameras).unwrap_or_default();
        online.extend(cameras.into_iter().filter(|c| c.state == StreamState::Online).map(|c| c.camera.to_string()));
    }
    store::sample(&mut tx, day, &online).await?;
    tx.commit().await
}
