//! SQL of the counts per day.

use std::{collections::HashSet, time::Duration};

use protocol::{ClassTable, EventId, HourlyCounts, Timestamp};
use server_kit::{DbError, Filter};
use sqlx::{AnyConnection, Row as _};

use super::{histogram, hours::HourlyCount};
use crate::{china_time, events::store::Times};

/// Adds an event, as it stands in its row now, to the counts of its day (`by` = 1), or takes it away (−1).
///
/// Whoever changes the state, reason or grade of an event does both around the change, in one transaction.
pub(crate) async fn count(c: &mut AnyConnection, event: EventId, by: i64) -> Result<(), DbError> {
    sqlx::query(
        "insert into event_days (day, site_id, camera_id, algorithm, severity, model_name, model_version, outcome, events)
         select day, site_id, camera_id, algorithm, severity, model_name, model_version,
            case when state = 'false_alarm' then 'false_alarm:' || coalesce(false_reason, 'other') else state end,
            cast($1 as bigint)
         from events where id = $2
         on conflict (day, site_id, camera_id, algorithm, severity, model_name, model_version, outcome)
         do update set events = event_days.events + excluded.events",
    )
    .bind(by)
    .bind(event.to_string())
    .execute(c)
    .await?;
    Ok(())
}

/// Moves an event's handling times in the counts of its day.
pub(crate) async fn retime(c: &mut AnyConnection, event: EventId, old: &Times, new: &Times) -> Result<(), DbError> {
    let kinds = [("respond", old.responded, new.responded), ("close", old.closed, new.closed)];
    for (kind, before, after) in kinds {
        if before == after {
            continue;
        }
        for (time, by) in [(before, -1), (after, 1)] {
            let Some(time) = time else { continue };
            sqlx::query(
                "insert into handling_days (day, site_id, algorithm, kind, bucket, events)
                 select day, site_id, algorithm, cast($1 as text), cast($2 as bigint), cast($3 as bigint)
                 from events where id = $4
                 on conflict (day, site_id, algorithm, kind, bucket)
                 do update set events = handling_days.events + excluded.events",
            )
            .bind(kind)
            .bind(histogram::bucket(time.since(new.received)))
            .bind(by)
            .bind(event.to_string())
            .execute(&mut *c)
            .await?;
        }
    }
    Ok(())
}

/// Counts one look at every camera.
pub(crate) async fn sample(c: &mut AnyConnection, day: i64, online: &HashSet<String>) -> Result<(), DbError> {
    let rows = sqlx::query(
        "select c.id, e.site_id from cameras c join edges e on e.id = c.edge_id where c.removed_at is null order by c.id",
    )
    .fetch_all(&mut *c)
    .await?;
    for row in rows {
        let id: String = row.try_get(0)?;
        sqlx::query(
            "insert into camera_days (day, camera_id, site_id, samples, online) values ($1, $2, $3, 1, $4)
             on conflict (day, camera_id) do update set samples = camera_days.samples + 1,
                online = camera_days.online + excluded.online",
        )
        .bind(day)
        .bind(&id)
        .bind(row.try_get::<String, _>(1)?)
        .bind(i64::from(online.contains(&id)))
        .execute(&mut *c)
        .await?;
    }
    Ok(())
}

/// Which days, and of what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) from_day: i64,
    /// The first day after.
    pub(crate) to_day: i64,
    pub(crate) site: Option<String>,
    pub(crate) camera: Option<String>,
    pub(crate) algorithms: Vec<&'static str>,
}

/// How many events of one kind stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutcomeRow {
    /// What the rows are grouped by, one or more columns.
    pub(crate) key: Vec<String>,
    pub(crate) outcome: String,
    pub(crate) events: u64,
}

/// What statistics are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupBy {
    Day,
    Site,
    Camera,
    Algorithm,
    Severity,
    /// Algorithm, camera, model and its version.
    Precision,
}

impl GroupBy {
    /// The query around the conditions, and how many columns are its key.
    const fn sql(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Day => (
                "select cast(day as text), outcome, cast(sum(events) as bigint) from event_days",
                " group by day, outcome order by day, outcome",
                1,
            ),
            Self::Site => (
                "select site_id, outcome, cast(sum(events) as bigint) from event_days",
                " group by site_id, outcome order by site_id, outcome",
                1,
            ),
            Self::Camera => (
                "select camera_id, outcome, cast(sum(events) as bigint) from event_days",
                " group by camera_id, outcome order by camera_id, outcome",
                1,
            ),
            Self::Algorithm => (
                "select algorithm, outcome, cast(sum(events) as bigint) from event_days",
                " group by algorithm, outcome order by algorithm, outcome",
                1,
            ),
            Self::Severity => (
                "select severity, outcome, cast(sum(events) as bigint) from event_days",
                " group by severity, outcome order by severity, outcome",
                1,
            ),
            Self::Precision => (
                "select algorithm, camera_id, model_name, model_version, outcome, cast(sum(events) as bigint)
                 from event_days",
                " group by algorithm, camera_id, model_name, model_version, outcome
                  order by algorithm, camera_id, model_name, model_version, outcome",
                4,
            ),
        }
    }
}

fn filter(scope: &Scope) -> Filter {
    let mut filter = Filter::default().and("day >= ?").int(scope.from_day).and("day < ?").int(scope.to_day);
    if let Some(site) = &scope.site {
        filter = filter.and("site_id = ?").text(site);
    }
    filter
}

