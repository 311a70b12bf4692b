//! Reports through the API.

use std::time::Duration;

use protocol::{CameraState, CountRow, EdgeHealth, EventId, HourlyCounts, ReportedState, Severity, StreamState};
use serde_json::{Value, json};
use server_kit::Role;
use sqlx::Row as _;

use super::harness::{Client, Plane, START, event, message};

async fn act(client: &Client, id: EventId, action: &str, version: i64) {
    let mut body = json!({"action": action, "version": version});
    if action == "false_alarm" {
        body["reason"] = "reflection".into();
    }
    let (status, answer) = client.post(&format!("/api/v1/events/{id}/actions"), body).await;
    assert_eq!(status, 200, "{action}: {answer}");
}

pub(super) async fn precision_follows_what_people_say(plane: Plane) {
    let supervisor = plane.user(Role::Supervisor).await;
    let events: Vec<_> = {
        let mut ids = Vec::new();
        for n in 0..6 {
            ids.push(plane.new_event(n).await);
        }
        ids
    };
    let mut newer = event(plane.camera, plane.task, START + Duration::from_mins(1));
    newer.model.version = "2".into();
    plane.take(&[message(plane.edge, newer.clone())]).await;
    act(&supervisor, events[0], "confirm", 1).await;
    act(&supervisor, events[1], "dispatch", 1).await;
    act(&supervisor, events[2], "false_alarm", 1).await;
    act(&supervisor, events[3], "duplicate", 1).await;
    act(&supervisor, events[4], "false_alarm", 1).await;
    act(&supervisor, events[4], "undo", 2).await;
    // The edge grades an event anew: it moves, and is not counted twice.
    let mut regraded = newer.clone();
    (regraded.revision, regraded.severity) = (2, Severity::Red);
    plane.take(&[message(plane.edge, regraded), message(plane.edge, newer)]).await;

    let report = supervisor.get("/api/v1/reports/precision").await;
    let total = &report["total"];
    let counts =
        ["raised", "pending", "confirmed", "false_alarms", "duplicates", "ignored"].map(|k| total[k].as_u64().unwrap());
    assert_eq!(counts, [7, 3, 2, 1, 1, 0], "{report}");
    assert_eq!(total["false_by_reason"], json!({"reflection": 1}));
    assert!((total["true_rate"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    assert!(total["true_rate_low"].as_f64().unwrap() < 0.3 && total["true_rate_high"].as_f64().unwrap() > 0.9);
    let items = report["items"].as_array().unwrap();
    let of: Vec<_> =
        items.iter().map(|i| (i["model_version"].as_str().unwrap(), i["raised"].as_u64().unwrap())).collect();
    assert_eq!(of, [("1", 6), ("2", 1)]);
    assert_eq!((&items[0]["camera_name"], &items[0]["model_name"]), (&json!("南门"), &json!("site-ppe")));
    assert_eq!(items[1]["true_rate"], Value::Null, "nobody has judged any");
    let by_severity = supervisor.get("/api/v1/reports/statistics?by=severity").await;
    let grades: Vec<_> =
        by_severity["items"].as_array().unwrap().iter().map(|i| (i["name"].clone(), i["raised"].clone())).collect();
    assert_eq!(grades, [(json!("较大"), json!(6)), (json!("重大"), json!(1))]);
    rollups_are_what_a_count_says(&plane).await;

    let before = START.as_micros() - 86_400_000_000;
    let none = supervisor.get(&format!("/api/v1/reports/precision?to={before}")).await;
    assert_eq!((&none["total"]["raised"], &none["to_day"]), (&json!(0), &json!("2026-11-22")));
    let bad = format!("/api/v1/reports/precision?from={}&to={before}", START.as_micros());
    assert_eq!(supervisor.json(axum::http::Method::GET, &bad, Value::Null).await.0, 400);
}

/// The counts that transactions kept are those that counting the events gives.
async fn rollups_are_what_a_count_says(plane: &Plane) {
    let text = "select day, camera_id, severity, model_version, outcome, events from event_days where events <> 0
                order by 1, 2, 3, 4, 5";
    let counted = "select day, camera_id, severity, model_version,
                case when state = 'false_alarm' then 'false_alarm:' || false_reason else state end as outcome, count(*)
                from events group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5";
    let mut connection = plane.db().read().await.unwrap();
    let mut read = Vec::new();
    for query in [text, counted] {
        let rows = sqlx::query(query).fetch_all(&mut *connection).await.unwrap();
        let row = |r: &sqlx::any::AnyRow| {
            (
                r.get::<i64, _>(0),
                r.get::<String, _>(1),
                r.get::<String, _>(2),
                r.get::<String, _>(3),
                r.get::<String, _>(4),
                r.get::<i64, _>(5),
            )
        };
        read.push(rows.iter().map(row).collect::<Vec<_>>());
    }
    assert_eq!(read[0], read[1]);
}

pub(super) async fn statistics_add_up(plane: Plane) {
    let supervisor = plane.user(Role::Supervisor).await;
    let (a, b) = (plane.new_event(0).await, plane.new_event(1).await);
    plane.clock.advance(Duration::from_secs(100));
    act(&supervisor, a, "confirm", 1).await;
    act(&supervisor, b, "confirm", 1).await;
    act(&supervisor, b, "undo", 2).await;
    for (version, action) in (2..).zip(["dispatch", "start", "submit"]) {
        act(&supervisor, a, action, version).await;
    }
    plane.clock.advance(Duration::from_secs(3500));
    act(&supervisor, a, "close", 5).await;
    let statistics = supervisor.get("/api/v1/reports/statistics").await;
    let near = |took: &Value, secs: f64| {
        assert_eq!(took["events"], 1, "{took}: an undone step took nothing");
        let median = took["median_secs"].as_f64().unwrap();
        assert!((median / secs - 1.0).abs() < 0.05, "{took}");
    };
    near(&statistics["respond"], 100.0);
    near(&statistics["close"], 3600.0);
    let day = &statistics["items"][0];
    assert_eq!((&day["key"], &day["by_state"]), (&json!("2026-11-23"), &json!({"closed": 1, "pending": 1})));
    let by_site = supervisor.get("/api/v1/reports/statistics?by=site").await;
    assert_eq!((&by_site["items"][0]["name"], &by_site["items"][0]["raised"]), (&json!("示范工地"), &json!(2)));
    rollups_are_what_a_count_says(&plane).await;

    // Cameras are looked at: once before the edge spoke, once while the camera is online.
    assert_eq!(statistics["online_rate"], Value::Null);
    crate::reports::sample_cameras(plane.db(), plane.now()).await.unwrap();
    let online = CameraState {
        camera: plane.camera,
        state: StreamState::Online,
        detail: String::new(),
        since: plane.now(),
        fps: 25.0,
        kbps: 900.0,
        analysed_fps: 5.0,
        reconnects: 0,
        lost_packets: 0,
        width: 1280,
        height: 720,
        codec: "h264".into(),
    };
    let health = EdgeHealth { online: true, at: plane.now(), ..EdgeHealth::default() };
    let reported = ReportedState { generation: 1, cameras: vec![online], ..ReportedState::default() };
    plane.take(&[message(plane.edge, health), message(plane.edge, reported)]).await;
    crate::reports::sample_cameras(plane.db(), plane.now()).await.unwrap();
    assert_eq!(supervisor.get("/api/v1/reports/statistics").await["online_rate"], 0.5);
}

pub(super) async fn a_camera_that_sees_nobody_for_a_week_is_named(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let today = crate::china_time::day(plane.now());
    let hour_of = |day: i64, hour: u64, analysed_secs, seen| {
        let hour_start = crate::china_time::day_start(day) + Duration::from_hours(hour);
        let rows = vec![CountRow { kind: "person".into(), entered: 0, left: 0, seen }];
        message(plane.edge, HourlyCounts { hour_start, camera: plane.camera, analysed_secs, rows })
    };
    for day in today - 7..today {
        // Each hour comes twice: nothing confirms it to the edge.
        let hours = (8..18).map(|hour| hour_of(day, hour, 3_600, u32::from(hour == 9)));
        let all: Vec<_> = hours.clone().chain(hours).collect();
        plane.take(&all).await;
    }
    // Hardly watched: no word about hour 7.
    plane.take(&[hour_of(today - 1, 7, 600, 50)]).await;
    let half_past = HourlyCounts { hour_start: START, camera: plane.camera, analysed_secs: 3_600, rows: vec![] };
    plane.take(&[message(plane.edge, half_past)]).await;
    let path = "/api/v1/reports/deserted-cameras";
    let found = viewer.get(path).await;
    assert_eq!((&found["items"][0]["camera_name"], &found["items"][0]["persons"]), (&json!("南门"), &json!(7)));
    assert_eq!(viewer.get(&format!("{path}?from_hour=7")).await["items"], json!([]), "an hour was not reported");
    let quarantined = plane.user(Role::Admin).await.get("/api/v1/quarantine").await;
    assert_eq!(quarantined["items"].as_array().map(Vec::len), Some(1), "no full hour: {quarantined}");
    assert_eq!(viewer.json(axum::http::Method::GET, &format!("{path}?from_hour=18"), Value::Null).await.0, 400);
}
