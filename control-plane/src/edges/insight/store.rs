//! SQL of the edges' health over time.

use std::time::Duration;

use protocol::{EdgeHealth, EdgeId, Timestamp};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _};

use super::types::HealthSample;

/// One row per so long.
const SLOT: Duration = Duration::from_mins(5);

/// How long rows are kept.
pub(crate) const KEEP: Duration = Duration::from_hours(7 * 24);

/// Notes a report; the newest of its five minutes stays.
pub(crate) async fn note(
    c: &mut AnyConnection,
    edge: EdgeId,
    health: &EdgeHealth,
    now: Timestamp,
) -> Result<(), DbError> {
    let slot_micros = i64::try_from(SLOT.as_micros()).unwrap_or(i64::MAX);
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query(
        "insert into edge_health (edge_id, slot, memory_bytes, disk_free_bytes, outbox_events, outbox_evidence_bytes,
            dropped_evidence, inference_fps, inference_latency_ms, warnings)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (edge_id, slot) do update set memory_bytes = excluded.memory_bytes,
            disk_free_bytes = excluded.disk_free_bytes, outbox_events = excluded.outbox_events,
            outbox_evidence_bytes = excluded.outbox_evidence_bytes, dropped_evidence = excluded.dropped_evidence,
            inference_fps = excluded.inference_fps, inference_latency_ms = excluded.inference_latency_ms,
            warnings = excluded.warnings",
    )
    .bind(edge.to_string())
    .bind(now.as_micros().div_euclid(slot_micros) * slot_micros)
    .bind(number(health.memory_bytes))
    .bind(number(health.disk_free_bytes))
    .bind(number(health.outbox_events))
    .bind(number(health.outbox_evidence_bytes))
    .bind(number(health.dropped_evidence))
    .bind(f64::from(health.inference.fps))
    .bind(f64::from(health.inference.latency_ms))
    .bind(i64::try_from(health.warnings.len()).unwrap_or(i64::MAX))
    .execute(c)
    .await?;
    Ok(())
}

/// Rows since `from`, oldest first.
pub(crate) async fn since(c: &mut AnyConnection, edge: EdgeId, from: Timestamp) -> Result<Vec<HealthSample>, DbError> {
    let rows = sqlx::query(
        "select slot, memory_bytes, disk_free_bytes, outbox_events, outbox_evidence_bytes, dropped_evidence,
            inference_fps, inference_latency_ms, warnings
         from edge_health where edge_id = $1 and slot >= $2 order by slot limit 2100",
    )
    .bind(edge.to_string())
    .bind(from.as_micros())
    .fetch_all(c)
    .await?;
    let mut samples = Vec::with_capacity(rows.len());
    for row in rows {
        let number = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
        samples.push(HealthSample {
            at: Timestamp::from_micros(row.try_get(0)?),
            memory_bytes: number(1)?,
            disk_free_bytes: number(2)?,
            outbox_events: number(3)?,
            outbox_evidence_bytes: number(4)?,
            dropped_evidence: number(5)?,
            inference_fps: row.try_get(6)?,
            inference_latency_ms: row.try_get(7)?,
            warnings: number(8)? as u32,
        });
    }
    Ok(samples)
}

/// Forgets what is older than [`KEEP`].
pub(crate) async fn prune(c: &mut AnyConnection, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("delete from edge_health where slot < $1").bind((now - KEEP).as_micros()).execute(c).await?;
    Ok(())
}
