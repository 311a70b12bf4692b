//! One step of the closed loop, inside a transaction; single and bulk actions share it.

use axum::http::StatusCode;
use protocol::{EventId, Timestamp, UserId};
use server_kit::{ApiError, Principal, Role, accounts};
use sqlx::AnyConnection;

use crate::events::{
    deadlines,
    handling::types::AppealState,
    lifecycle::{self, Action, LastStep},
    store::{self, StepEffect},
    types::{ActionInput, EventSummary, HistoryEntry},
};

/// Longest remark or comment, characters.
pub(crate) const MAX_TEXT: usize = 1000;

/// Checks what does not depend on the event.
pub(crate) fn valid(input: ActionInput, now: Timestamp) -> Result<ActionInput, ApiError> {
    let remark = input.remark.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty());
    if remark.as_ref().is_some_and(|r| r.chars().count() > MAX_TEXT) {
        return Err(ApiError::invalid("remark", "a remark has at most 1000 characters", "备注最多 1000 个字符"));
    }
    let is_false_alarm = input.action == Action::FalseAlarm;
    if is_false_alarm && input.reason.is_none() {
        return Err(ApiError::invalid("reason", "say why the alarm is false", "请选择误报原因"));
    }
    if !is_false_alarm && input.reason.is_some() {
        return Err(ApiError::invalid("reason", "only a false alarm has a reason", "只有标记误报时才需要原因"));
    }
    let dispatches = input.action == Action::Dispatch;
    if !dispatches && (input.assignee_id.is_some() || input.due_at.is_some()) {
        return Err(ApiError::invalid(
            "assignee_id",
            "only dispatching names somebody responsible and a due time",
            "只有派单时才能指定责任人和办理时限",
        ));
    }
    if input.action != Action::Duplicate && input.duplicate_of.is_some() {
        return Err(ApiError::invalid(
            "duplicate_of",
            "only a duplicate repeats another event",
            "只有标记重复时才能指定重复的事件",
        ));
    }
    future(input.due_at, now)?;
    Ok(ActionInput { remark, ..input })
}

/// Refuses a due time that has passed, or that is more than a year away.
pub(crate) fn future(due: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    let year = std::time::Duration::from_hours(366 * 24);
    if due.is_none_or(|due| due > now && due <= now + year) {
        return Ok(());
    }
    Err(ApiError::invalid("due_at", "the due time must be within the next year", "办理时限须在未来一年之内"))
}

/// Takes the step that `input`, which is [`valid`], asks for.
pub(crate) async fn take(
    c: &mut AnyConnection,
    id: EventId,
    input: &ActionInput,
    principal: &Principal,
    now: Timestamp,
) -> Result<(), ApiError> {
    let event = store::summary(c, &id.to_string(), now).await?.ok_or_else(no_event)?;
    if event.version != input.version {
        return Err(ApiError::conflict());
    }
    let steps = store::steps(c, id).await?;
    let last = last_step(&event, &steps);
    let to = lifecycle::step(event.state, input.action, last, principal.user, now).ok_or_else(not_possible)?;
    let assignee = match input.assignee_id {
        Some(user) => Some((user, assignee_name(c, user).await?)),
        None => None,
    };
    if let Some(first) = input.duplicate_of {
        let known = store::summary(c, &first.to_string(), now).await?.is_some();
        if !known || first == id {
            return Err(ApiError::invalid("duplicate_of", "there is no such other event", "被重复的事件不存在"));
        }
    }
    let entry = HistoryEntry {
        at: now,
        username: principal.username.clone(),
        action: input.action,
        from_state: event.state,
        to_state: to,
        reason: input.reason,
        remark: input.remark.clone(),
    };
    let due = input.due_at.or_else(|| deadlines::due(to, event.severity.into(), now));
    let effect = StepEffect { due, assignee, duplicate_of: input.duplicate_of };
    if store::take_step(c, id, input.version, principal.user, &entry, &effect).await? {
        Ok(())
    } else {
        Err(ApiError::conflict())
    }
}

/// The name of somebody who may be made responsible.
pub(crate) async fn assignee_name(c: &mut AnyConnection, user: UserId) -> Result<String, ApiError> {
    let account = accounts::user(c, user).await?.filter(|a| a.role != Role::Viewer);
    account.map(|a| a.username).ok_or_else(|| {
        ApiError::invalid("assignee_id", "there is no such user who handles events", "责任人不存在或没有处置权限")
    })
}

/// The step that can be taken back: the newest, unless that is an undo itself or decided an appeal.
pub(crate) fn last_step(event: &EventSummary, steps: &[(UserId, HistoryEntry)]) -> Option<LastStep> {
    let (by, entry) = steps.last().filter(|(_, entry)| entry.action != Action::Undo)?;
    if event.appeal == Some(AppealState::Accepted) {
        return None;
    }
    Some(LastStep { by: *by, at: entry.at, from: entry.from_state })
}

pub(crate) fn not_possible() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "not_possible",
        "this step is not possible in the event's present state",
        "事件当前状态不允许此操作",
    )
}

pub(crate) fn no_event() -> ApiError {
    ApiError::not_found("event", "事件")
}
