//! Events and their closed loop.

use std::{collections::HashSet, sync::Arc};

use axum::{extract::State as Shared, http::StatusCode};
use protocol::{EventId, Timestamp, UserId};
use server_kit::{
    ApiError, Cursor, Json, Path, Permission, Principal, Query,
    cursor::{cut, page_size},
};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    lifecycle::{self, Action, LastStep, State},
    store::{self, EventQuery},
    types::{ActionInput, EventCounters, EventDetail, EventList, EventParams, EvidenceItem, HistoryEntry},
};
use crate::{
    evidence,
    state::App,
    stream::{self, ChangeKind},
};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_events))
        .routes(routes!(event_counters))
        .routes(routes!(get_event))
        .routes(routes!(act_on_event))
}

/// Events, newest decision first.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    operation_id = "list_events",
    params(EventParams),
    responses((status = 200, description = "a page of events", body = EventList)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_events(
    Shared(app): Shared<Arc<App>>,
    Query(params): Query<EventParams>,
) -> Result<axum::Json<EventList>, ApiError> {
    let limit = page_size(params.limit, 50, 200)?;
    let after = match params.cursor.as_deref().map(Cursor::decode).transpose()? {
        Some(cursor) => Some((cursor.number()?, cursor.second)),
        None => None,
    };
    let query = EventQuery {
        state: params.state,
        algorithm: params.algorithm.map(Into::into),
        camera: params.camera_id,
        severity: params.severity.map(Into::into),
        from: params.from,
        to: params.to,
        after,
        limit: i64::from(limit) + 1,
    };
    let mut items = store::page(&mut *app.db.read().await?, &query).await?;
    let next_cursor = cut(&mut items, limit, |e| Cursor::new(&e.decided_at.as_micros(), &e.id));
    Ok(axum::Json(EventList { items, next_cursor }))
}

/// How many events there are.
#[utoipa::path(
    get,
    path = "/api/v1/events/counters",
    tag = "events",
    operation_id = "event_counters",
    responses((status = 200, description = "the counts", body = EventCounters)),
    security(("session" = ["read"])),
)]
pub(crate) async fn event_counters(Shared(app): Shared<Arc<App>>) -> Result<axum::Json<EventCounters>, ApiError> {
    let counters = store::counters(&mut *app.db.read().await?, midnight(app.now())).await?;
    Ok(axum::Json(counters))
}

/// Everything about one event.
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    tag = "events",
    operation_id = "get_event",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the event", body = EventDetail)),
    security(("session" = ["read"])),
)]
pub(crate) async fn get_event(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Path(id): Path<EventId>,
) -> Result<axum::Json<EventDetail>, ApiError> {
    Ok(axum::Json(detail(&mut *app.db.read().await?, id, &principal, app.now()).await?))
}

/// Takes one step of the closed loop; 409 when `version` is stale or the step is not possible now.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/actions",
    tag = "events",
    operation_id = "act_on_event",
    params(("id" = String, Path, format = "uuid")),
    request_body = ActionInput,
    responses((status = 200, description = "the event after the step", body = EventDetail)),
    security(("session" = ["handle_events"])),
)]
pub(crate) async fn act_on_event(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Path(id): Path<EventId>,
    Json(input): Json<ActionInput>,
) -> Result<axum::Json<EventDetail>, ApiError> {
    let now = app.now();
    let input = valid(input)?;
    let mut tx = app.db.begin().await?;
    let event = store::summary(&mut tx, &id.to_string()).await?.ok_or_else(no_event)?;
    if event.version != input.version {
        return Err(ApiError::conflict());
    }
    let steps = store::steps(&mut tx, id).await?;
    let to = lifecycle::step(event.state, input.action, last_step(&steps), principal.user, now);
    let entry = HistoryEntry {
        at: now,
        username: principal.username.clone(),
        action: input.action,
        from_state: event.state,
        to_state: to.ok_or_else(not_possible)?,
        reason: input.reason,
        remark: input.remark,
    };
    if !store::take_step(&mut tx, id, input.version, principal.user, &entry).await? {
        return Err(ApiError::conflict());
    }
    let seq = stream::append(&mut tx, &[(ChangeKind::Event, id.to_string())], now).await?;
    let detail = detail(&mut tx, id, &principal, now).await?;
    tx.commit().await?;
    app.changes.tell(seq);
    Ok(axum::Json(detail))
}

