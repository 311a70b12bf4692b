//! Algorithm tasks.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use axum::{extract::State, http::StatusCode};
use protocol::{EdgeId, Subject, TaskId, TaskSpec, Timestamp};
use server_kit::{
    ApiError, Cursor, DbError, Json, Path, Query,
    cursor::{cut, page_size},
};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    store::{self, TaskRow},
    types::{Task, TaskInput, TaskList},
};
use crate::{
    api::PageParams,
    cameras, edges,
    state::App,
    stream::{self, ChangeKind},
    words,
};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_tasks, create_task)).routes(routes!(get_task, update_task, delete_task))
}

/// Tasks by camera.
#[utoipa::path(
    get,
    path = "/api/v1/tasks",
    tag = "tasks",
    operation_id = "list_tasks",
    params(PageParams),
    responses((status = 200, description = "a page of tasks", body = TaskList)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_tasks(
    State(app): State<Arc<App>>,
    Query(params): Query<PageParams>,
) -> Result<axum::Json<TaskList>, ApiError> {
    let limit = page_size(params.limit, 200, 200)?;
    let after = params.cursor.as_deref().map(Cursor::decode).transpose()?;
    let mut connection = app.db.read().await?;
    let mut rows = store::page(&mut connection, after.as_ref(), i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rows, limit, |t| Cursor::new(&t.spec.camera, &t.spec.id));
    let reports = Reports::load(&mut connection).await?;
    let items = rows.into_iter().map(|row| describe(row, &reports)).collect::<Result<_, _>>()?;
    Ok(axum::Json(TaskList { items, next_cursor }))
}

/// Adds a task; its edge starts to run it.
#[utoipa::path(
    post,
    path = "/api/v1/tasks",
    tag = "tasks",
    operation_id = "create_task",
    request_body = TaskInput,
    responses((status = 201, description = "added", body = Task)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn create_task(
    State(app): State<Arc<App>>,
    Json(input): Json<TaskInput>,
) -> Result<(StatusCode, axum::Json<Task>), ApiError> {
    let (now, id) = (app.now(), TaskId::new(app.now()));
    let spec = valid(id, input)?;
    let mut tx = app.db.begin().await?;
    let edge = edge_of(&mut tx, &spec).await?;
    store::insert(&mut tx, &spec, now).await?;
    edges::store::bump_generation(&mut tx, edge).await?;
    let seq = stream::append(&mut tx, &[(ChangeKind::Task, id.to_string())], now).await?;
    let task = one(&mut tx, id).await?;
    tx.commit().await?;
    told(&app, seq);
    Ok((StatusCode::CREATED, axum::Json(task)))
}

/// One task.
#[utoipa::path(
    get,
    path = "/api/v1/tasks/{id}",
    tag = "tasks",
    operation_id = "get_task",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the task", body = Task)),
    security(("session" = ["read"])),
)]
pub(crate) async fn get_task(
    State(app): State<Arc<App>>,
    Path(id): Path<TaskId>,
) -> Result<axum::Json<Task>, ApiError> {
    Ok(axum::Json(one(&mut *app.db.read().await?, id).await?))
}

/// Changes a task; 409 when `version` is stale.
#[utoipa::path(
    put,
    path = "/api/v1/tasks/{id}",
    tag = "tasks",
    operation_id = "update_task",
    params(("id" = String, Path, format = "uuid")),
    request_body = TaskInput,
    responses((status = 200, description = "changed", body = Task)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn update_task(
    State(app): State<Arc<App>>,
    Path(id): Path<TaskId>,
    Json(input): Json<TaskInput>,
) -> Result<axum::Json<Task>, ApiError> {
    let now = app.now();
    let version = input.version.ok_or_else(|| {
        ApiError::invalid("version", "send the version of the task that was edited", "缺少被编辑内容的版本号 version")
    })?;
    let keeps = (input.mutes.is_none(), input.reference.is_none());
    let mut spec = valid(id, input)?;
    let mut tx = app.db.begin().await?;
    let stored = store::get(&mut tx, id).await?.ok_or_else(no_task)?;
    // What was taught on the spot stays when a form that does not show it is saved.
    if keeps.0 {
        spec.mutes.clone_from(&stored.spec.mutes);
    }
    if keeps.1 {
        spec.reference.clone_from(&stored.spec.reference);
    }
    let edge = edge_of(&mut tx, &spec).await?;
    if !store::update(&mut tx, &spec, version, now).await? {
        return Err(ApiError::conflict());
    }
    edges::store::bump_generation(&mut tx, edge).await?;
    if edge != stored.edge {
        edges::store::bump_generation(&mut tx, stored.edge).await?;
    }
    let seq = stream::append(&mut tx, &[(ChangeKind::Task, id.to_string())], now).await?;
    let task = one(&mut tx, id).await?;
    tx.commit().await?;
    told(&app, seq);
    Ok(axum::Json(task))
}

/// Removes a task; its events stay.
#[utoipa::path(
    delete,
    path = "/api/v1/tasks/{id}",
    tag = "tasks",
    operation_id = "delete_task",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 204, description = "removed")),
    security(("session" = ["configure"])),
)]
pub(crate) async fn delete_task(State(app): State<Arc<App>>, Path(id): Path<TaskId>) -> Result<StatusCode, ApiError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let stored = store::get(&mut tx, id).await?.ok_or_else(no_task)?;
    store::remove(&mut tx, id, now).await?;
    edges::store::bump_generation(&mut tx, stored.edge).await?;
    let seq = stream::append(&mut tx, &[(ChangeKind::Task, id.to_string())], now).await?;
    tx.commit().await?;
    told(&app, seq);
    Ok(StatusCode::NO_CONTENT)
}

