//! Reports.

use std::{collections::BTreeMap, str::FromStr as _, sync::Arc};

use axum::extract::State;
use protocol::Timestamp;
use server_kit::{ApiError, Query};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    histogram,
    hours::{self, HourlyCount, Week, WorkingHours},
    store::{self, GroupBy, OutcomeRow, Scope},
    types::{
        AlgorithmPrecision, DesertedCamera, DesertedCameras, Precision, PrecisionReport, PrecisionRow, ReportParams,
        Statistics, StatisticsBy, StatisticsParams, StatisticsRow, Took, WorkingHoursParams,
    },
    wilson,
};
use crate::{china_time, state::App};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(precision_report))
        .routes(routes!(statistics))
        .routes(routes!(list_deserted_cameras))
}

/// Days of a report that says nothing.
const USUAL_DAYS: i64 = 30;

/// Days of the longest report: three years.
const MOST_DAYS: i64 = 1100;

/// Rows of a precision report.
const MOST_ROWS: usize = 5000;

/// How often alarms are true 真实告警率, by algorithm, camera, and version of the model.
#[utoipa::path(
    get,
    path = "/api/v1/reports/precision",
    tag = "reports",
    operation_id = "precision_report",
    params(ReportParams),
    responses((status = 200, description = "the report", body = PrecisionReport)),
    security(("session" = ["read"])),
)]
pub(crate) async fn precision_report(
    State(app): State<Arc<App>>,
    Query(params): Query<ReportParams>,
) -> Result<axum::Json<PrecisionReport>, ApiError> {
    let scope = scope(&params, app.now())?;
    let mut connection = app.db.read().await?;
    let rows = store::outcomes(&mut connection, &scope, GroupBy::Precision).await?;
    let names: BTreeMap<_, _> = store::camera_names(&mut connection).await?.into_iter().collect();
    drop(connection);
    let by_algorithm = grouped(&rows, 1).into_iter();
    let by_algorithm = by_algorithm
        .map(|(key, rows)| AlgorithmPrecision { algorithm: key.concat(), precision: precision(&rows) })
        .collect();
    let mut items: Vec<_> = grouped(&rows, 4)
        .into_iter()
        .filter_map(|(key, rows)| {
            let [algorithm, camera_id, model_name, model_version] = <[String; 4]>::try_from(key).ok()?;
            let camera_name = names.get(&camera_id).cloned().unwrap_or_default();
            let precision = precision(&rows);
            Some(PrecisionRow { algorithm, camera_id, camera_name, model_name, model_version, precision })
        })
        .collect();
    items.sort_by_key(|row| std::cmp::Reverse(row.precision.false_alarms));
    items.truncate(MOST_ROWS);
    let total = precision(&rows.iter().collect::<Vec<_>>());
    let (from_day, to_day) = (china_time::date_text(scope.from_day), china_time::date_text(scope.to_day - 1));
    Ok(axum::Json(PrecisionReport { from_day, to_day, items, by_algorithm, total }))
}

/// Counts of events, how long handling took, and how much of the time cameras were online 统计.
#[utoipa::path(
    get,
    path = "/api/v1/reports/statistics",
    tag = "reports",
    operation_id = "statistics",
    params(ReportParams, StatisticsParams),
    responses((status = 200, description = "the statistics", body = Statistics)),
    security(("session" = ["read"])),
)]
pub(crate) async fn statistics(
    State(app): State<Arc<App>>,
    Query(params): Query<ReportParams>,
    Query(StatisticsParams { by }): Query<StatisticsParams>,
) -> Result<axum::Json<Statistics>, ApiError> {
    let scope = scope(&params, app.now())?;
    let mut c = app.db.read().await?;
    let group_by = match by {
        StatisticsBy::Day => GroupBy::Day,
        StatisticsBy::Site => GroupBy::Site,
        StatisticsBy::Camera => GroupBy::Camera,
        StatisticsBy::Algorithm => GroupBy::Algorithm,
        StatisticsBy::Severity => GroupBy::Severity,
    };
    let rows = store::outcomes(&mut c, &scope, group_by).await?;
    let names: BTreeMap<_, _> = match by {
        StatisticsBy::Site => store::site_names(&mut c).await?.into_iter().collect(),
        StatisticsBy::Camera => store::camera_names(&mut c).await?.into_iter().collect(),
        StatisticsBy::Day | StatisticsBy::Algorithm | StatisticsBy::Severity => BTreeMap::new(),
    };
    let respond = took(&store::handling(&mut c, &scope, "respond").await?);
    let close = took(&store::handling(&mut c, &scope, "close").await?);
    let (looks, online) = store::samples(&mut c, &scope).await?;
    drop(c);
    let items = grouped(&rows, 1).into_iter().map(|(key, rows)| {
        let key = key.concat();
        let (key, name) = named(by, key, &names);
        StatisticsRow { key, name, by_state: by_state(&rows), precision: precision(&rows) }
    });
    Ok(axum::Json(Statistics {
        from_day: china_time::date_text(scope.from_day),
        to_day: china_time::date_text(scope.to_day - 1),
        items: items.collect(),
        total: precision(&rows.iter().collect::<Vec<_>>()),
        respond,
        close,
        online_rate: (looks > 0).then(|| online as f64 / looks as f64),
    }))
}

