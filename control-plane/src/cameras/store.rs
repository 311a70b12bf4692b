//! SQL of the cameras.

use protocol::{CameraId, CameraSpec, EdgeId, Secret, SiteId, Timestamp, Transport};
use server_kit::{Cursor, DbError, Filter};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

/// A camera as stored.
#[derive(Clone, Debug)]
pub(crate) struct CameraRow {
    pub(crate) spec: CameraSpec,
    pub(crate) edge: EdgeId,
    pub(crate) site: SiteId,
    pub(crate) site_name: String,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Which edge a camera belongs to, whether it is there or removed.
#[derive(Clone, Debug)]
pub(crate) struct Ownership {
    pub(crate) edge: EdgeId,
    pub(crate) site: SiteId,
    pub(crate) site_name: String,
    pub(crate) name: String,
    pub(crate) removed: bool,
}

const COLUMNS: &str = "select c.id, c.name, c.url, c.username, c.password, c.transport, c.edge_id, e.site_id,
    s.name as site_name, c.version, c.created_at, c.updated_at
    from cameras c join edges e on e.id = c.edge_id join sites s on s.id = e.site_id";

pub(crate) async fn page(c: &mut AnyConnection, after: Option<&Cursor>, limit: i64) -> Result<Vec<CameraRow>, DbError> {
    let mut filter = Filter::default().and("c.removed_at is null");
    if let Some(after) = after {
        filter = filter
            .and("(c.name > ? or (c.name = ? and c.id > ?))")
            .text(&after.first)
            .text(&after.first)
            .text(&after.second);
    }
    let query = filter.int(limit).query(COLUMNS, " order by c.name, c.id limit ?");
    query.fetch_all(c).await?.iter().map(camera).collect()
}

pub(crate) async fn get(c: &mut AnyConnection, id: CameraId) -> Result<Option<CameraRow>, DbError> {
    let filter = Filter::default().and("c.removed_at is null").and("c.id = ?").text(id.to_string());
    filter.query(COLUMNS, "").fetch_optional(c).await?.as_ref().map(camera).transpose()
}

/// What the edge should pull.
pub(crate) async fn specs_of_edge(c: &mut AnyConnection, edge: EdgeId) -> Result<Vec<CameraSpec>, DbError> {
    let filter = Filter::default().and("c.removed_at is null").and("c.edge_id = ?").text(edge.to_string());
    let rows = filter.query(COLUMNS, " order by c.id").fetch_all(c).await?;
    rows.iter().map(|row| Ok(camera(row)?.spec)).collect()
}

pub(crate) async fn ownership(c: &mut AnyConnection, id: CameraId) -> Result<Option<Ownership>, DbError> {
    let row = sqlx::query(
        "select c.edge_id, e.site_id, c.name, c.removed_at, s.name as site_name
         from cameras c join edges e on e.id = c.edge_id join sites s on s.id = e.site_id where c.id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(c)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Ownership {
        edge: row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("cameras.edge_id")(&e))?,
        site: row.try_get::<String, _>(1)?.parse().map_err(|e| DbError::corrupt("edges.site_id")(&e))?,
        site_name: row.try_get(4)?,
        name: row.try_get(2)?,
        removed: row.try_get::<Option<i64>, _>(3)?.is_some(),
    }))
}

pub(crate) async fn insert(
    c: &mut AnyConnection,
    spec: &CameraSpec,
    edge: EdgeId,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "insert into cameras (id, edge_id, name, url, username, password, transport, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)",
    )
    .bind(spec.id.to_string())
    .bind(edge.to_string())
    .bind(&spec.name)
    .bind(&spec.url)
    .bind(spec.username.clone())
    .bind(spec.password.as_ref().map(|p| p.expose().to_owned()))
    .bind(transport_name(spec.transport))
    .bind(now.as_micros())
    .bind(now.as_micros())
    .execute(c)
    .await?;
    Ok(())
}

/// Replaces a camera; false when `version` is not the stored one any more.
pub(crate) async fn update(
    c: &mut AnyConnection,
    spec: &CameraSpec,
    edge: EdgeId,
    version: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "update cameras set edge_id = $1, name = $2, url = $3, username = $4, password = $5, transport = $6,
         version = version + 1, updated_at = $7 where id = $8 and version = $9 and removed_at is null",
    )
    .bind(edge.to_string())
    .bind(&spec.name)
    .bind(&spec.url)
    .bind(spec.username.clone())
    .bind(spec.password.as_ref().map(|p| p.expose().to_owned()))
    .bind(transport_name(spec.transport))
    .bind(now.as_micros())
    .bind(spec.id.to_string())
    .bind(version)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks a camera as removed and forgets how to reach it.
pub(crate) async fn remove(c: &mut AnyConnection, id: CameraId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "update cameras set removed_at = $1, username = null, password = null, version = version + 1
         where id = $2 and removed_at is null",
    )
    .bind(now.as_micros())
    .bind(id.to_string())
    .execute(c)
    .await?;
    Ok(())
}

fn camera(row: &AnyRow) -> Result<CameraRow, DbError> {
    let transport: String = row.try_get(5)?;
    let spec = CameraSpec {
        id: row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("cameras.id")(&e))?,
        name: row.try_get(1)?,
        url: row.try_get(2)?,
        username: row.try_get(3)?,
        password: row.try_get::<Option<String>, _>(4)?.map(Secret::new),
        transport: if transport == "udp" { Transport::Udp } else { Transport::Tcp },
    };
    Ok(CameraRow {
        spec,
        edge: row.try_get::<String, _>(6)?.parse().map_err(|e| DbError::corrupt("cameras.edge_id")(&e))?,
        site: row.try_get::<String, _>(7)?.parse().map_err(|e| DbError::corrupt("edges.site_id")(&e))?,
        site_name: row.try_get(8)?,
        version: row.try_get(9)?,
        created_at: Timestamp::from_micros(row.try_get(10)?),
        updated_at: Timestamp::from_micros(row.try_get(11)?),
    })
}

const fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    }
}
