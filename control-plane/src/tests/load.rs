//! How long lists, searches and reports take over a million events. Prints; run it by hand:
//! `cargo test -p control-plane --lib -- --ignored --nocapture a_million_events`.

use std::time::Duration;

use axum::{body::Body, http::Method};
use server_kit::Role;
use sqlx::AssertSqlSafe;

use super::harness::{Plane, START, parts};

const EVENTS: i64 = 1_000_000;

/// Events of a year: 20 cameras, three algorithms, a few of them judged.
async fn fill(plane: &Plane) {
    let mut template = plane.new_event(0).await.to_string();
    template.truncate(13);
    let mut tx = plane.db().begin().await.unwrap();
    let columns = "id, edge_id, site_id, camera_id, camera_name, task_id, task_name, algorithm, severity, state, phase,
        zone, started_at, decided_at, received_at, score, revision, version, body, seq, day, model_name, model_version,
        group_id, due_at, escalate_at, search";
    let fill = format!(
        "insert into events ({columns})
         with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {EVENTS})
         select '{template}-7000-8000-' || substr(cast(1000000000000 + n as text), 2), edge_id, site_id,
            '00000000-0000-7000-8000-0000000000' || substr(cast(100 + n % 20 as text), 2), camera_name, task_id, task_name,
            case n % 3 when 0 then 'no_helmet' when 1 then 'intrusion' else 'crowd' end,
            case n % 5 when 0 then 'red' when 1 then 'yellow' else 'orange' end,
            case n % 7 when 0 then 'pending' when 1 then 'false_alarm' when 2 then 'confirmed' else 'closed' end,
            phase, zone, started_at, decided_at - n * 31500000, received_at - n * 31500000, score, revision, version,
            body, n + 1, (decided_at - n * 31500000 + 28800000000) / 86400000000, model_name, model_version,
            '{template}-7000-8000-' || substr(cast(1000000000000 + n - n % 4 as text), 2), null, null,
            case n % 100000 when 0 then 'somewhere special' else search end
         from numbers, events where events.seq = 1"
    );
    sqlx::query(AssertSqlSafe(fill)).execute(&mut *tx).await.unwrap();
    let rollups = "insert into event_days
         (day, site_id, camera_id, algorithm, severity, model_name, model_version, outcome, events)
         select day, site_id, camera_id, algorithm, severity, model_name, model_version,
            case when state = 'false_alarm' then 'false_alarm:reflection' else state end, count(*)
         from events where seq > 1 group by 1, 2, 3, 4, 5, 6, 7, 8";
    sqlx::query(rollups).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
#[ignore = "takes a minute; run it by hand"]
async fn a_million_events() {
    let plane = Plane::on_sqlite().await;
    fill(&plane).await;
    let viewer = plane.user(Role::Viewer).await;
    let year_ago = (START - Duration::from_hours(365 * 24)).as_micros();
    for path in [
        "/api/v1/events".to_owned(),
        "/api/v1/events?states=pending&severities=red".into(),
        "/api/v1/events?states=pending,confirmed&algorithms=crowd,intrusion".into(),
        "/api/v1/events?grouped=true".into(),
        "/api/v1/events?q=special".into(),
        "/api/v1/events?q=nowhere".into(),
        "/api/v1/events?q=GS20261123-000500".into(),
        "/api/v1/events/counters".into(),
        "/api/v1/events/reminders".into(),
        format!("/api/v1/reports/precision?from={year_ago}"),
        format!("/api/v1/reports/statistics?from={year_ago}&by=day"),
        format!("/api/v1/reports/statistics?from={year_ago}&by=camera"),
    ] {
        let mut took = Vec::new();
        for _ in 0..5 {
            let start = tokio::time::Instant::now();
            let (status, _, _) = parts(viewer.send(Method::GET, &path, Body::empty()).await).await;
            took.push(start.elapsed());
            assert_eq!(status, 200, "{path}");
        }
        took.sort_unstable();
        eprintln!("{:>8.1} ms median, {:>8.1} ms worst of 5: {path}", millis(took[2]), millis(took[4]));
    }
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
