//! Handling of events beside the single steps of the closed loop.

use std::sync::Arc;

use axum::{body::Body, extract::State as Shared, http::StatusCode};
use protocol::{EventId, Timestamp};
use server_kit::{ApiError, Json, Path, Permission, Principal, Tx, accounts};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    actions, appeals, bulk, pictures,
    store::{self, NewNote},
    types::{
        AppealDecisionInput, AppealInput, AssigneeInfo, AssigneeList, AssignmentInput, BulkActionInput, BulkResults,
        CommentInput, NoteKind, Picture, Reminders,
    },
};
use crate::{
    events::{deadlines, routes::detail, store::summary, types::EventDetail},
    state::App,
    stream::{self, ChangeKind},
};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(act_on_events))
        .routes(routes!(event_reminders))
        .routes(routes!(list_assignees))
        .routes(routes!(comment_on_event))
        .routes(routes!(add_event_picture))
        .routes(routes!(assign_event))
        .routes(routes!(appeal_event))
        .routes(routes!(decide_appeal))
}

/// Most pictures of one note.
const MAX_PICTURES: usize = 9;

/// Most people a list of assignees names.
const MAX_ASSIGNEES: i64 = 500;

/// Takes one step for many events, each with the version that was shown; says what became of each.
#[utoipa::path(
    post,
    path = "/api/v1/events/bulk-actions",
    tag = "events",
    operation_id = "act_on_events",
    request_body = BulkActionInput,
    responses((status = 200, description = "what became of each event", body = BulkResults)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn act_on_events(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Json(input): Json<BulkActionInput>,
) -> Result<axum::Json<BulkResults>, ApiError> {
    let now = app.now();
    bulk::valid(&input)?;
    let mut tx = app.db.begin().await?;
    let results = bulk::take(&mut tx, &input, &principal, now).await?;
    let done = results.items.iter().filter(|r| r.ok);
    let changes: Vec<_> = done.map(|r| (ChangeKind::Event, r.id.to_string())).collect();
    if !changes.is_empty() {
        let seq = stream::append(&mut tx, &changes, now).await?;
        tx.commit().await?;
        app.changes.tell(seq);
    }
    Ok(axum::Json(results))
}

/// What waits for people 智能提醒.
#[utoipa::path(
    get,
    path = "/api/v1/events/reminders",
    tag = "events",
    operation_id = "event_reminders",
    responses((status = 200, description = "the counts", body = Reminders)),
    security(("session" = ["read"])),
)]
pub(crate) async fn event_reminders(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
) -> Result<axum::Json<Reminders>, ApiError> {
    Ok(axum::Json(store::reminders(&mut *app.db.read().await?, principal.user, app.now()).await?))
}

