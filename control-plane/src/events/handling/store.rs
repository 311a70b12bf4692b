//! SQL of handling: notes, assignments, appeals, reminders.

use std::collections::HashMap;

use protocol::{EventId, MessageId, Severity, Timestamp, UserId};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _};

use super::types::{AppealState, Note, NoteKind, Reminders};
use crate::events::{lifecycle::State, store::evidence_url};

/// Most notes of one event.
pub(crate) const MAX_NOTES: u32 = 200;

/// A note to write.
pub(crate) struct NewNote<'a> {
    pub(crate) event: EventId,
    pub(crate) kind: NoteKind,
    /// `None` for the clock.
    pub(crate) by: Option<(UserId, &'a str)>,
    pub(crate) text: &'a str,
    /// Hashes.
    pub(crate) pictures: &'a [String],
}

/// Writes a note; false when the event has as many as it may.
pub(crate) async fn write(c: &mut AnyConnection, note: &NewNote<'_>, now: Timestamp) -> Result<bool, DbError> {
    let counted = sqlx::query("update events set notes = notes + 1 where id = $1 and notes < $2 returning notes")
        .bind(note.event.to_string())
        .bind(i64::from(MAX_NOTES))
        .fetch_optional(&mut *c)
        .await?;
    let Some(counted) = counted else { return Ok(false) };
    let id = MessageId::new(now).to_string();
    sqlx::query(
        "insert into event_notes (id, event_id, place, at, user_id, username, kind, note)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&id)
    .bind(note.event.to_string())
    .bind(counted.try_get::<i64, _>(0)?)
    .bind(now.as_micros())
    .bind(note.by.map(|(id, _)| id.to_string()).unwrap_or_default())
    .bind(note.by.map(|(_, name)| name.to_owned()).unwrap_or_default())
    .bind(note.kind.as_str())
    .bind(note.text)
    .execute(&mut *c)
    .await?;
    for (position, hash) in (0_i64..).zip(note.pictures) {
        sqlx::query("insert into event_note_pictures (note_id, position, hash) values ($1, $2, $3)")
            .bind(&id)
            .bind(position)
            .bind(hash)
            .execute(&mut *c)
            .await?;
    }
    Ok(true)
}

/// The notes of an event, oldest first.
pub(crate) async fn notes(c: &mut AnyConnection, event: EventId) -> Result<Vec<Note>, DbError> {
    let rows = sqlx::query(
        "select n.id, p.hash from event_notes n join event_note_pictures p on p.note_id = n.id
         where n.event_id = $1 order by n.id, p.position",
    )
    .bind(event.to_string())
    .fetch_all(&mut *c)
    .await?;
    let mut pictures: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        pictures.entry(row.try_get(0)?).or_default().push(evidence_url(&row.try_get::<String, _>(1)?));
    }
    let rows = sqlx::query("select id, at, kind, username, note from event_notes where event_id = $1 order by place")
        .bind(event.to_string())
        .fetch_all(c)
        .await?;
    let mut notes = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, kind): (String, String) = (row.try_get(0)?, row.try_get(2)?);
        notes.push(Note {
            pictures: pictures.remove(&id).unwrap_or_default(),
            at: Timestamp::from_micros(row.try_get(1)?),
            kind: NoteKind::parse(&kind).ok_or_else(|| DbError::corrupt("event_notes.kind")(&kind))?,
            username: row.try_get(3)?,
            text: row.try_get(4)?,
            id,
        });
    }
    Ok(notes)
}

/// Whether an uploaded picture belongs to the event.
pub(crate) async fn has_picture(c: &mut AnyConnection, event: EventId, hash: &str) -> Result<bool, DbError> {
    let row = sqlx::query(
        "select r.hash from event_evidence r join evidence_files f on f.hash = r.hash
         where r.event_id = $1 and r.hash = $2 and r.media_type = 'image/jpeg'",
    );
    Ok(row.bind(event.to_string()).bind(hash).fetch_optional(c).await?.is_some())
}