/// Cameras that have seen fewer than 10 people on each day of the last week, in working hours (A12).
#[utoipa::path(
    get,
    path = "/api/v1/reports/deserted-cameras",
    tag = "reports",
    operation_id = "list_deserted_cameras",
    params(WorkingHoursParams),
    responses((status = 200, description = "the cameras", body = DesertedCameras)),
    security(("session" = ["read"])),
)]
pub(crate) async fn list_deserted_cameras(
    State(app): State<Arc<App>>,
    Query(params): Query<WorkingHoursParams>,
) -> Result<axum::Json<DesertedCameras>, ApiError> {
    let working = WorkingHours { from: params.from_hour.unwrap_or(8), to: params.to_hour.unwrap_or(18) };
    if working.from >= working.to || working.to > 24 {
        return Err(ApiError::invalid("from_hour", "working hours lie within 0 to 24", "工作时段须在 0 到 24 时之间"));
    }
    let today = china_time::day(app.now());
    let rows = store::hourly_counts(&mut *app.db.read().await?, today - hours::DAYS).await?;
    let mut cameras: BTreeMap<(String, String), Vec<HourlyCount>> = BTreeMap::new();
    for (id, name, count) in rows {
        cameras.entry((id, name)).or_default().push(count);
    }
    cameras.retain(|_, counts| hours::judge(counts, today, working) == Week::Deserted);
    let items = cameras.into_iter().map(|((camera_id, camera_name), counts)| {
        let working = counts.iter().filter(|c| (working.from..working.to).contains(&c.hour) && c.day < today);
        DesertedCamera { camera_id, camera_name, persons: working.map(|c| c.persons).sum() }
    });
    Ok(axum::Json(DesertedCameras { items: items.collect() }))
}

fn scope(params: &ReportParams, now: Timestamp) -> Result<Scope, ApiError> {
    let day = |micros: i64| china_time::day(Timestamp::from_micros(micros));
    let to_day = params.to.map_or_else(|| china_time::day(now), day) + 1;
    let from_day = params.from.map_or(to_day - USUAL_DAYS, day);
    if from_day >= to_day || to_day - from_day > MOST_DAYS {
        return Err(ApiError::invalid(
            "from",
            format!("a report covers 1 to {MOST_DAYS} days"),
            format!("统计时间范围须为 1 到 {MOST_DAYS} 天"),
        ));
    }
    let algorithm = params.algorithm.map(protocol::Algorithm::from);
    Ok(Scope {
        from_day,
        to_day,
        site: params.site_id.map(|id| id.to_string()),
        camera: params.camera_id.map(|id| id.to_string()),
        algorithms: algorithm.into_iter().map(protocol::Algorithm::as_str).collect(),
    })
}

/// Rows by the first `columns` of their key, in order.
fn grouped(rows: &[OutcomeRow], columns: usize) -> Vec<(Vec<String>, Vec<&OutcomeRow>)> {
    let mut groups: BTreeMap<&[String], Vec<&OutcomeRow>> = BTreeMap::new();
    for row in rows {
        groups.entry(&row.key[..columns.min(row.key.len())]).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| (key.to_vec(), rows)).collect()
}

fn precision(rows: &[&OutcomeRow]) -> Precision {
    let mut p = Precision::default();
    for row in rows {
        p.raised += row.events;
        match row.outcome.split_once(':') {
            Some((_, reason)) => {
                p.false_alarms += row.events;
                *p.false_by_reason.entry(reason.to_owned()).or_default() += row.events;
            }
            None => match row.outcome.as_str() {
                "pending" => p.pending += row.events,
                "duplicate" => p.duplicates += row.events,
                "ignored" => p.ignored += row.events,
                _ => p.confirmed += row.events,
            },
        }
    }
    let judged = p.confirmed + p.false_alarms;
    p.true_rate = (judged > 0).then(|| p.confirmed as f64 / judged as f64);
    (p.true_rate_low, p.true_rate_high) = wilson::interval(p.confirmed, judged).unzip();
    p
}

fn by_state(rows: &[&OutcomeRow]) -> BTreeMap<String, u64> {
    let mut states = BTreeMap::new();
    for row in rows {
        let state = row.outcome.split(':').next().unwrap_or_default();
        *states.entry(state.to_owned()).or_default() += row.events;
    }
    states
}

fn named(by: StatisticsBy, key: String, names: &BTreeMap<String, String>) -> (String, String) {
    match by {
        StatisticsBy::Day => {
            let date = china_time::date_text(key.parse().unwrap_or_default());
            (date.clone(), date)
        }
        StatisticsBy::Site | StatisticsBy::Camera => {
            let name = names.get(&key).cloned().unwrap_or_default();
            (key, name)
        }
        StatisticsBy::Algorithm => {
            let name = protocol::Algorithm::from_str(&key).map_or_else(|_| key.clone(), |a| a.name_zh().to_owned());
            (key, name)
        }
        StatisticsBy::Severity => {
            let name = match key.as_str() {
                "red" => "重大",
                "orange" => "较大",
                _ => "一般",
            };
            (key, name.to_owned())
        }
    }
}

fn took(counts: &[(i64, i64)]) -> Took {
    Took {
        events: counts.iter().map(|(_, n)| n.max(&0).unsigned_abs()).sum(),
        median_secs: histogram::quantile(counts, 0.5),
        p90_secs: histogram::quantile(counts, 0.9),
    }
}
