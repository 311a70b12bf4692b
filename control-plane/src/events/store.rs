//! SQL of the events.

use protocol::{Algorithm, Event, EventId, SiteId, Timestamp};
use server_kit::{DbError, Filter};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    deadlines,
    handling::types::AppealState,
    lifecycle::{Action, Reason, State},
    number,
    types::{Clip, EventCounters, EventSummary, HistoryEntry, Snapshot, StateCounts},
};
use crate::{api, reports::store as rollups};

/// Which events a list shows. Empty lists ask for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventQuery {
    pub(crate) states: Vec<State>,
    pub(crate) algorithms: Vec<protocol::Algorithm>,
    pub(crate) cameras: Vec<protocol::CameraId>,
    pub(crate) severities: Vec<protocol::Severity>,
    pub(crate) site: Option<SiteId>,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    /// Words that must all be there, lower case.
    pub(crate) words: Vec<String>,
    pub(crate) seq: Option<i64>,
    pub(crate) assignee: Option<Assignee>,
    /// Whether the due time has passed by then.
    pub(crate) overdue: Option<(bool, Timestamp)>,
    pub(crate) appeal: Option<AppealState>,
    pub(crate) group: Option<EventId>,
    pub(crate) first_of_group: bool,
    pub(crate) after: Option<(i64, String)>,
    pub(crate) limit: i64,
}

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assignee {
    Nobody,
    User(protocol::UserId),
}

const SUMMARY: &str = "select e.id, e.algorithm, e.camera_id, coalesce(c.name, e.camera_name) as camera_name,
    e.site_id, s.name as site_name, e.severity, e.state, e.phase, e.zone, e.started_at, e.decided_at, e.ended_at,
    e.received_at, e.score, e.revision, e.version, e.snapshot_hash, e.snapshot_width, e.snapshot_height,
    fs.hash as snapshot_stored, e.clip_hash, e.clip_starts_at, e.clip_duration_ms, fc.hash as clip_stored,
    e.seq, e.group_id, (select count(*) from events g where g.group_id = e.group_id) as group_count, e.assignee_id,
    e.assignee_name, e.due_at, e.overdue_level, e.appeal, e.notes
    from events e
    join sites s on s.id = e.site_id
    left join cameras c on c.id = e.camera_id
    left join evidence_files fs on fs.hash = e.snapshot_hash
    left join evidence_files fc on fc.hash = e.clip_hash";

/// Notes that an event refers to a file.
pub(crate) async fn refer(c: &mut AnyConnection, event: EventId, hash: &str, media_type: &str) -> Result<(), DbError> {
    sqlx::query("insert into event_evidence (event_id, hash, media_type) values ($1, $2, $3) on conflict do nothing")
        .bind(event.to_string())
        .bind(hash)
        .bind(media_type)
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn page(c: &mut AnyConnection, q: &EventQuery, now: Timestamp) -> Result<Vec<EventSummary>, DbError> {
    let mut filter = Filter::default()
        .any_of("e.state", q.states.iter().map(|s| s.as_str()))
        .any_of("e.algorithm", q.algorithms.iter().map(|a| a.as_str()))
        .any_of("e.camera_id", q.cameras.iter().map(ToString::to_string))
        .any_of("e.severity", q.severities.iter().map(|s| s.as_str()));
    if let Some(site) = q.site {
        filter = filter.and("e.site_id = ?").text(site.to_string());
    }
    if let Some(from) = q.from {
        filter = filter.and("e.decided_at >= ?").int(from);
    }
    if let Some(to) = q.to {
        filter = filter.and("e.decided_at < ?").int(to);
    }
    for word in &q.words {
        filter = filter.and("e.search like ? escape '!'").text(format!("%{}%", escaped(word)));
    }
    if let Some(seq) = q.seq {
        filter = filter.and("e.seq = ?").int(seq);
    }
    filter = match q.assignee {
        None => filter,
        Some(Assignee::Nobody) => filter.and("e.assignee_id is null"),
        Some(Assignee::User(user)) => filter.and("e.assignee_id = ?").text(user.to_string()),
    };
    filter = match q.overdue {
        None => filter,
        Some((true, now)) => filter.and("e.due_at <= ?").int(now.as_micros()),
        Some((false, now)) => filter.and("(e.due_at is null or e.due_at > ?)").int(now.as_micros()),
    };
    if let Some(appeal) = q.appeal {
        filter = filter.and("e.appeal = ?").text(appeal.as_str());
    }
    if let Some(group) = q.group {
        filter = filter.and("e.group_id = ?").text(group.to_string());
    }
    if q.first_of_group {
        filter = filter.and("e.group_id = e.id");
    }
    if let Some((at, id)) = &q.after {
        // The first half lets the index begin at the right row; the second breaks ties.
        filter = filter.and("e.decided_at <= ?").int(*at);
        filter = filter.and("(e.decided_at < ? or e.id < ?)").int(*at).text(id);
    }
    let query = filter.int(q.limit).query(SUMMARY, " order by e.decided_at desc, e.id desc limit ?");
    query.fetch_all(c).await?.iter().map(|row| summary_of(row, now)).collect()
}

/// A text as `like` takes it literally, with `!` as the escape.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '!' | '%' | '_').then_some('!').into_iter().chain([c])).collect()
}

