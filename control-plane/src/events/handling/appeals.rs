//! Appeals 申诉: who was told to put something right may say that it was nothing; somebody else decides.

use axum::http::StatusCode;
use protocol::{EventId, Timestamp, UserId};
use server_kit::{ApiError, Principal};
use sqlx::AnyConnection;

use super::{
    actions,
    store::{self as notes, NewNote},
    types::{AppealDecisionInput, AppealState, NoteKind},
};
use crate::events::{
    lifecycle::{Action, State},
    store::{self, StepEffect},
    types::{EventSummary, HistoryEntry},
};

/// Whether an appeal against the event can be made: somebody was made responsible, and none was made before.
pub(crate) fn can_appeal(event: &EventSummary) -> bool {
    let told = matches!(event.state, State::Dispatched | State::InProgress | State::InReview | State::Closed);
    told && event.appeal.is_none()
}

/// Whether `user` may decide the event's appeal: not one's own.
pub(crate) fn can_decide(event: &EventSummary, appellant: Option<UserId>, user: UserId) -> bool {
    event.appeal == Some(AppealState::Open) && appellant != Some(user)
}

/// Makes an appeal.
pub(crate) async fn make(
    c: &mut AnyConnection,
    id: EventId,
    version: i64,
    note: (&str, &[String]),
    principal: &Principal,
    now: Timestamp,
) -> Result<(), ApiError> {
    let event = store::summary(c, &id.to_string(), now).await?.ok_or_else(actions::no_event)?;
    if event.version != version {
        return Err(ApiError::conflict());
    }
    if !can_appeal(&event) {
        return Err(actions::not_possible());
    }
    if !notes::set_appeal(c, id, version, AppealState::Open, Some(principal.user)).await? {
        return Err(ApiError::conflict());
    }
    write(c, id, NoteKind::Appeal, note, principal, now).await
}

/// Decides an appeal. An accepted one makes the event a false alarm, wherever it was.
pub(crate) async fn decide(
    c: &mut AnyConnection,
    id: EventId,
    input: &AppealDecisionInput,
    principal: &Principal,
    now: Timestamp,
) -> Result<(), ApiError> {
    let event = store::summary(c, &id.to_string(), now).await?.ok_or_else(actions::no_event)?;
    if event.version != input.version {
        return Err(ApiError::conflict());
    }
    if event.appeal != Some(AppealState::Open) {
        return Err(actions::not_possible());
    }
    let (appellant, _) = notes::extras(c, id).await?;
    if !can_decide(&event, appellant, principal.user) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "own_appeal",
            "somebody else must decide this appeal",
            "不能裁决自己提出的申诉，请由他人处理",
        ));
    }
    let (state, kind) = if input.accept {
        (AppealState::Accepted, NoteKind::AppealAccepted)
    } else {
        (AppealState::Rejected, NoteKind::AppealRejected)
    };
    if !notes::set_appeal(c, id, input.version, state, None).await? {
        return Err(ApiError::conflict());
    }
    if input.accept {
        let entry = HistoryEntry {
            at: now,
            username: principal.username.clone(),
            action: Action::FalseAlarm,
            from_state: event.state,
            to_state: State::FalseAlarm,
            reason: input.reason,
            remark: Some(input.remark.clone()),
        };
        if !store::take_step(c, id, input.version + 1, principal.user, &entry, &StepEffect::default()).await? {
            return Err(ApiError::conflict());
        }
    }
    write(c, id, kind, (&input.remark, &[]), principal, now).await
}

async fn write(
    c: &mut AnyConnection,
    event: EventId,
    kind: NoteKind,
    (text, pictures): (&str, &[String]),
    principal: &Principal,
    now: Timestamp,
) -> Result<(), ApiError> {
    let by = Some((principal.user, principal.username.as_str()));
    let note = NewNote { event, kind, by, text, pictures };
    if notes::write(c, &note, now).await? { Ok(()) } else { Err(full()) }
}

pub(crate) fn full() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "too_many_notes",
        "the event has as many notes as it may have",
        "该事件的记录数已达上限",
    )
}
