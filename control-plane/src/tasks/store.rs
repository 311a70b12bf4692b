//! SQL of the tasks.

use protocol::{
    CameraId, EdgeId, LineSpec, Mute, ParamsSpec, ReferencePicture, Schedule, Severity, TaskId, TaskSpec, Timestamp,
    ZoneSpec,
};
use serde::{Deserialize, Serialize};
use server_kit::{Cursor, DbError, Filter};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

/// A task as stored.
#[derive(Clone, Debug)]
pub(crate) struct TaskRow {
    pub(crate) spec: TaskSpec,
    pub(crate) camera_name: String,
    pub(crate) edge: EdgeId,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The part of a task that is one JSON text: nothing asks the database for it in pieces.
#[derive(Serialize, Deserialize)]
struct Rest {
    #[serde(default)]
    zones: Vec<ZoneSpec>,
    #[serde(default)]
    lines: Vec<LineSpec>,
    #[serde(default)]
    mutes: Vec<Mute>,
    #[serde(default)]
    reference: Option<ReferencePicture>,
    #[serde(default)]
    schedule: Schedule,
    #[serde(default)]
    params: ParamsSpec,
    #[serde(default)]
    severity: Option<Severity>,
}

const COLUMNS: &str = "select t.id, t.camera_id, t.algorithm, t.name, t.enabled, t.spec, c.name as camera_name,
    c.edge_id, t.version, t.created_at, t.updated_at from tasks t join cameras c on c.id = t.camera_id";

pub(crate) async fn page(c: &mut AnyConnection, after: Option<&Cursor>, limit: i64) -> Result<Vec<TaskRow>, DbError> {
    let mut filter = Filter::default().and("t.removed_at is null");
    if let Some(after) = after {
        filter = filter
            .and("(t.camera_id > ? or (t.camera_id = ? and t.id > ?))")
            .text(&after.first)
            .text(&after.first)
            .text(&after.second);
    }
    let query = filter.int(limit).query(COLUMNS, " order by t.camera_id, t.id limit ?");
    query.fetch_all(c).await?.iter().map(task).collect()
}

pub(crate) async fn get(c: &mut AnyConnection, id: TaskId) -> Result<Option<TaskRow>, DbError> {
    let filter = Filter::default().and("t.removed_at is null").and("t.id = ?").text(id.to_string());
    filter.query(COLUMNS, "").fetch_optional(c).await?.as_ref().map(task).transpose()
}

/// What the edge should run.
pub(crate) async fn specs_of_edge(c: &mut AnyConnection, edge: EdgeId) -> Result<Vec<TaskSpec>, DbError> {
    let filter = Filter::default().and("t.removed_at is null").and("c.edge_id = ?").text(edge.to_string());
    let rows = filter.query(COLUMNS, " order by t.id").fetch_all(c).await?;
    rows.iter().map(|row| Ok(task(row)?.spec)).collect()
}

pub(crate) async fn insert(c: &mut AnyConnection, spec: &TaskSpec, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "insert into tasks (id, camera_id, algorithm, name, enabled, spec, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $8)",
    )
    .bind(spec.id.to_string())
    .bind(spec.camera.to_string())
    .bind(spec.algorithm.as_str())
    .bind(&spec.name)
    .bind(i64::from(spec.enabled))
    .bind(rest(spec)?)
    .bind(now.as_micros())
    .bind(now.as_micros())
    .execute(c)
    .await?;
    Ok(())
}

/// Replaces a task; false when `version` is not the stored one any more.
pub(crate) async fn update(
    c: &mut AnyConnection,
    spec: &TaskSpec,
    version: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "update tasks set camera_id = $1, algorithm = $2, name = $3, enabled = $4, spec = $5,
         version = version + 1, updated_at = $6 where id = $7 and version = $8 and removed_at is null",
    )
    .bind(spec.camera.to_string())
    .bind(spec.algorithm.as_str())
    .bind(&spec.name)
    .bind(i64::from(spec.enabled))
    .bind(rest(spec)?)
    .bind(now.as_micros())
    .bind(spec.id.to_string())
    .bind(version)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn remove(c: &mut AnyConnection, id: TaskId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("update tasks set removed_at = $1, version = version + 1 where id = $2 and removed_at is null")
        .bind(now.as_micros())
        .bind(id.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Removes the tasks of a camera and says which they were.
pub(crate) async fn remove_of_camera(
    c: &mut AnyConnection,
    camera: CameraId,
    now: Timestamp,
) -> Result<Vec<TaskId>, DbError> {
    let query = sqlx::query(
        "update tasks set removed_at = $1, version = version + 1 where camera_id = $2 and removed_at is null
         returning id",
    )
    .bind(now.as_micros())
    .bind(camera.to_string());
    let id = |row: &AnyRow| row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("tasks.id")(&e));
    query.fetch_all(c).await?.iter().map(id).collect()
}

/// What a task is called, or was before it was removed.
pub(crate) async fn name(c: &mut AnyConnection, id: TaskId) -> Result<Option<String>, DbError> {
    let row = sqlx::query("select name from tasks where id = $1").bind(id.to_string()).fetch_optional(c).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn rest(spec: &TaskSpec) -> Result<String, DbError> {
    let rest = Rest {
        zones: spec.zones.clone(),
        lines: spec.lines.clone(),
        mutes: spec.mutes.clone(),
        reference: spec.reference.clone(),
        schedule: spec.schedule.clone(),
        params: spec.params.clone(),
        severity: spec.severity,
    };
    serde_json::to_string(&rest).map_err(|e| DbError::corrupt("tasks.spec")(&e))
}

fn task(row: &AnyRow) -> Result<TaskRow, DbError> {
    let rest: String = row.try_get(5)?;
    let rest: Rest = serde_json::from_str(&rest).map_err(|e| DbError::corrupt("tasks.spec")(&e))?;
    let spec = TaskSpec {
        id: row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("tasks.id")(&e))?,
        camera: row.try_get::<String, _>(1)?.parse().map_err(|e| DbError::corrupt("tasks.camera_id")(&e))?,
        algorithm: row.try_get::<String, _>(2)?.parse().map_err(|e| DbError::corrupt("tasks.algorithm")(&e))?,
        name: row.try_get(3)?,
        enabled: row.try_get::<i64, _>(4)? != 0,
        zones: rest.zones,
        lines: rest.lines,
        mutes: rest.mutes,
        reference: rest.reference,
        schedule: rest.schedule,
        params: rest.params,
        severity: rest.severity,
    };
    Ok(TaskRow {
        spec,
        camera_name: row.try_get(6)?,
        edge: row.try_get::<String, _>(7)?.parse().map_err(|e| DbError::corrupt("cameras.edge_id")(&e))?,
        version: row.try_get(8)?,
        created_at: Timestamp::from_micros(row.try_get(9)?),
        updated_at: Timestamp::from_micros(row.try_get(10)?),
    })
}