pub(crate) async fn summary(c: &mut AnyConnection, id: &str, now: Timestamp) -> Result<Option<EventSummary>, DbError> {
    let query = Filter::default().and("e.id = ?").text(id).query(SUMMARY, "");
    query.fetch_optional(c).await?.as_ref().map(|row| summary_of(row, now)).transpose()
}

/// The event as the edge told it, and the name of its task.
pub(crate) async fn body(c: &mut AnyConnection, id: EventId) -> Result<Option<(Event, Option<String>)>, DbError> {
    let row = sqlx::query(
        "select e.body, coalesce(t.name, e.task_name) as task_name
         from events e left join tasks t on t.id = e.task_id where e.id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(c)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let text: String = row.try_get(0)?;
    let event = serde_json::from_str(&text).map_err(|e| DbError::corrupt("events.body")(&e))?;
    Ok(Some((event, row.try_get(1)?)))
}

/// What people did, oldest first, with who it was.
pub(crate) async fn steps(
    c: &mut AnyConnection,
    id: EventId,
) -> Result<Vec<(protocol::UserId, HistoryEntry)>, DbError> {
    let rows = sqlx::query(
        "select at, user_id, username, action, from_state, to_state, reason, remark
         from event_steps where event_id = $1 order by step",
    )
    .bind(id.to_string())
    .fetch_all(c)
    .await?;
    rows.iter().map(step_of).collect()
}

/// What a step changes beside the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepEffect {
    /// Until when the step after it is due.
    pub(crate) due: Option<Timestamp>,
    pub(crate) assignee: Option<(protocol::UserId, String)>,
    pub(crate) duplicate_of: Option<EventId>,
}

/// Takes a step and moves the event in the reports; false when the event has another version by now.
pub(crate) async fn take_step(
    c: &mut AnyConnection,
    id: EventId,
    version: i64,
    by: protocol::UserId,
    entry: &HistoryEntry,
    effect: &StepEffect,
) -> Result<bool, DbError> {
    let Some(times) = times(c, id, version).await? else { return Ok(false) };
    rollups::count(c, id, -1).await?;
    let next = times.after(entry);
    rollups::retime(c, id, &times, &next).await?;
    let due = effect.due.map(Timestamp::as_micros);
    let moved = sqlx::query(
        "update events set state = $1, version = version + 1, responded_at = $2, closed_at = $3, false_reason = $4,
            due_at = $5, escalate_at = $6, overdue_level = 0, assignee_id = coalesce($7, assignee_id),
            assignee_name = coalesce($8, assignee_name), duplicate_of = $9
         where id = $10 and version = $11",
    )
    .bind(entry.to_state.as_str())
    .bind(next.responded.map(Timestamp::as_micros))
    .bind(next.closed.map(Timestamp::as_micros))
    .bind(if entry.to_state == State::FalseAlarm { entry.reason.map(|r| r.as_str().to_owned()) } else { None })
    .bind(due)
    .bind(due)
    .bind(effect.assignee.as_ref().map(|(id, _)| id.to_string()))
    .bind(effect.assignee.as_ref().map(|(_, name)| name.clone()))
    .bind(effect.duplicate_of.map(|id| id.to_string()))
    .bind(id.to_string())
    .bind(version)
    .execute(&mut *c)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    rollups::count(c, id, 1).await?;
    sqlx::query(
        "insert into event_steps (event_id, step, at, user_id, username, action, from_state, to_state, reason, remark)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id.to_string())
    .bind(version + 1)
    .bind(entry.at.as_micros())
    .bind(by.to_string())
    .bind(&entry.username)
    .bind(entry.action.as_str())
    .bind(entry.from_state.as_str())
    .bind(entry.to_state.as_str())
    .bind(entry.reason.map(|r| r.as_str().to_owned()))
    .bind(entry.remark.clone())
    .execute(c)
    .await?;
    Ok(true)
}

/// When an event came, when somebody first took a step, when it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) received: Timestamp,
    pub(crate) responded: Option<Timestamp>,
    pub(crate) closed: Option<Timestamp>,
}

