//! Cameras.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use protocol::{CameraId, CameraSpec, CameraState, EdgeId, Secret};
use server_kit::{
    ApiError, Cursor, DbError, Json, Path, Query,
    cursor::{cut, page_size},
};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    address,
    store::{self, CameraRow},
    types::{Camera, CameraInput, CameraList, LiveToken},
};
use crate::{
    api::PageParams,
    edges,
    state::App,
    stream::{self, ChangeKind},
    tasks, words,
};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_cameras, create_camera))
        .routes(routes!(get_camera, update_camera, delete_camera))
        .routes(routes!(create_live_token))
}

/// How long a page has to open a live view; an open one stays open.
const TOKEN_LASTS: Duration = Duration::from_mins(2);

/// Cameras by name.
#[utoipa::path(
    get,
    path = "/api/v1/cameras",
    tag = "cameras",
    operation_id = "list_cameras",
    params(PageParams),
    responses((status = 200, description = "a page of cameras", body = CameraList)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_cameras(
    State(app): State<Arc<App>>,
    Query(params): Query<PageParams>,
) -> Result<axum::Json<CameraList>, ApiError> {
    let limit = page_size(params.limit, 200, 200)?;
    let after = params.cursor.as_deref().map(Cursor::decode).transpose()?;
    let mut connection = app.db.read().await?;
    let mut rows = store::page(&mut connection, after.as_ref(), i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rows, limit, |c| Cursor::new(&c.spec.name, &c.spec.id));
    let mut states = states(&mut connection).await?;
    let items = rows.into_iter().map(|row| describe(row, &mut states)).collect();
    Ok(axum::Json(CameraList { items, next_cursor }))
}

/// Adds a camera; its edge starts to pull it.
#[utoipa::path(
    post,
    path = "/api/v1/cameras",
    tag = "cameras",
    operation_id = "create_camera",
    request_body = CameraInput,
    responses((status = 201, description = "added", body = Camera)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn create_camera(
    State(app): State<Arc<App>>,
    Json(input): Json<CameraInput>,
) -> Result<(StatusCode, axum::Json<Camera>), ApiError> {
    let (now, id) = (app.now(), CameraId::new(app.now()));
    let edge = input.edge_id;
    let spec = valid(&app, id, input, None)?;
    let mut tx = app.db.begin().await?;
    let edge = edge_of(&mut tx, edge, None).await?;
    store::insert(&mut tx, &spec, edge, now).await?;
    edges::store::bump_generation(&mut tx, edge).await?;
    let seq = stream::append(&mut tx, &[(ChangeKind::Camera, id.to_string())], now).await?;
    let camera = one(&mut tx, id).await?;
    tx.commit().await?;
    told(&app, seq);
    Ok((StatusCode::CREATED, axum::Json(camera)))
}

/// One camera.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}",
    tag = "cameras",
    operation_id = "get_camera",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the camera", body = Camera)),
    security(("session" = ["read"])),
)]
pub(crate) async fn get_camera(
    State(app): State<Arc<App>>,
    Path(id): Path<CameraId>,
) -> Result<axum::Json<Camera>, ApiError> {
    Ok(axum::Json(one(&mut *app.db.read().await?, id).await?))
}

/// Changes a camera; 409 when `version` is stale.
#[utoipa::path(
    put,
    path = "/api/v1/cameras/{id}",
    tag = "cameras",
    operation_id = "update_camera",
    params(("id" = String, Path, format = "uuid")),
    request_body = CameraInput,
    responses((status = 200, description = "changed", body = Camera)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn update_camera(
    State(app): State<Arc<App>>,
    Path(id): Path<CameraId>,
    Json(input): Json<CameraInput>,
) -> Result<axum::Json<Camera>, ApiError> {
    let now = app.now();
    let version = input.version.ok_or_else(|| missing_version("camera"))?;
    let mut tx = app.db.begin().await?;
    let stored = store::get(&mut tx, id).await?.ok_or_else(no_camera)?;
    let edge = edge_of(&mut tx, input.edge_id, Some(stored.edge)).await?;
    let spec = valid(&app, id, input, Some(&stored.spec))?;
    if !store::update(&mut tx, &spec, edge, version, now).await? {
        return Err(ApiError::conflict());
    }
    edges::store::bump_generation(&mut tx, edge).await?;
    if edge != stored.edge {
        edges::store::bump_generation(&mut tx, stored.edge).await?;
    }
    let seq = stream::append(&mut tx, &[(ChangeKind::Camera, id.to_string())], now).await?;
    let camera = one(&mut tx, id).await?;
    tx.commit().await?;
    told(&app, seq);
    Ok(axum::Json(camera))
}

/// Removes a camera and its tasks; its events stay.
#[utoipa::path(
    delete,
    path = "/api/v1/cameras/{id}",
    tag = "cameras",
    operation_id = "delete_camera",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 204, description = "removed")),
    security(("session" = ["configure"])),
)]
pub(crate) async fn delete_camera(
    State(app): State<Arc<App>>,
    Path(id): Path<CameraId>,
) -> Result<StatusCode, ApiError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let stored = store::get(&mut tx, id).await?.ok_or_else(no_camera)?;
    let removed = tasks::store::remove_of_camera(&mut tx, id, now).await?;
    store::remove(&mut tx, id, now).await?;
    edges::store::bump_generation(&mut tx, stored.edge).await?;
    let mut changes = vec![(ChangeKind::Camera, id.to_string())];
    changes.extend(removed.into_iter().map(|task| (ChangeKind::Task, task.to_string())));
    let seq = stream::append(&mut tx, &changes, now).await?;
    tx.commit().await?;
    told(&app, seq);
    Ok(StatusCode::NO_CONTENT)
}

