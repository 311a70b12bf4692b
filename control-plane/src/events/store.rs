//! SQL of the events.

use protocol::{Algorithm, EdgeId, Event, EventId, EvidenceKind, SiteId, Timestamp};
use server_kit::{DbError, Filter};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    deadlines, grouping,
    handling::types::AppealState,
    lifecycle::{Action, Reason, State},
    number,
    types::{Clip, EventCounters, EventSummary, HistoryEntry, Snapshot, StateCounts},
};
use crate::{api, china_time, reports::store as rollups};

/// What became of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is the newest now.
    New,
    /// It, or a later one, was here already.
    Known,
    /// The event belongs to another edge.
    Foreign,
}

/// Where an event was seen, as the plane knows it.
pub(crate) struct Place<'a> {
    pub(crate) edge: EdgeId,
    pub(crate) site: SiteId,
    pub(crate) site_name: &'a str,
    pub(crate) camera_name: &'a str,
    pub(crate) task_name: Option<&'a str>,
}

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

/// Takes a revision: once, and never over a later one. A new event gets its number, its group and its first due
/// time, and is counted.
pub(crate) async fn take(
    c: &mut AnyConnection,
    event: &Event,
    place: &Place<'_>,
    now: Timestamp,
) -> Result<Stored, DbError> {
    let known = sqlx::query("select severity from events where id = $1").bind(event.id.to_string());
    let known: Option<String> = known.fetch_optional(&mut *c).await?.map(|row| row.try_get(0)).transpose()?;
    let regraded = known.as_ref().is_some_and(|severity| severity != event.severity.as_str());
    // A number that is given out is used: only an event that is not here asks for one.
    let seq = if known.is_none() { Some(next_seq(c).await?) } else { None };
    let sighting = grouping::Sighting::of(event);
    let group = if known.is_none() { group_of(c, event, &sighting).await? } else { event.id.to_string() };
    if regraded {
        rollups::count(c, event.id, -1).await?;
    }
    let stored_seq = upsert(c, event, place, seq, &sighting, &group, now).await?;
    // Another plane may have been faster with the same event: then the number was not used, which is no harm.
    let is_new = seq.is_some() && stored_seq == seq;
    if is_new || regraded {
        rollups::count(c, event.id, 1).await?;
    }
    if stored_seq.is_none() {
        return known_or_foreign(c, event, place.edge).await;
    }
    for evidence in &event.evidence {
        refer(c, event.id, &evidence.hash.to_string(), &evidence.media_type).await?;
    }
    Ok(Stored::New)
}

async fn next_seq(c: &mut AnyConnection) -> Result<i64, DbError> {
    let query = sqlx::query("update counters set value = value + 1 where name = 'events' returning value");
    Ok(query.fetch_one(c).await?.try_get(0)?)
}

/// The group that an event belongs to: its own when nothing of the same subject came shortly before or after.
async fn group_of(c: &mut AnyConnection, event: &Event, new: &grouping::Sighting) -> Result<String, DbError> {
    let rows = sqlx::query(
        "select group_id, decided_at, track, place_x, place_y, place_h from events
         where camera_id = $1 and decided_at between $2 and $3 and task_id = $4
         order by decided_at desc, id desc limit 50",
    )
    .bind(event.camera.to_string())
    .bind((event.decided_at - grouping::WINDOW).as_micros())
    .bind((event.decided_at + grouping::WINDOW).as_micros())
    .bind(event.task.to_string())
    .fetch_all(c)
    .await?;
    for row in rows {
        let number = |column: usize| row.try_get::<Option<f64>, _>(column);
        let seen = grouping::Sighting {
            at: Timestamp::from_micros(row.try_get(1)?),
            track: row.try_get(2)?,
            place: match (number(3)?, number(4)?, number(5)?) {
                (Some(x), Some(y), Some(h)) => Some((x, y, h)),
                _ => None,
            },
        };
        if let Some(group) = row.try_get::<Option<String>, _>(0)?
            && grouping::same_subject(&seen, new)
        {
            return Ok(group);
        }
    }
    Ok(event.id.to_string())
}