/// Everybody who can be made responsible for an event, by name.
#[utoipa::path(
    get,
    path = "/api/v1/assignees",
    tag = "events",
    operation_id = "list_assignees",
    responses((status = 200, description = "the people", body = AssigneeList)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn list_assignees(Shared(app): Shared<Arc<App>>) -> Result<axum::Json<AssigneeList>, ApiError> {
    let users = accounts::users(&mut *app.db.read().await?, MAX_ASSIGNEES).await?;
    let handles = users.into_iter().filter(|u| u.role.may(Permission::HandleEvents));
    let items = handles.map(|u| AssigneeInfo { id: u.id, username: u.username, role: u.role }).collect();
    Ok(axum::Json(AssigneeList { items }))
}

/// Writes a comment, with pictures that were uploaded to the event before.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/comments",
    tag = "events",
    operation_id = "comment_on_event",
    params(("id" = String, Path, format = "uuid")),
    request_body = CommentInput,
    responses((status = 200, description = "the event with the comment", body = EventDetail)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn comment_on_event(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Path(id): Path<EventId>,
    Json(input): Json<CommentInput>,
) -> Result<axum::Json<EventDetail>, ApiError> {
    let now = app.now();
    let text = text("text", &input.text, !input.pictures.is_empty())?;
    let mut tx = app.db.begin().await?;
    summary(&mut tx, &id.to_string(), now).await?.ok_or_else(actions::no_event)?;
    own_pictures(&mut tx, id, &input.pictures).await?;
    let by = Some((principal.user, principal.username.as_str()));
    let note = NewNote { event: id, kind: NoteKind::Comment, by, text: &text, pictures: &input.pictures };
    if !store::write(&mut tx, &note, now).await? {
        return Err(appeals::full());
    }
    finish(&app, tx, id, &principal, now).await
}

/// Uploads a picture to an event: the bytes of one JPEG, at most 10 MB. A comment or appeal then names its hash.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/pictures",
    tag = "events",
    operation_id = "add_event_picture",
    params(("id" = String, Path, format = "uuid")),
    request_body(content = Vec<u8>, content_type = "image/jpeg"),
    responses((status = 201, description = "the picture", body = Picture)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn add_event_picture(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<EventId>,
    body: Body,
) -> Result<(StatusCode, axum::Json<Picture>), ApiError> {
    summary(&mut *app.db.read().await?, &id.to_string(), app.now()).await?.ok_or_else(actions::no_event)?;
    Ok((StatusCode::CREATED, axum::Json(pictures::store(&app, id, body).await?)))
}

/// Says who should take the next step and until when; 409 when `version` is stale or the event is at an end.
#[utoipa::path(
    put,
    path = "/api/v1/events/{id}/assignment",
    tag = "events",
    operation_id = "assign_event",
    params(("id" = String, Path, format = "uuid")),
    request_body = AssignmentInput,
    responses((status = 200, description = "the event", body = EventDetail)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn assign_event(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Path(id): Path<EventId>,
    Json(input): Json<AssignmentInput>,
) -> Result<axum::Json<EventDetail>, ApiError> {
    let now = app.now();
    actions::future(input.due_at, now)?;
    let mut tx = app.db.begin().await?;
    let event = summary(&mut tx, &id.to_string(), now).await?.ok_or_else(actions::no_event)?;
    let usual = deadlines::due(event.state, event.severity.into(), now).ok_or_else(actions::not_possible)?;
    let name = match input.assignee_id {
        Some(user) => Some((user, actions::assignee_name(&mut tx, user).await?)),
        None => None,
    };
    let assignee = name.as_ref().map(|(id, name)| (*id, name.as_str()));
    if !store::assign(&mut tx, id, input.version, assignee, Some(input.due_at.unwrap_or(usual))).await? {
        return Err(ApiError::conflict());
    }
    let text = name.as_ref().map_or_else(|| "取消责任人".to_owned(), |(_, name)| format!("责任人：{name}"));
    let by = Some((principal.user, principal.username.as_str()));
    let note = NewNote { event: id, kind: NoteKind::Assignment, by, text: &text, pictures: &[] };
    if !store::write(&mut tx, &note, now).await? {
        return Err(appeals::full());
    }
    finish(&app, tx, id, &principal, now).await
}

/// Appeals against an event that somebody was made responsible for 申诉; once per event.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/appeal",
    tag = "events",
    operation_id = "appeal_event",
    params(("id" = String, Path, format = "uuid")),
    request_body = AppealInput,
    responses((status = 200, description = "the event with its appeal", body = EventDetail)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn appeal_event(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Path(id): Path<EventId>,
    Json(input): Json<AppealInput>,
) -> Result<axum::Json<EventDetail>, ApiError> {
    let now = app.now();
    let text = text("text", &input.text, false)?;
    let mut tx = app.db.begin().await?;
    summary(&mut tx, &id.to_string(), now).await?.ok_or_else(actions::no_event)?;
    own_pictures(&mut tx, id, &input.pictures).await?;
    appeals::make(&mut tx, id, input.version, (&text, &input.pictures), &principal, now).await?;
    finish(&app, tx, id, &principal, now).await
}

/// Decides an appeal 裁决: not one's own; an accepted one makes the event a false alarm.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/appeal/decision",
    tag = "events",
    operation_id = "decide_appeal",
    params(("id" = String, Path, format = "uuid")),
    request_body = AppealDecisionInput,
    responses((status = 200, description = "the event", body = EventDetail)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn decide_appeal(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Path(id): Path<EventId>,
    Json(input): Json<AppealDecisionInput>,
) -> Result<axum::Json<EventDetail>, ApiError> {
    let now = app.now();
    let remark = text("remark", &input.remark, false)?;
    if input.accept != input.reason.is_some() {
        return Err(ApiError::invalid(
            "reason",
            "an accepted appeal says why the alarm was false, a rejected one has no reason",
            "申诉成立时须选择误报原因，驳回时不需要",
        ));
    }
    let input = AppealDecisionInput { remark, ..input };
    let mut tx = app.db.begin().await?;
    appeals::decide(&mut tx, id, &input, &principal, now).await?;
    finish(&app, tx, id, &principal, now).await
}

/// Tells the change, commits, and shows the event.
async fn finish(
    app: &App,
    mut tx: Tx,
    id: EventId,
    principal: &Principal,
    now: Timestamp,
) -> Result<axum::Json<EventDetail>, ApiError> {
    let seq = stream::append(&mut tx, &[(ChangeKind::Event, id.to_string())], now).await?;
    let detail = detail(&mut tx, id, principal, now).await?;
    tx.commit().await?;
    app.changes.tell(seq);
    Ok(axum::Json(detail))
}

fn text(field: &str, text: &str, may_be_empty: bool) -> Result<String, ApiError> {
    let text = text.trim();
    if text.chars().count() <= actions::MAX_TEXT && (may_be_empty || !text.is_empty()) {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid(field, "write 1 to 1000 characters", "请填写 1 到 1000 个字符"))
}

/// Refuses pictures that were not uploaded to this event.
async fn own_pictures(c: &mut AnyConnection, event: EventId, hashes: &[String]) -> Result<(), ApiError> {
    if hashes.len() > MAX_PICTURES {
        return Err(ApiError::invalid("pictures", "at most 9 pictures", "最多 9 张图片"));
    }
    for hash in hashes {
        if !store::has_picture(c, event, hash).await? {
            return Err(ApiError::invalid(
                "pictures",
                "upload each picture to this event first",
                "请先将图片上传到该事件",
            ));
        }
    }
    Ok(())
}
