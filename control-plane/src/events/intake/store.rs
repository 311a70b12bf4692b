//! SQL of taking events in.

use protocol::{EdgeId, Event, EvidenceKind, SiteId, Timestamp};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _};

use crate::{
    china_time,
    events::{deadlines, grouping, lifecycle::State, store::refer},
    reports::store as rollups,
};

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

const fn phase_name(phase: protocol::EventPhase) -> &'static str {
    match phase {
        protocol::EventPhase::New => "new",
        protocol::EventPhase::Update => "update",
        protocol::EventPhase::End => "end",
    }
}