/// What is written as what can run, by the same check the edge makes.
fn valid(id: TaskId, input: TaskInput) -> Result<TaskSpec, ApiError> {
    let reference = input.reference.map(protocol::ReferencePicture::try_from).transpose().map_err(|got| {
        let en = format!("{got:?} is not the SHA-256 of a picture");
        ApiError::invalid("reference.picture", en, "参考画面须为图片的 SHA-256".to_owned())
    })?;
    let schedule = input.schedule.map(protocol::Schedule::try_from).transpose().map_err(|got| {
        let en = format!("{got:?} is no day: write it as 2027-02-06");
        ApiError::invalid("schedule.holidays", en, format!("“{got}”不是日期，请写成 2027-02-06"))
    })?;
    let spec = TaskSpec {
        id,
        camera: input.camera_id,
        algorithm: input.algorithm.into(),
        name: input.name.trim().to_owned(),
        enabled: input.enabled.unwrap_or(true),
        zones: input.zones.unwrap_or_default().into_iter().map(Into::into).collect(),
        lines: input.lines.unwrap_or_default().into_iter().map(Into::into).collect(),
        mutes: input.mutes.unwrap_or_default().into_iter().map(Into::into).collect(),
        reference,
        schedule: schedule.unwrap_or_default(),
        params: input.params.map(Into::into).unwrap_or_default(),
        severity: input.severity.map(Into::into),
    };
    protocol::Task::try_from(spec.clone()).map_err(|e| words::invalid_task(&e))?;
    Ok(spec)
}

/// Stores a changed task over the version it was read at; gives the task and the change's number.
pub(crate) async fn replace(c: &mut AnyConnection, row: TaskRow, now: Timestamp) -> Result<(Task, i64), ApiError> {
    if !store::update(c, &row.spec, row.version, now).await? {
        return Err(ApiError::conflict());
    }
    edges::store::bump_generation(c, row.edge).await?;
    let seq = stream::append(c, &[(ChangeKind::Task, row.spec.id.to_string())], now).await?;
    Ok((one(c, row.spec.id).await?, seq))
}

async fn edge_of(c: &mut AnyConnection, spec: &TaskSpec) -> Result<EdgeId, ApiError> {
    let camera = cameras::store::get(c, spec.camera).await?;
    let unknown = || ApiError::invalid("camera_id", "there is no such camera", "摄像头不存在或已被删除");
    Ok(camera.ok_or_else(unknown)?.edge)
}

async fn one(c: &mut AnyConnection, id: TaskId) -> Result<Task, ApiError> {
    let row = store::get(c, id).await?.ok_or_else(no_task)?;
    describe(row, &Reports::load(c).await?)
}

/// What the edges say about tasks.
struct Reports {
    running: HashSet<(EdgeId, TaskId)>,
    refused: BTreeMap<(EdgeId, Subject), String>,
}

impl Reports {
    async fn load(c: &mut AnyConnection) -> Result<Self, DbError> {
        let mut all = Self { running: HashSet::new(), refused: BTreeMap::new() };
        for edge in edges::store::all(c).await? {
            let Some(report) = edge.reported else { continue };
            all.running.extend(report.running_tasks.into_iter().map(|id| (edge.id, id)));
            all.refused.extend(report.refusals.into_iter().map(|r| ((edge.id, r.subject), r.reason)));
        }
        Ok(all)
    }
}

fn describe(row: TaskRow, reports: &Reports) -> Result<Task, ApiError> {
    let spec = row.spec;
    let refusal = |subject| reports.refused.get(&(row.edge, subject)).cloned();
    // Stored tasks were valid when they were stored.
    let effective = protocol::Task::try_from(spec.clone()).map_err(|e| ApiError::internal(&e))?;
    Ok(Task {
        id: spec.id,
        camera_id: spec.camera,
        camera_name: row.camera_name,
        algorithm: spec.algorithm.into(),
        enabled: spec.enabled,
        effective_params: effective.params.into(),
        effective_severity: effective.severity.into(),
        running: reports.running.contains(&(row.edge, spec.id)),
        refusal: refusal(Subject::Task(spec.id)).or_else(|| refusal(Subject::Camera(spec.camera))),
        name: spec.name,
        zones: spec.zones.into_iter().map(Into::into).collect(),
        lines: spec.lines.into_iter().map(Into::into).collect(),
        mutes: spec.mutes.into_iter().map(Into::into).collect(),
        reference: spec.reference.map(Into::into),
        schedule: spec.schedule.into(),
        params: spec.params.into(),
        severity: spec.severity.map(Into::into),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Tells the streams, and the edges that their desired state is another.
pub(crate) fn told(app: &App, seq: i64) {
    app.changes.tell(seq);
    app.desired.notify_one();
}

fn no_task() -> ApiError {
    ApiError::not_found("task", "任务")
}