/// Counts by outcome.
pub(crate) async fn outcomes(c: &mut AnyConnection, scope: &Scope, by: GroupBy) -> Result<Vec<OutcomeRow>, DbError> {
    let mut filter = filter(scope).any_of("algorithm", scope.algorithms.iter().copied());
    if let Some(camera) = &scope.camera {
        filter = filter.and("camera_id = ?").text(camera);
    }
    let (head, tail, keys) = by.sql();
    let mut found = Vec::new();
    for row in filter.query(head, tail).fetch_all(c).await? {
        let key = (0..keys).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
        let events = row.try_get::<i64, _>(keys + 1)?;
        if events > 0 {
            found.push(OutcomeRow { key, outcome: row.try_get(keys)?, events: events.unsigned_abs() });
        }
    }
    Ok(found)
}

/// Events per bucket of the time they took, in ascending order.
pub(crate) async fn handling(c: &mut AnyConnection, scope: &Scope, kind: &str) -> Result<Vec<(i64, i64)>, DbError> {
    let filter = filter(scope).any_of("algorithm", scope.algorithms.iter().copied()).and("kind = ?").text(kind);
    let query = filter
        .query("select bucket, cast(sum(events) as bigint) from handling_days", " group by bucket order by bucket");
    query.fetch_all(c).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Looks at cameras, and how many of them found the camera online.
pub(crate) async fn samples(c: &mut AnyConnection, scope: &Scope) -> Result<(u64, u64), DbError> {
    let mut filter = filter(scope);
    if let Some(camera) = &scope.camera {
        filter = filter.and("camera_id = ?").text(camera);
    }
    let query = filter.query(
        "select cast(coalesce(sum(samples), 0) as bigint), cast(coalesce(sum(online), 0) as bigint) from camera_days",
        "",
    );
    let row = query.fetch_one(c).await?;
    Ok((row.try_get::<i64, _>(0)?.unsigned_abs(), row.try_get::<i64, _>(1)?.unsigned_abs()))
}

/// What cameras are called, removed ones too.
pub(crate) async fn camera_names(c: &mut AnyConnection) -> Result<Vec<(String, String)>, DbError> {
    let rows = sqlx::query("select id, name from cameras").fetch_all(c).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What sites are called.
pub(crate) async fn site_names(c: &mut AnyConnection) -> Result<Vec<(String, String)>, DbError> {
    let rows = sqlx::query("select id, name from sites").fetch_all(c).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Hourly counts of people of all cameras that are there, from `from_day` on, by camera.
pub(crate) async fn hourly_counts(
    c: &mut AnyConnection,
    from_day: i64,
) -> Result<Vec<(String, String, HourlyCount)>, DbError> {
    let rows = sqlx::query(
        "select h.camera_id, c.name, h.day, h.hour, h.persons
         from hourly_counts h join cameras c on c.id = h.camera_id
         where c.removed_at is null and h.day >= $1 order by h.camera_id, h.day, h.hour",
    )
    .bind(from_day)
    .fetch_all(c)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let count = HourlyCount {
            day: row.try_get(2)?,
            hour: u8::try_from(row.try_get::<i64, _>(3)?).unwrap_or(u8::MAX),
            persons: row.try_get::<i64, _>(4)?.unsigned_abs(),
        };
        found.push((row.try_get(0)?, row.try_get(1)?, count));
    }
    Ok(found)
}

/// An hour that was watched for less than this, seconds, says nothing about who was there.
const LEAST_WATCHED_SECS: u16 = 1_800;

/// Keeps the people of one hour of one camera. Of several reports of one hour the largest counts: an edge that was
/// restarted reports the rest of the hour alone.
pub(crate) async fn keep_hour(c: &mut AnyConnection, counts: &HourlyCounts) -> Result<(), DbError> {
    if counts.analysed_secs < LEAST_WATCHED_SECS {
        return Ok(());
    }
    let persons = counts.rows.iter().find(|row| row.kind == ClassTable::PERSON).map_or(0, |row| row.seen);
    sqlx::query(
        "insert into hourly_counts (camera_id, day, hour, persons) values ($1, $2, $3, $4)
         on conflict (camera_id, day, hour) do update set persons =
         case when excluded.persons > hourly_counts.persons then excluded.persons else hourly_counts.persons end",
    )
    .bind(counts.camera.to_string())
    .bind(china_time::day(counts.hour_start))
    .bind(i64::from(china_time::hour(counts.hour_start)))
    .bind(i64::from(persons))
    .execute(c)
    .await?;
    Ok(())
}

/// Forgets samples and hourly counts of days before `day`.
pub(crate) async fn prune(c: &mut AnyConnection, day: i64) -> Result<(), DbError> {
    sqlx::query("delete from hourly_counts where day < $1").bind(day).execute(&mut *c).await?;
    sqlx::query("delete from camera_days where day < $1").bind(day).execute(&mut *c).await?;
    // A day whose last event moved away leaves a zero behind.
    sqlx::query("delete from event_days where events = 0").execute(&mut *c).await?;
    sqlx::query("delete from handling_days where events = 0").execute(c).await?;
    Ok(())
}

/// How long samples and hourly counts are kept.
pub(crate) const KEEP: Duration = Duration::from_hours(400 * 24);

/// The day before which they are forgotten.
pub(crate) fn oldest_kept(now: Timestamp) -> i64 {
    crate::china_time::day(now - KEEP)
}