fn valid(input: ActionInput) -> Result<ActionInput, ApiError> {
    let remark = input.remark.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty());
    if remark.as_ref().is_some_and(|r| r.chars().count() > 1000) {
        return Err(ApiError::invalid("remark", "a remark has at most 1000 characters", "备注最多 1000 个字符"));
    }
    let is_false_alarm = input.action == Action::FalseAlarm;
    if is_false_alarm && input.reason.is_none() {
        return Err(ApiError::invalid("reason", "say why the alarm is false", "请选择误报原因"));
    }
    if !is_false_alarm && input.reason.is_some() {
        return Err(ApiError::invalid("reason", "only a false alarm has a reason", "只有标记误报时才需要原因"));
    }
    Ok(ActionInput { remark, ..input })
}

async fn detail(
    c: &mut AnyConnection,
    id: EventId,
    principal: &Principal,
    now: Timestamp,
) -> Result<EventDetail, ApiError> {
    let summary = store::summary(c, &id.to_string()).await?.ok_or_else(no_event)?;
    let (event, task_name) = store::body(c, id).await?.ok_or_else(no_event)?;
    let steps = store::steps(c, id).await?;
    let here = evidence::store::stored_of_event(c, id).await?;
    Ok(EventDetail {
        actions: actions(summary.state, &steps, principal, now),
        summary,
        task_id: event.task,
        task_name,
        generation: event.generation,
        model: event.model.into(),
        track: event.track,
        boxes: event.boxes.into_iter().map(Into::into).collect(),
        path: event.path.into_iter().map(Into::into).collect(),
        why: event.why.into(),
        evidence: event.evidence.into_iter().map(|e| item(e, &here)).collect(),
        history: steps.into_iter().map(|(_, entry)| entry).collect(),
    })
}

fn item(evidence: protocol::Evidence, here: &HashSet<String>) -> EvidenceItem {
    let hash = String::from(evidence.hash);
    EvidenceItem {
        kind: evidence.kind.into(),
        bytes: evidence.bytes,
        media_type: evidence.media_type,
        starts_at: evidence.starts_at,
        duration_ms: evidence.duration_ms,
        width: evidence.width,
        height: evidence.height,
        url: store::evidence_url(&hash),
        available: here.contains(&hash),
        hash,
    }
}

fn actions(state: State, steps: &[(UserId, HistoryEntry)], principal: &Principal, now: Timestamp) -> Vec<Action> {
    if principal.role.may(Permission::HandleEvents) {
        lifecycle::allowed(state, last_step(steps), principal.user, now)
    } else {
        Vec::new()
    }
}

/// The step that can be taken back: the newest, unless that is an undo itself.
fn last_step(steps: &[(UserId, HistoryEntry)]) -> Option<LastStep> {
    let (by, entry) = steps.last().filter(|(_, entry)| entry.action != Action::Undo)?;
    Some(LastStep { by: *by, at: entry.at, from: entry.from_state })
}

/// The last midnight in China Standard Time, where the sites are.
fn midnight(now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 3600 * 1_000_000;
    const OFFSET: i64 = 8 * 3600 * 1_000_000;
    let local = now.as_micros() + OFFSET;
    Timestamp::from_micros(local - local.rem_euclid(DAY) - OFFSET)
}

fn not_possible() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "not_possible",
        "this step is not possible in the event's present state",
        "事件当前状态不允许此操作",
    )
}

fn no_event() -> ApiError {
    ApiError::not_found("event", "事件")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_midnight_in_china() {
        // 2026-11-23 00:30 in Shanghai.
        let now = Timestamp::from_secs(1_795_365_000);
        assert_eq!(midnight(now), Timestamp::from_secs(1_795_365_000 - 1800));
        assert_eq!(midnight(midnight(now)), midnight(now));
    }
}