/// Inserts an event or brings it up to date; gives its number, `None` when nothing was done.
async fn upsert(
    c: &mut AnyConnection,
    event: &Event,
    place: &Place<'_>,
    seq: Option<i64>,
    sighting: &grouping::Sighting,
    group: &str,
    now: Timestamp,
) -> Result<Option<i64>, DbError> {
    let newest = |kind| event.evidence.iter().rev().find(|e| e.kind == kind);
    let (snapshot, clip) = (newest(EvidenceKind::Snapshot), newest(EvidenceKind::Clip));
    let body = serde_json::to_string(event).map_err(|e| DbError::corrupt("events.body")(&e))?;
    let due = deadlines::due(State::Pending, event.severity, now).map(Timestamp::as_micros);
    let row = sqlx::query(
        "insert into events (id, edge_id, site_id, camera_id, camera_name, task_id, task_name, algorithm, severity,
            state, phase, zone, started_at, decided_at, ended_at, received_at, score, revision, version,
            snapshot_hash, snapshot_width, snapshot_height, clip_hash, clip_starts_at, clip_duration_ms, body,
            seq, day, model_name, model_version, group_id, track, place_x, place_y, place_h, due_at, escalate_at, search)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1,
            $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37)
         on conflict (id) do update set severity = excluded.severity, phase = excluded.phase, zone = excluded.zone,
            started_at = excluded.started_at, decided_at = excluded.decided_at, ended_at = excluded.ended_at,
            score = excluded.score, revision = excluded.revision, snapshot_hash = excluded.snapshot_hash,
            snapshot_width = excluded.snapshot_width, snapshot_height = excluded.snapshot_height,
            clip_hash = excluded.clip_hash, clip_starts_at = excluded.clip_starts_at,
            clip_duration_ms = excluded.clip_duration_ms, body = excluded.body
         where events.revision < excluded.revision and events.edge_id = excluded.edge_id
            and events.camera_id = excluded.camera_id and events.algorithm = excluded.algorithm
         returning seq",
    )
    .bind(event.id.to_string())
    .bind(place.edge.to_string())
    .bind(place.site.to_string())
    .bind(event.camera.to_string())
    .bind(place.camera_name)
    .bind(event.task.to_string())
    .bind(place.task_name.map(str::to_owned))
    .bind(event.algorithm.as_str())
    .bind(event.severity.as_str())
    .bind(State::Pending.as_str())
    .bind(phase_name(event.phase))
    .bind(event.zone.clone())
    .bind(event.started_at.as_micros())
    .bind(event.decided_at.as_micros())
    .bind(event.ended_at.map(Timestamp::as_micros))
    .bind(now.as_micros())
    .bind(f64::from(event.score))
    .bind(i64::from(event.revision))
    .bind(snapshot.map(|e| e.hash.to_string()))
    .bind(snapshot.map(|e| i64::from(e.width)))
    .bind(snapshot.map(|e| i64::from(e.height)))
    .bind(clip.map(|e| e.hash.to_string()))
    .bind(clip.map(|e| e.starts_at.as_micros()))
    .bind(clip.map(|e| i64::from(e.duration_ms)))
    .bind(body)
    .bind(seq)
    .bind(china_time::day(event.decided_at))
    .bind(&event.model.name)
    .bind(&event.model.version)
    .bind(group)
    .bind(sighting.track)
    .bind(sighting.place.map(|p| p.0))
    .bind(sighting.place.map(|p| p.1))
    .bind(sighting.place.map(|p| p.2))
    .bind(due)
    .bind(due)
    .bind(search_text(event, place))
    .fetch_optional(c)
    .await?;
    Ok(row.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()?.flatten())
}

fn search_text(event: &Event, place: &Place<'_>) -> String {
    let (zh, en) = (event.algorithm.name_zh(), event.algorithm.name_en());
    let parts =
        [place.site_name, place.camera_name, place.task_name.unwrap_or(""), event.zone.as_deref().unwrap_or("")];
    format!("{} {zh} {en}", parts.join(" ")).to_lowercase()
}

async fn known_or_foreign(c: &mut AnyConnection, event: &Event, edge: EdgeId) -> Result<Stored, DbError> {
    let query =
        sqlx::query("select edge_id, camera_id, algorithm from events where id = $1").bind(event.id.to_string());
    let row = query.fetch_one(c).await?;
    let same = row.try_get::<String, _>(0)? == edge.to_string()
        && row.try_get::<String, _>(1)? == event.camera.to_string()
        && row.try_get::<String, _>(2)? == event.algorithm.as_str();
    Ok(if same { Stored::Known } else { Stored::Foreign })
}

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

const fn phase_name(phase: protocol::EventPhase) -> &'static str {
    match phase {
        protocol::EventPhase::New => "new",
        protocol::EventPhase::Update => "update",
        protocol::EventPhase::End => "end",
    }
}

/// Where the bytes of a piece of evidence are.
pub(crate) fn evidence_url(hash: &str) -> String {
    format!("/api/v1/evidence/{hash}")
}
