//! Messages of edges.

use std::time::Duration;

use protocol::{
    CameraId, CameraState, EdgeHealth, EdgeId, EventPhase, HealthWarning, ReportedState, StreamState, wire::Channel,
};
use serde_json::json;
use server_kit::Role;
use sqlx::Row as _;

use super::harness::{Plane, event, message, snapshot};
use crate::ingest::Message;

async fn quarantined(plane: &Plane) -> Vec<(String, i64)> {
    let query = sqlx::query("select reason, times from quarantine order by reason");
    let rows = query.fetch_all(&mut *plane.db().read().await.unwrap()).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn newest_change(plane: &Plane) -> i64 {
    crate::stream::store::newest(&mut plane.db().read().await.unwrap()).await.unwrap()
}

pub(super) async fn takes_each_revision_once_in_any_order(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let first = plane.event();
    let mut second = first.clone();
    second.revision = 2;
    second.phase = EventPhase::Update;
    second.evidence = vec![snapshot(b"picture", plane.now())];
    let mut third = second.clone();
    third.revision = 3;
    third.phase = EventPhase::End;
    third.ended_at = Some(plane.now() + Duration::from_secs(9));
    let start = newest_change(&plane).await;

    let [first, second, third] = [first, second, third].map(|e| message(plane.edge, e));
    let batch = [second.clone(), first.clone(), second.clone()];
    assert_eq!(plane.take(&batch).await.iter().map(|r| r.1).collect::<Vec<_>>(), [2, 1, 2], "each is receipted");
    let shown = viewer.get("/api/v1/events").await["items"][0].clone();
    assert_eq!(
        (&shown["revision"], &shown["phase"], &shown["snapshot"]["width"]),
        (&json!(2), &json!("update"), &json!(1280))
    );
    assert_eq!(newest_change(&plane).await, start + 1);

    // People act; what the edge says later does not take that back.
    let supervisor = plane.user(Role::Supervisor).await;
    let path = format!("/api/v1/events/{}/actions", shown["id"].as_str().unwrap());
    supervisor.post(&path, json!({"action": "confirm", "version": 1})).await;
    plane.clock.advance(Duration::from_mins(1));
    assert_eq!(plane.take(&[third, first, second]).await.len(), 3);
    let list = viewer.get("/api/v1/events").await;
    let now = &list["items"][0];
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!((&now["revision"], &now["phase"], &now["state"]), (&json!(3), &json!("end"), &json!("confirmed")));
    assert_eq!(now["received_at"], shown["received_at"]);
    assert_eq!(newest_change(&plane).await, start + 3);
    assert_eq!(quarantined(&plane).await, []);
}

pub(super) async fn quarantines_what_it_cannot_take(plane: Plane) {
    let topic = Channel::Event.topic(plane.edge);
    let raw = |topic: &str, payload: &str| Message { topic: topic.into(), payload: payload.to_owned().into() };
    let event = plane.event();
    let good = message(plane.edge, event.clone());
    let text = String::from_utf8(good.payload.to_vec()).unwrap();

    let unreadable = [
        raw(&topic, "\u{0}\u{1} not json"),
        raw(&topic, r#"{"version":9}"#),
        raw("site/v1/nobody/event", "{}"),
        raw(&Channel::Desired.topic(plane.edge), "{}"),
        raw(&Channel::Health.topic(plane.edge), "{}"),
        message(EdgeId::new(plane.now()), EdgeHealth::default()),
        message(EdgeId::new(plane.now()), ReportedState::default()),
    ];
    assert_eq!(plane.take(&unreadable).await, [], "nobody knows what to receipt");
    assert_eq!(quarantined(&plane).await.len(), 7);

    let mut impossible = Vec::new();
    let changes: [fn(&mut protocol::Event); 7] = [
        |e| e.camera = CameraId::new(e.decided_at),
        |e| e.score = 7.0,
        |e| e.revision = 0,
        |e| e.zone = Some("x".repeat(1_000)),
        |e| e.boxes = vec![e.boxes[0].clone(); 65],
        |e| e.evidence = vec![protocol::Evidence { media_type: "text/html".into(), ..snapshot(b"x", e.decided_at) }],
        |e| e.decided_at = protocol::Timestamp::from_micros(1),
    ];
    for change in changes {
        let mut bad = event.clone();
        change(&mut bad);
        impossible.push(message(plane.edge, bad));
    }
    impossible.push(raw(&topic, &text.replace("no_helmet", "no_such_thing")));
    let receipts = plane.take(&impossible).await;
    assert_eq!(receipts.len(), impossible.len(), "they would come again for ever");
    assert!(receipts.iter().all(|(id, _)| *id == event.id));
    assert_eq!(quarantined(&plane).await.len(), 15);

    plane.take(&unreadable).await;
    let all = quarantined(&plane).await;
    assert_eq!((all.len(), all.iter().map(|(_, times)| times).sum::<i64>()), (15, 22), "kept once and counted");
    let mut tx = plane.db().begin().await.unwrap();
    crate::ingest::store::prune(&mut tx, 4).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(quarantined(&plane).await.len(), 4);

    let viewer = plane.user(Role::Viewer).await;
    assert_eq!(viewer.get("/api/v1/events").await["items"], json!([]));
    assert_eq!(plane.take(&[good]).await, [(event.id, 1)]);
}

pub(super) async fn refuses_events_of_another_edges_camera(plane: Plane) {
    let other = EdgeId::new(plane.now());
    let mut tx = plane.db().begin().await.unwrap();
    crate::edges::store::insert(&mut tx, other, plane.site, "other", "x", plane.now()).await.unwrap();
    tx.commit().await.unwrap();
    let event = plane.event();
    assert_eq!(plane.take(&[message(other, event.clone())]).await, [(event.id, 1)]);
    assert_eq!(quarantined(&plane).await, [("the camera belongs to another edge".to_owned(), 1)]);

    // Nor may an edge change what another one told, under a camera of its own.
    plane.take(&[message(plane.edge, event.clone())]).await;
    let spec = super::harness::camera_spec("x", "rtsp://10.0.0.9/");
    crate::bootstrap::ensure_camera(plane.db(), &plane.clock, other, &spec).await.unwrap();
    let mut stolen = event.clone();
    (stolen.camera, stolen.revision, stolen.zone) = (spec.id, 2, Some("stolen".into()));
    assert_eq!(plane.take(&[message(other, stolen)]).await, [(event.id, 2)]);
    assert_eq!(quarantined(&plane).await.len(), 2);
    let viewer = plane.user(Role::Viewer).await;
    assert_eq!(viewer.get("/api/v1/events").await["items"][0]["zone"], "塔吊");
}

pub(super) async fn keeps_events_of_removed_cameras(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let before = plane.event();
    plane.take(&[message(plane.edge, before)]).await;
    assert_eq!(admin.delete(&format!("/api/v1/cameras/{}", plane.camera)).await, 204);
    // The edge was offline and still had one.
    let late = event(plane.camera, plane.task, plane.now());
    assert_eq!(plane.take(&[message(plane.edge, late.clone())]).await, [(late.id, 1)]);
    let list = admin.get("/api/v1/events").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let detail = admin.get(&format!("/api/v1/events/{}", late.id)).await;
    assert_eq!((&detail["camera_name"], &detail["task_name"]), (&json!("南门"), &json!("南门安全帽")));
    assert_eq!(quarantined(&plane).await, []);
}

pub(super) async fn one_bad_message_does_not_hold_up_the_others(plane: Plane) {
    // A row that an event collides with in a way nobody foresaw: the whole batch fails.
    let (good, bad) = (plane.event(), plane.event());
    let trap = "create unique index trap on events (score)";
    sqlx::raw_sql(trap).execute(&mut *plane.db().read().await.unwrap()).await.unwrap();
    let (publisher, _connection) = crate::ingest::Publisher::unconnected();
    let batch = [message(plane.edge, good.clone()), message(plane.edge, bad.clone())];
    crate::ingest::see_through(&plane.app, &publisher, &batch).await;
    let viewer = plane.user(Role::Viewer).await;
    let items = viewer.get("/api/v1/events").await["items"].clone();
    assert_eq!((items.as_array().unwrap().len(), &items[0]["id"]), (1, &json!(good.id)));
    let kept = quarantined(&plane).await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].0.starts_with("it cannot be stored"), "{kept:?}");
}

