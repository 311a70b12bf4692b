//! SQL of the edges.

use protocol::{DesiredState, EdgeHealth, EdgeId, ReportedState, SiteId, Timestamp};
use serde::de::DeserializeOwned;
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{cameras, tasks};

/// An edge as stored.
#[derive(Clone, Debug)]
pub(crate) struct EdgeRow {
    pub(crate) id: EdgeId,
    pub(crate) site: SiteId,
    pub(crate) name: String,
    pub(crate) generation: u64,
    pub(crate) reported_generation: u64,
    pub(crate) reported: Option<ReportedState>,
    pub(crate) health: Option<EdgeHealth>,
    pub(crate) online: bool,
    pub(crate) last_seen_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "select id, site_id, name, generation, reported_generation, reported, health, online, last_seen_at from edges";

pub(crate) async fn all(c: &mut AnyConnection) -> Result<Vec<EdgeRow>, DbError> {
    let query = server_kit::Filter::default().query(COLUMNS, " order by name, id");
    query.fetch_all(c).await?.iter().map(edge).collect()
}

pub(crate) async fn get(c: &mut AnyConnection, id: EdgeId) -> Result<Option<EdgeRow>, DbError> {
    let query = server_kit::Filter::default().and("id = ?").text(id.to_string()).query(COLUMNS, "");
    query.fetch_optional(c).await?.as_ref().map(edge).transpose()
}

/// Every edge with the generation of its desired state.
pub(crate) async fn generations(c: &mut AnyConnection) -> Result<Vec<(EdgeId, u64)>, DbError> {
    let rows = sqlx::query("select id, generation from edges").fetch_all(c).await?;
    rows.iter().map(|row| Ok((id_of(row)?, row.try_get::<i64, _>(1)?.unsigned_abs()))).collect()
}

pub(crate) async fn secret_hash(c: &mut AnyConnection, id: EdgeId) -> Result<Option<String>, DbError> {
    let row = sqlx::query("select secret_hash from edges where id = $1").bind(id.to_string()).fetch_optional(c).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

pub(crate) async fn insert(
    c: &mut AnyConnection,
    id: EdgeId,
    site: SiteId,
    name: &str,
    secret_hash: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "insert into edges (id, site_id, name, secret_hash, generation, reported_generation, online, created_at)
         values ($1, $2, $3, $4, 1, 0, 0, $5)",
    )
    .bind(id.to_string())
    .bind(site.to_string())
    .bind(name)
    .bind(secret_hash)
    .bind(now.as_micros())
    .execute(c)
    .await?;
    Ok(())
}

pub(crate) async fn set_secret(c: &mut AnyConnection, id: EdgeId, secret_hash: &str) -> Result<bool, DbError> {
    let query = sqlx::query("update edges set secret_hash = $1 where id = $2").bind(secret_hash).bind(id.to_string());
    Ok(query.execute(c).await?.rows_affected() == 1)
}

/// Counts the desired state up. Every change of a camera or task of the edge does this in its own transaction.
pub(crate) async fn bump_generation(c: &mut AnyConnection, id: EdgeId) -> Result<(), DbError> {
    sqlx::query("update edges set generation = generation + 1 where id = $1").bind(id.to_string()).execute(c).await?;
    Ok(())
}

/// What the edge should run. Read in one transaction, so that the generation fits the content.
pub(crate) async fn desired(c: &mut AnyConnection, id: EdgeId) -> Result<Option<DesiredState>, DbError> {
    let Some(edge) = get(c, id).await? else { return Ok(None) };
    let cameras = cameras::store::specs_of_edge(c, id).await?;
    let tasks = tasks::store::specs_of_edge(c, id).await?;
    Ok(Some(DesiredState { generation: edge.generation, cameras, tasks }))
}

pub(crate) async fn set_health(
    c: &mut AnyConnection,
    id: EdgeId,
    health: &EdgeHealth,
    now: Timestamp,
) -> Result<(), DbError> {
    let json = serde_json::to_string(health).map_err(|e| DbError::corrupt("edges.health")(&e))?;
    let id = id.to_string();
    // A last will says that the edge went: it is no sign of life and tells nothing else.
    let query = if health.online {
        sqlx::query("update edges set health = $1, online = 1, last_seen_at = $2 where id = $3")
            .bind(json)
            .bind(now.as_micros())
            .bind(id)
    } else {
        sqlx::query("update edges set online = 0 where id = $1").bind(id)
    };
    query.execute(c).await?;
    Ok(())
}

pub(crate) async fn set_reported(c: &mut AnyConnection, id: EdgeId, reported: &ReportedState) -> Result<(), DbError> {
    let json = serde_json::to_string(reported).map_err(|e| DbError::corrupt("edges.reported")(&e))?;
    sqlx::query("update edges set reported = $1, reported_generation = $2 where id = $3")
        .bind(json)
        .bind(i64::try_from(reported.generation).unwrap_or(i64::MAX))
        .bind(id.to_string())
        .execute(c)
        .await?;
    Ok(())
}

fn edge(row: &AnyRow) -> Result<EdgeRow, DbError> {
    Ok(EdgeRow {
        id: id_of(row)?,
        site: row.try_get::<String, _>(1)?.parse().map_err(|e| DbError::corrupt("edges.site_id")(&e))?,
        name: row.try_get(2)?,
        generation: row.try_get::<i64, _>(3)?.unsigned_abs(),
        reported_generation: row.try_get::<i64, _>(4)?.unsigned_abs(),
        reported: json(row, 5),
        health: json(row, 6),
        online: row.try_get::<i64, _>(7)? != 0,
        last_seen_at: row.try_get::<Option<i64>, _>(8)?.map(Timestamp::from_micros),
    })
}

fn id_of(row: &AnyRow) -> Result<EdgeId, DbError> {
    row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("edges.id")(&e))
}

/// A report is only a picture of the past: one that an older version wrote and this one cannot read is as good
/// as none, until the next comes.
fn json<T: DeserializeOwned>(row: &AnyRow, column: usize) -> Option<T> {
    serde_json::from_str(&row.try_get::<Option<String>, _>(column).ok()??).ok()
}