impl Times {
    /// The times after a step; an undone step takes its time back.
    fn after(self, step: &HistoryEntry) -> Self {
        let responded = if step.to_state == State::Pending { None } else { self.responded.or(Some(step.at)) };
        let closed = (step.to_state == State::Closed).then_some(step.at);
        Self { responded, closed, ..self }
    }
}

/// The times of an event while it has this version. Holds the event for the rest of the transaction, so that of
/// two steps one sees the other.
async fn times(c: &mut AnyConnection, id: EventId, version: i64) -> Result<Option<Times>, DbError> {
    let row = sqlx::query(
        "update events set notes = notes where id = $1 and version = $2 returning received_at, responded_at, closed_at",
    )
    .bind(id.to_string())
    .bind(version)
    .fetch_optional(c)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let time = |column: usize| row.try_get::<Option<i64>, _>(column).map(|t| t.map(Timestamp::from_micros));
    Ok(Some(Times { received: Timestamp::from_micros(row.try_get(0)?), responded: time(1)?, closed: time(2)? }))
}

/// Counts everything; `today` begins at `midnight`.
pub(crate) async fn counters(c: &mut AnyConnection, midnight: Timestamp) -> Result<EventCounters, DbError> {
    let by_algorithm = Algorithm::ALL.into_iter().map(|a| (a.as_str(), 0)).collect();
    let mut counters = EventCounters { by_algorithm, ..EventCounters::default() };
    let query = sqlx::query("select state, algorithm, count(*) from events group by state, algorithm");
    for row in query.fetch_all(&mut *c).await? {
        let (state, algorithm): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let count = row.try_get::<i64, _>(2)?.unsigned_abs();
        let state = State::parse(&state).ok_or_else(|| DbError::corrupt("events.state")(&state))?;
        let algorithm: Algorithm = algorithm.parse().map_err(|e| DbError::corrupt("events.algorithm")(&e))?;
        *by_state(&mut counters.by_state, state) += count;
        *counters.by_algorithm.entry(algorithm.as_str()).or_default() += count;
    }
    let row = sqlx::query("select count(*) from events where decided_at >= $1").bind(midnight.as_micros());
    counters.today = row.fetch_one(c).await?.try_get::<i64, _>(0)?.unsigned_abs();
    Ok(counters)
}

fn by_state(counts: &mut StateCounts, state: State) -> &mut u64 {
    match state {
        State::Pending => &mut counts.pending,
        State::Confirmed => &mut counts.confirmed,
        State::Dispatched => &mut counts.dispatched,
        State::InProgress => &mut counts.in_progress,
        State::InReview => &mut counts.in_review,
        State::Closed => &mut counts.closed,
        State::FalseAlarm => &mut counts.false_alarm,
        State::Duplicate => &mut counts.duplicate,
        State::Ignored => &mut counts.ignored,
    }
}

