//! Events and their closed loop.

use std::{collections::HashSet, sync::Arc};

use axum::extract::State as Shared;
use protocol::{EventId, Timestamp, UserId};
use server_kit::{
    ApiError, Cursor, Json, Path, Permission, Principal, Query,
    cursor::{cut, page_size},
};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    handling::{
        actions::{self, last_step, no_event},
        appeals, store as handling,
    },
    lifecycle::{self, Action},
    search, store,
    types::{
        ActionInput, EventCounters, EventDetail, EventList, EventParams, EventSummary, EvidenceItem, HistoryEntry,
    },
};
use crate::{
    china_time, evidence,
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
    principal: Principal,
    Query(params): Query<EventParams>,
) -> Result<axum::Json<EventList>, ApiError> {
    let limit = page_size(params.limit, 50, 200)?;
    let after = match params.cursor.as_deref().map(Cursor::decode).transpose()? {
        Some(cursor) => Some((cursor.number()?, cursor.second)),
        None => None,
    };
    let now = app.now();
    let mut query = search::query(&params, &principal, now)?;
    (query.after, query.limit) = (after, i64::from(limit) + 1);
    let mut items = store::page(&mut *app.db.read().await?, &query, now).await?;
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
    let counters =
        store::counters(&mut *app.db.read().await?, china_time::day_start(china_time::day(app.now()))).await?;
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
    let input = actions::valid(input, now)?;
    let mut tx = app.db.begin().await?;
    actions::take(&mut tx, id, &input, &principal, now).await?;
    let seq = stream::append(&mut tx, &[(ChangeKind::Event, id.to_string())], now).await?;
    let detail = detail(&mut tx, id, &principal, now).await?;
    tx.commit().await?;
    app.changes.tell(seq);
    Ok(axum::Json(detail))
}

pub(crate) async fn detail(
    c: &mut AnyConnection,
    id: EventId,
    principal: &Principal,
    now: Timestamp,
) -> Result<EventDetail, ApiError> {
    let summary = store::summary(c, &id.to_string(), now).await?.ok_or_else(no_event)?;
    let (event, task_name) = store::body(c, id).await?.ok_or_else(no_event)?;
    let steps = store::steps(c, id).await?;
    let here = evidence::store::stored_of_event(c, id).await?;
    let notes = handling::notes(c, id).await?;
    let (appellant, duplicate_of) = handling::extras(c, id).await?;
    let may = principal.role.may(Permission::HandleEvents);
    Ok(EventDetail {
        actions: allowed(&summary, &steps, principal, now),
        notes,
        duplicate_of,
        can_appeal: may && appeals::can_appeal(&summary),
        can_decide_appeal: may && appeals::can_decide(&summary, appellant, principal.user),
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

fn allowed(
    event: &EventSummary,
    steps: &[(UserId, HistoryEntry)],
    principal: &Principal,
    now: Timestamp,
) -> Vec<Action> {
    if principal.role.may(Permission::HandleEvents) {
        lifecycle::allowed(event.state, last_step(event, steps), principal.user, now)
    } else {
        Vec::new()
    }
}