/// Permission to watch one camera live for a while.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/live-token",
    tag = "cameras",
    operation_id = "create_live_token",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the token", body = LiveToken)),
    security(("session" = ["read"])),
)]
pub(crate) async fn create_live_token(
    State(app): State<Arc<App>>,
    Path(id): Path<CameraId>,
) -> Result<axum::Json<LiveToken>, ApiError> {
    store::get(&mut *app.db.read().await?, id).await?.ok_or_else(no_camera)?;
    let expires_at = app.now() + TOKEN_LASTS;
    let token = app.viewer_key.sign(id, expires_at);
    Ok(axum::Json(LiveToken { path: format!("/live/{id}/ws?token={token}"), expires_at }))
}

/// What is written as what can be pulled. `stored` gives the password when none is written.
fn valid(app: &App, id: CameraId, input: CameraInput, stored: Option<&CameraSpec>) -> Result<CameraSpec, ApiError> {
    let username = input.username.map(|u| u.trim().to_owned()).filter(|u| !u.is_empty());
    let url = input.url.trim().to_owned();
    let password = match input.password {
        Some(password) => Some(password).filter(|p| !p.expose().is_empty()),
        // A kept password goes only to the host it was given for.
        None => stored.filter(|s| username.is_some() && same_host(&s.url, &url)).and_then(|s| s.password.clone()),
    };
    if [username.as_deref(), password.as_ref().map(Secret::expose)].into_iter().flatten().any(|t| t.len() > 200) {
        return Err(ApiError::invalid(
            "username",
            "user and password have at most 200 bytes",
            "用户名和密码最长 200 字节",
        ));
    }
    let name = input.name.trim().to_owned();
    let transport = input.transport.map(Into::into).unwrap_or_default();
    let spec = CameraSpec { id, name, url, username, password, transport };
    let camera = protocol::Camera::try_from(spec.clone()).map_err(|e| words::invalid_camera(&e))?;
    address::check(&camera.url, app.allow_loopback_cameras)?;
    Ok(spec)
}

fn same_host(a: &str, b: &str) -> bool {
    let host = |text: &str| url::Url::parse(text).ok().and_then(|u| u.host_str().map(str::to_owned));
    host(a).is_some_and(|a| Some(a) == host(b))
}

async fn edge_of(c: &mut AnyConnection, asked: Option<EdgeId>, stored: Option<EdgeId>) -> Result<EdgeId, ApiError> {
    let unknown = || ApiError::invalid("edge_id", "there is no such edge", "边缘节点不存在");
    match (asked, stored) {
        (Some(asked), _) => edges::store::get(c, asked).await?.map(|e| e.id).ok_or_else(unknown),
        (None, Some(stored)) => Ok(stored),
        (None, None) => match edges::store::all(c).await?.as_slice() {
            [only] => Ok(only.id),
            [] => Err(unknown()),
            _ => Err(ApiError::invalid("edge_id", "say which edge pulls the camera", "请选择接入该摄像头的边缘节点")),
        },
    }
}

async fn one(c: &mut AnyConnection, id: CameraId) -> Result<Camera, ApiError> {
    let row = store::get(c, id).await?.ok_or_else(no_camera)?;
    Ok(describe(row, &mut states(c).await?))
}

/// Every camera's state as its edge reported it.
async fn states(c: &mut AnyConnection) -> Result<HashMap<(EdgeId, CameraId), CameraState>, DbError> {
    let mut states = HashMap::new();
    for edge in edges::store::all(c).await? {
        let cameras = edge.reported.map(|r| r.cameras).unwrap_or_default();
        states.extend(cameras.into_iter().map(|state| ((edge.id, state.camera), state)));
    }
    Ok(states)
}

fn describe(row: CameraRow, states: &mut HashMap<(EdgeId, CameraId), CameraState>) -> Camera {
    Camera {
        id: row.spec.id,
        site_id: row.site,
        site_name: row.site_name,
        edge_id: row.edge,
        state: states.remove(&(row.edge, row.spec.id)).map(Into::into),
        name: row.spec.name,
        url: row.spec.url,
        username: row.spec.username,
        has_password: row.spec.password.is_some(),
        transport: row.spec.transport.into(),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn told(app: &App, seq: i64) {
    app.changes.tell(seq);
    app.desired.notify_one();
}

fn no_camera() -> ApiError {
    ApiError::not_found("camera", "摄像头")
}

fn missing_version(what: &str) -> ApiError {
    ApiError::invalid(
        "version",
        format!("send the version of the {what} that was edited"),
        "缺少被编辑内容的版本号 version",
    )
}