/// Changes who is responsible and until when; false when the event has another version by now.
pub(crate) async fn assign(
    c: &mut AnyConnection,
    event: EventId,
    version: i64,
    assignee: Option<(UserId, &str)>,
    due: Option<Timestamp>,
) -> Result<bool, DbError> {
    let due = due.map(Timestamp::as_micros);
    let done = sqlx::query(
        "update events set assignee_id = $1, assignee_name = $2, due_at = $3, escalate_at = $4, overdue_level = 0,
         version = version + 1 where id = $5 and version = $6",
    )
    .bind(assignee.map(|(id, _)| id.to_string()))
    .bind(assignee.map(|(_, name)| name.to_owned()))
    .bind(due)
    .bind(due)
    .bind(event.to_string())
    .bind(version)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets the state of the appeal; false when the event has another version by now.
pub(crate) async fn set_appeal(
    c: &mut AnyConnection,
    event: EventId,
    version: i64,
    state: AppealState,
    by: Option<UserId>,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "update events set appeal = $1, appealed_by = coalesce($2, appealed_by), version = version + 1
         where id = $3 and version = $4",
    )
    .bind(state.as_str())
    .bind(by.map(|id| id.to_string()))
    .bind(event.to_string())
    .bind(version)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who appealed, and which event this one repeats.
pub(crate) async fn extras(
    c: &mut AnyConnection,
    event: EventId,
) -> Result<(Option<UserId>, Option<EventId>), DbError> {
    let query = sqlx::query("select appealed_by, duplicate_of from events where id = $1").bind(event.to_string());
    let Some(row) = query.fetch_optional(c).await? else { return Ok((None, None)) };
    let (by, of): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let by = by.map(|id| id.parse().map_err(|e| DbError::corrupt("events.appealed_by")(&e))).transpose()?;
    let of = of.map(|id| id.parse().map_err(|e| DbError::corrupt("events.duplicate_of")(&e))).transpose()?;
    Ok((by, of))
}

/// An event whose next reminder is due.
#[derive(Clone, Debug)]
pub(crate) struct Overdue {
    pub(crate) id: EventId,
    pub(crate) state: State,
    pub(crate) severity: Severity,
    pub(crate) due: Timestamp,
    pub(crate) level: i64,
}

/// Events whose next reminder is due, longest due first.
pub(crate) async fn overdue(c: &mut AnyConnection, now: Timestamp, limit: i64) -> Result<Vec<Overdue>, DbError> {
    let rows = sqlx::query(
        "select id, state, severity, due_at, overdue_level from events
         where escalate_at <= $1 and due_at is not null order by escalate_at limit $2",
    )
    .bind(now.as_micros())
    .bind(limit)
    .fetch_all(c)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (state, severity): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        let severities = [Severity::Yellow, Severity::Orange, Severity::Red];
        let severity = severities.into_iter().find(|s| s.as_str() == severity);
        found.push(Overdue {
            id: row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("events.id")(&e))?,
            state: State::parse(&state).ok_or_else(|| DbError::corrupt("events.state")(&state))?,
            severity: severity.ok_or_else(|| DbError::corrupt("events.severity")(&"unknown"))?,
            due: Timestamp::from_micros(row.try_get(3)?),
            level: row.try_get(4)?,
        });
    }
    Ok(found)
}

/// Notes how often an event was reminded of, and when the next reminder is due.
pub(crate) async fn reminded(
    c: &mut AnyConnection,
    event: EventId,
    level: i64,
    next: Option<Timestamp>,
) -> Result<(), DbError> {
    sqlx::query("update events set overdue_level = $1, escalate_at = $2 where id = $3")
        .bind(level)
        .bind(next.map(Timestamp::as_micros))
        .bind(event.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Counts what waits for people.
pub(crate) async fn reminders(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Reminders, DbError> {
    let mut counts = Reminders::default();
    let rows = sqlx::query("select state, count(*) from events where state in ('pending', 'in_review') group by state");
    for row in rows.fetch_all(&mut *c).await? {
        let (state, count): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        match state.as_str() {
            "pending" => counts.pending = count.unsigned_abs(),
            _ => counts.in_review = count.unsigned_abs(),
        }
    }
    let query = sqlx::query("select count(*) from events where due_at <= $1").bind(now.as_micros());
    counts.overdue = query.fetch_one(&mut *c).await?.try_get::<i64, _>(0)?.unsigned_abs();
    let query = sqlx::query("select count(*) from events where appeal = 'open'");
    counts.appeals = query.fetch_one(&mut *c).await?.try_get::<i64, _>(0)?.unsigned_abs();
    let query = sqlx::query(
        "select count(*), coalesce(sum(case when due_at <= $1 then 1 else 0 end), 0) from events
         where assignee_id = $2 and due_at is not null",
    );
    let row = query.bind(now.as_micros()).bind(user.to_string()).fetch_one(c).await?;
    counts.mine = row.try_get::<i64, _>(0)?.unsigned_abs();
    counts.mine_overdue = row.try_get::<i64, _>(1)?.unsigned_abs();
    Ok(counts)
}