pub(super) async fn health_and_reports_become_news_only_when_they_are(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let news = async |messages: &[Message]| {
        let before = newest_change(&plane).await;
        plane.take(messages).await;
        newest_change(&plane).await - before
    };
    let health = EdgeHealth { online: true, at: plane.now(), version: "1".into(), ..EdgeHealth::default() };
    assert_eq!(news(&[message(plane.edge, health.clone())]).await, 1);
    let edge = viewer.get("/api/v1/edges").await["items"][0].clone();
    assert_eq!((&edge["online"], &edge["last_seen_at"]), (&json!(true), &json!(plane.now())));
    let busier = EdgeHealth { memory_bytes: 5, uptime_secs: 9, ..health.clone() };
    assert_eq!(news(&[message(plane.edge, busier)]).await, 0);
    let warning = HealthWarning { code: "disk_full".into(), message: "free some space".into() };
    let warned = EdgeHealth { warnings: vec![warning], ..health.clone() };
    assert_eq!(news(&[message(plane.edge, warned)]).await, 1);
    // Its last will, as the broker sends it.
    let gone = EdgeHealth { online: false, ..EdgeHealth::default() };
    assert_eq!(news(&[message(plane.edge, gone)]).await, 1);
    let edge = viewer.get("/api/v1/edges").await["items"][0].clone();
    assert_eq!((&edge["online"], &edge["health"]["warnings"][0]["code"]), (&json!(false), &json!("disk_full")));
    assert_eq!(news(&[message(plane.edge, health)]).await, 1);
    plane.clock.advance(crate::edges::reports::SILENT_AFTER);
    assert_eq!(viewer.get("/api/v1/edges").await["items"][0]["online"], false, "silence is no sign of life");

    let state = CameraState {
        camera: plane.camera,
        state: StreamState::Unauthorised,
        detail: "wrong password".into(),
        since: plane.now(),
        fps: 0.0,
        kbps: 0.0,
        analysed_fps: 0.0,
        reconnects: 3,
        lost_packets: 0,
        width: 0,
        height: 0,
        codec: String::new(),
    };
    let report = ReportedState { generation: 1, cameras: vec![state], ..ReportedState::default() };
    assert_eq!(news(&[message(plane.edge, report.clone())]).await, 2, "the edge and the camera");
    assert_eq!(news(&[message(plane.edge, report)]).await, 0);
    let camera = viewer.get(&format!("/api/v1/cameras/{}", plane.camera)).await;
    assert_eq!(
        (&camera["state"]["state"], &camera["state"]["detail"]),
        (&json!("unauthorised"), &json!("wrong password"))
    );
}