fn summary_of(row: &AnyRow, now: Timestamp) -> Result<EventSummary, DbError> {
    let text = |column: usize| row.try_get::<String, _>(column);
    let time = |column: usize| row.try_get::<i64, _>(column).map(Timestamp::from_micros);
    let small = |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.unwrap_or_default() as u32);
    let algorithm: Algorithm = text(1)?.parse().map_err(|e| DbError::corrupt("events.algorithm")(&e))?;
    let snapshot = match row.try_get::<Option<String>, _>(17)? {
        None => None,
        Some(hash) => Some(Snapshot {
            url: evidence_url(&hash),
            width: small(18)?,
            height: small(19)?,
            available: row.try_get::<Option<String>, _>(20)?.is_some(),
        }),
    };
    let clip = match row.try_get::<Option<String>, _>(21)? {
        None => None,
        Some(hash) => Some(Clip {
            url: evidence_url(&hash),
            starts_at: time(22)?,
            duration_ms: small(23)?,
            available: row.try_get::<Option<String>, _>(24)?.is_some(),
        }),
    };
    let (severity, state, phase) = (text(6)?, text(7)?, text(8)?);
    let severity = match severity.as_str() {
        "yellow" => api::Severity::Yellow,
        "orange" => api::Severity::Orange,
        "red" => api::Severity::Red,
        other => return Err(DbError::corrupt("events.severity")(&other)),
    };
    let state = State::parse(&state).ok_or_else(|| DbError::corrupt("events.state")(&state))?;
    let due_at = row.try_get::<Option<i64>, _>(30)?.map(Timestamp::from_micros);
    let id: EventId = text(0)?.parse().map_err(|e| DbError::corrupt("events.id")(&e))?;
    let received_at = time(13)?;
    let group: Option<String> = row.try_get(26)?;
    let assignee: Option<String> = row.try_get(28)?;
    let appeal: Option<String> = row.try_get(32)?;
    Ok(EventSummary {
        id,
        algorithm: algorithm.into(),
        camera_id: text(2)?.parse().map_err(|e| DbError::corrupt("events.camera_id")(&e))?,
        camera_name: text(3)?,
        site_id: text(4)?.parse().map_err(|e| DbError::corrupt("events.site_id")(&e))?,
        site_name: text(5)?,
        severity,
        state,
        phase: match phase.as_str() {
            "new" => api::Phase::New,
            "update" => api::Phase::Update,
            "end" => api::Phase::End,
            other => return Err(DbError::corrupt("events.phase")(&other)),
        },
        zone: row.try_get(9)?,
        started_at: time(10)?,
        decided_at: time(11)?,
        ended_at: row.try_get::<Option<i64>, _>(12)?.map(Timestamp::from_micros),
        received_at,
        score: row.try_get::<f64, _>(14)? as f32,
        revision: row.try_get::<i64, _>(15)? as u32,
        version: row.try_get(16)?,
        snapshot,
        clip,
        number: number::write(received_at, row.try_get::<Option<i64>, _>(25)?.unwrap_or_default()),
        group_id: group.and_then(|g| g.parse().ok()).unwrap_or(id),
        group_count: row.try_get::<i64, _>(27)?.max(1) as u32,
        assignee_id: assignee.map(|a| a.parse().map_err(|e| DbError::corrupt("events.assignee_id")(&e))).transpose()?,
        assignee_name: row.try_get(29)?,
        due_at,
        light: deadlines::light(state, severity.into(), due_at, now),
        overdue_level: row.try_get::<i64, _>(31)? as u32,
        appeal: appeal.and_then(|a| AppealState::parse(&a)),
        note_count: row.try_get::<i64, _>(33)? as u32,
    })
}

fn step_of(row: &AnyRow) -> Result<(protocol::UserId, HistoryEntry), DbError> {
    let text = |column: usize| row.try_get::<String, _>(column);
    let state = |text: String| State::parse(&text).ok_or_else(|| DbError::corrupt("event_steps.state")(&text));
    let action = text(3)?;
    let entry = HistoryEntry {
        at: Timestamp::from_micros(row.try_get(0)?),
        username: text(2)?,
        action: Action::parse(&action).ok_or_else(|| DbError::corrupt("event_steps.action")(&action))?,
        from_state: state(text(4)?)?,
        to_state: state(text(5)?)?,
        reason: row.try_get::<Option<String>, _>(6)?.and_then(|r| Reason::parse(&r)),
        remark: row.try_get(7)?,
    };
    Ok((text(1)?.parse().map_err(|e| DbError::corrupt("event_steps.user_id")(&e))?, entry))
}

/// Where the bytes of a piece of evidence are.
pub(crate) fn evidence_url(hash: &str) -> String {
    format!("/api/v1/evidence/{hash}")
}
