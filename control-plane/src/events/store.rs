//! SQL of the events.

use protocol::{Algorithm, EdgeId, Event, EventId, Evidence, EvidenceKind, SiteId, Timestamp};
use server_kit::{DbError, Filter};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    lifecycle::{Action, Reason, State},
    types::{Clip, EventCounters, EventSummary, HistoryEntry, Snapshot, StateCounts},
};
use crate::api;

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
    pub(crate) camera_name: &'a str,
    pub(crate) task_name: Option<&'a str>,
}

/// Which events a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventQuery {
    pub(crate) state: Option<State>,
    pub(crate) algorithm: Option<protocol::Algorithm>,
    pub(crate) camera: Option<protocol::CameraId>,
    pub(crate) severity: Option<protocol::Severity>,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) after: Option<(i64, String)>,
    pub(crate) limit: i64,
}

const SUMMARY: &str = "select e.id, e.algorithm, e.camera_id, coalesce(c.name, e.camera_name) as camera_name,
    e.site_id, s.name as site_name, e.severity, e.state, e.phase, e.zone, e.started_at, e.decided_at, e.ended_at,
    e.received_at, e.score, e.revision, e.version, e.snapshot_hash, e.snapshot_width, e.snapshot_height,
    fs.hash as snapshot_stored, e.clip_hash, e.clip_starts_at, e.clip_duration_ms, fc.hash as clip_stored
    from events e
    join sites s on s.id = e.site_id
    left join cameras c on c.id = e.camera_id
    left join evidence_files fs on fs.hash = e.snapshot_hash
    left join evidence_files fc on fc.hash = e.clip_hash";

/// Takes a revision: once, and never over a later one.
pub(crate) async fn take(
    c: &mut AnyConnection,
    event: &Event,
    place: &Place<'_>,
    now: Timestamp,
) -> Result<Stored, DbError> {
    let newest = |kind| event.evidence.iter().rev().find(|e| e.kind == kind);
    let (snapshot, clip) = (newest(EvidenceKind::Snapshot), newest(EvidenceKind::Clip));
    let body = serde_json::to_string(event).map_err(|e| DbError::corrupt("events.body")(&e))?;
    let done = sqlx::query(
        "insert into events (id, edge_id, site_id, camera_id, camera_name, task_id, task_name, algorithm, severity,
            state, phase, zone, started_at, decided_at, ended_at, received_at, score, revision, version,
            snapshot_hash, snapshot_width, snapshot_height, clip_hash, clip_starts_at, clip_duration_ms, body)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1,
            $19, $20, $21, $22, $23, $24, $25)
         on conflict (id) do update set severity = excluded.severity, phase = excluded.phase, zone = excluded.zone,
            started_at = excluded.started_at, decided_at = excluded.decided_at, ended_at = excluded.ended_at,
            score = excluded.score, revision = excluded.revision, snapshot_hash = excluded.snapshot_hash,
            snapshot_width = excluded.snapshot_width, snapshot_height = excluded.snapshot_height,
            clip_hash = excluded.clip_hash, clip_starts_at = excluded.clip_starts_at,
            clip_duration_ms = excluded.clip_duration_ms, body = excluded.body
         where events.revision < excluded.revision and events.edge_id = excluded.edge_id
            and events.camera_id = excluded.camera_id and events.algorithm = excluded.algorithm",
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
    .execute(&mut *c)
    .await?;
    if done.rows_affected() == 0 {
        return known_or_foreign(c, event, place.edge).await;
    }
    for evidence in &event.evidence {
        refer(c, event.id, evidence).await?;
    }
    Ok(Stored::New)
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

async fn refer(c: &mut AnyConnection, event: EventId, evidence: &Evidence) -> Result<(), DbError> {
    sqlx::query("insert into event_evidence (event_id, hash, media_type) values ($1, $2, $3) on conflict do nothing")
        .bind(event.to_string())
        .bind(evidence.hash.to_string())
        .bind(&evidence.media_type)
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn page(c: &mut AnyConnection, q: &EventQuery) -> Result<Vec<EventSummary>, DbError> {
    let mut filter = Filter::default();
    if let Some(state) = q.state {
        filter = filter.and("e.state = ?").text(state.as_str());
    }
    if let Some(algorithm) = q.algorithm {
        filter = filter.and("e.algorithm = ?").text(algorithm.as_str());
    }
    if let Some(camera) = q.camera {
        filter = filter.and("e.camera_id = ?").text(camera.to_string());
    }
    if let Some(severity) = q.severity {
        filter = filter.and("e.severity = ?").text(severity.as_str());
    }
    if let Some(from) = q.from {
        filter = filter.and("e.decided_at >= ?").int(from);
    }
    if let Some(to) = q.to {
        filter = filter.and("e.decided_at < ?").int(to);
    }
    if let Some((at, id)) = &q.after {
        // The first half lets the index begin at the right row; the second breaks ties.
        filter = filter.and("e.decided_at <= ?").int(*at);
        filter = filter.and("(e.decided_at < ? or e.id < ?)").int(*at).text(id);
    }
    let query = filter.int(q.limit).query(SUMMARY, " order by e.decided_at desc, e.id desc limit ?");
    query.fetch_all(c).await?.iter().map(summary_of).collect()
}

pub(crate) async fn summary(c: &mut AnyConnection, id: &str) -> Result<Option<EventSummary>, DbError> {
    let query = Filter::default().and("e.id = ?").text(id).query(SUMMARY, "");
    query.fetch_optional(c).await?.as_ref().map(summary_of).transpose()
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

/// Takes a step; false when the event has another version by now.
pub(crate) async fn take_step(
    c: &mut AnyConnection,
    id: EventId,
    version: i64,
    by: protocol::UserId,
    entry: &HistoryEntry,
) -> Result<bool, DbError> {
    let moved = sqlx::query("update events set state = $1, version = version + 1 where id = $2 and version = $3")
        .bind(entry.to_state.as_str())
        .bind(id.to_string())
        .bind(version)
        .execute(&mut *c)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
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

fn summary_of(row: &AnyRow) -> Result<EventSummary, DbError> {
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
    Ok(EventSummary {
        id: text(0)?.parse().map_err(|e| DbError::corrupt("events.id")(&e))?,
        algorithm: algorithm.into(),
        camera_id: text(2)?.parse().map_err(|e| DbError::corrupt("events.camera_id")(&e))?,
        camera_name: text(3)?,
        site_id: text(4)?.parse().map_err(|e| DbError::corrupt("events.site_id")(&e))?,
        site_name: text(5)?,
        severity: match severity.as_str() {
            "yellow" => api::Severity::Yellow,
            "orange" => api::Severity::Orange,
            "red" => api::Severity::Red,
            other => return Err(DbError::corrupt("events.severity")(&other)),
        },
        state: State::parse(&state).ok_or_else(|| DbError::corrupt("events.state")(&state))?,
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
        received_at: time(13)?,
        score: row.try_get::<f64, _>(14)? as f32,
        revision: row.try_get::<i64, _>(15)? as u32,
        version: row.try_get(16)?,
        snapshot,
        clip,
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
