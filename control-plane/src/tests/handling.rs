//! What supervisors do with events, through the API.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, header},
};
use protocol::{Algorithm, BoundingBox, EventId, Severity};
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::{Client, Plane, START, event, message, parts, snapshot};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
}

async fn act(client: &Client, id: EventId, body: Value) -> (u16, Value) {
    let (status, answer) = client.post(&format!("/api/v1/events/{id}/actions"), body).await;
    (status.as_u16(), answer)
}

async fn me(client: &Client) -> (String, String) {
    let user = client.get("/api/v1/session").await["user"].clone();
    (user["id"].as_str().unwrap().to_owned(), user["username"].as_str().unwrap().to_owned())
}

fn jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8, y as u8, 90]));
    image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&picture).unwrap();
    bytes
}

pub(super) async fn lists_are_searched(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let first = plane.new_event(0).await;
    let mut other = event(plane.camera, plane.task, START + Duration::from_mins(40));
    (other.algorithm, other.severity, other.zone) = (Algorithm::Crowd, Severity::Red, Some("100%_基坑!".into()));
    plane.take(&[message(plane.edge, other.clone())]).await;
    let number = viewer.get(&format!("/api/v1/events/{first}")).await["number"].as_str().unwrap().to_owned();
    assert_eq!(number, "GS20261123-000001");
    let (both, first, other) = (vec![other.id, first], vec![first], vec![other.id]);
    let cases = [
        ("states=pending,closed".to_owned(), &both),
        ("states=closed".into(), &vec![]),
        ("algorithms=crowd,no_helmet".into(), &both),
        ("algorithms=crowd&severities=red".into(), &other),
        (format!("camera_ids={},{}", plane.camera, plane.task), &both),
        (format!("site_id={}", plane.site), &both),
        (format!("site_id={}", plane.task), &vec![]),
        (format!("q={number}"), &first),
        ("q=%E5%A1%94%E5%90%8A".into(), &first),         // 塔吊
        ("q=%E5%9F%BA%E5%9D%91%20CROWD".into(), &other), // 基坑 CROWD
        ("q=100%25_".into(), &other),                    // a percent sign is no wildcard
        ("q=0%25".into(), &other),
        ("q=%25%25".into(), &vec![]),
        ("q='%20or%201=1%20--".into(), &vec![]),
        ("assignee=nobody".into(), &both),
        ("assignee=me".into(), &vec![]),
        ("overdue=true".into(), &vec![]),
        ("overdue=false".into(), &both),
    ];
    for (filter, expect) in cases {
        let page = viewer.get(&format!("/api/v1/events?{filter}")).await;
        assert_eq!(ids(&page), expect.iter().map(EventId::to_string).collect::<Vec<_>>(), "{filter}");
    }
    let long = format!("q={}", "x".repeat(101));
    for bad in ["states=x", "algorithms=no_helmet,x", "camera_ids=1", "assignee=x", "overdue=x", &long] {
        let path = format!("/api/v1/events?{bad}");
        assert_eq!(viewer.json(Method::GET, &path, Value::Null).await.0, 400, "{bad}");
    }
    // Words are looked for in the last 90 days only.
    plane.clock.advance(Duration::from_hours(91 * 24));
    let viewer = plane.user(Role::Viewer).await;
    assert_eq!(viewer.get("/api/v1/events?q=crowd").await["items"], json!([]));
    assert_eq!(ids(&viewer.get("/api/v1/events?algorithms=crowd").await).len(), 1);
}

pub(super) async fn events_of_one_subject_are_one_group(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let first = plane.new_event(0).await;
    let mut walked = event(plane.camera, plane.task, START + Duration::from_secs(50));
    walked.boxes[0].bbox = BoundingBox::new(0.8, 0.2, 0.05, 0.1);
    let mut stranger = event(plane.camera, plane.task, START + Duration::from_mins(1));
    stranger.track = Some(8);
    stranger.boxes[0].bbox = BoundingBox::new(0.4, 0.7, 0.05, 0.1);
    let later = event(plane.camera, plane.task, START + Duration::from_hours(2));
    plane.take(&[&walked, &stranger, &later].map(|e| message(plane.edge, e.clone()))).await;
    let group = viewer.get(&format!("/api/v1/events?group_id={first}")).await;
    assert_eq!(ids(&group), [walked.id.to_string(), first.to_string()], "one track, wherever it went");
    assert_eq!((&group["items"][0]["group_count"], &group["items"][0]["group_id"]), (&json!(2), &json!(first)));
    let heads = viewer.get("/api/v1/events?grouped=true").await;
    assert_eq!(ids(&heads), [later.id, stranger.id, first].map(|id| id.to_string()));
    let numbers: Vec<_> =
        viewer.get("/api/v1/events").await["items"].as_array().unwrap().iter().map(|e| e["number"].clone()).collect();
    assert_eq!(numbers, ["GS20261123-000004", "GS20261123-000003", "GS20261123-000002", "GS20261123-000001"]);
    // A repeated message takes no number.
    plane.take(&[message(plane.edge, later)]).await;
    let next = plane.new_event(9000).await;
    assert_eq!(viewer.get(&format!("/api/v1/events/{next}")).await["number"], "GS20261123-000005");
}

pub(super) async fn are_dispatched_straight_away(plane: Plane) {
    let (a, b) = (plane.user(Role::Supervisor).await, plane.user(Role::Supervisor).await);
    let viewer = plane.user(Role::Viewer).await;
    let (b_id, b_name) = me(&b).await;
    let id = plane.new_event(0).await;
    let due = plane.now() + Duration::from_hours(5);
    let body = json!({"action": "dispatch", "version": 1, "assignee_id": b_id, "due_at": due});
    let (status, detail) = act(&a, id, body).await;
    assert_eq!((status, &detail["state"], &detail["due_at"]), (200, &json!("dispatched"), &json!(due)), "{detail}");
    assert_eq!((&detail["assignee_id"], &detail["assignee_name"]), (&json!(b_id), &json!(b_name)));
    assert_eq!(ids(&b.get("/api/v1/events?assignee=me").await), [id.to_string()]);
    assert_eq!(b.get("/api/v1/events/reminders").await["mine"], 1);

    let people = a.get("/api/v1/assignees").await;
    let names: Vec<_> = people["items"].as_array().unwrap().iter().map(|p| p["username"].as_str().unwrap()).collect();
    assert!(names.contains(&b_name.as_str()) && !names.contains(&me(&viewer).await.1.as_str()), "{names:?}");

    let path = format!("/api/v1/events/{id}/assignment");
    let assign = async |assignee: Value, version: i64| {
        a.put(&path, json!({"assignee_id": assignee, "due_at": null, "version": version})).await
    };
    assert_eq!(assign(json!(me(&viewer).await.0), 2).await.1["field"], "assignee_id");
    assert_eq!(assign(Value::Null, 1).await.1["code"], "conflict");
    let (status, detail) = assign(Value::Null, 2).await;
    assert_eq!((status.as_u16(), &detail["assignee_id"], &detail["version"]), (200, &Value::Null, &json!(3)));
    assert_eq!((&detail["notes"][0]["kind"], detail["notes"].as_array().unwrap().len()), (&json!("assignment"), 1));
    let past = json!({"assignee_id": null, "due_at": plane.now() - Duration::from_secs(1), "version": 3});
    assert_eq!(a.put(&path, past).await.1["field"], "due_at");
    for body in [
        json!({"action": "confirm", "version": 1, "assignee_id": b_id}),
        json!({"action": "confirm", "version": 1, "duplicate_of": id}),
    ] {
        assert_eq!(act(&a, id, body).await.0, 400);
    }
    let second = plane.new_event(1).await;
    let of_itself = json!({"action": "duplicate", "version": 1, "duplicate_of": second});
    assert_eq!(act(&a, second, of_itself).await.1["field"], "duplicate_of");
    let (_, detail) = act(&a, second, json!({"action": "duplicate", "version": 1, "duplicate_of": id})).await;
    assert_eq!(
        (&detail["state"], &detail["duplicate_of"], &detail["due_at"]),
        (&json!("duplicate"), &json!(id), &Value::Null)
    );
    assert_eq!(
        a.put(
            &format!("/api/v1/events/{second}/assignment"),
            json!({"assignee_id": b_id, "due_at": null, "version": 2})
        )
        .await
        .0,
        409
    );
}

pub(super) async fn bulk_actions_say_what_became_of_each(plane: Plane) {
    let supervisor = plane.user(Role::Supervisor).await;
    let (a, b, c) = (plane.new_event(0).await, plane.new_event(1).await, plane.new_event(2).await);
    act(&supervisor, b, json!({"action": "ignore", "version": 1})).await;
    let gone = EventId::new(plane.now());
    let items = json!([
        {"id": a, "version": 1}, {"id": b, "version": 1}, {"id": gone, "version": 1}, {"id": c, "version": 1},
    ]);
    let bulk = async |body: Value| supervisor.post("/api/v1/events/bulk-actions", body).await;
    let (status, answer) = bulk(json!({"items": items, "action": "false_alarm", "reason": "reflection"})).await;
    assert_eq!((status.as_u16(), &answer["done"], &answer["failed"]), (200, &json!(2), &json!(2)), "{answer}");
    let outcome: Vec<_> =
        answer["items"].as_array().unwrap().iter().map(|i| (&i["state"], &i["error"]["code"])).collect();
    let (state, none) = (json!("false_alarm"), Value::Null);
    let expect =
        [(&state, &none), (&json!("ignored"), &json!("conflict")), (&none, &json!("not_found")), (&state, &none)];
    assert_eq!(outcome, expect);
    assert_eq!(supervisor.get("/api/v1/events/counters").await["by_state"]["false_alarm"], 2);
    for bad in [
        json!({"items": [], "action": "confirm"}),
        json!({"items": [{"id": a, "version": 2}, {"id": a, "version": 2}], "action": "confirm"}),
        json!({"items": [{"id": a, "version": 2}], "action": "false_alarm"}),
    ] {
        assert_eq!(bulk(bad).await.0, 400);
    }
}

pub(super) async fn comments_carry_pictures(plane: Plane) {
    let (supervisor, viewer) = (plane.user(Role::Supervisor).await, plane.user(Role::Viewer).await);
    let (id, other) = (plane.new_event(0).await, plane.new_event(1).await);
    let upload = async |bytes: Vec<u8>| {
        let client = supervisor.clone().with(header::CONTENT_TYPE, "image/jpeg");
        let (status, _, body) =
            parts(client.send(Method::POST, &format!("/api/v1/events/{id}/pictures"), Body::from(bytes)).await).await;
        (status.as_u16(), serde_json::from_slice::<Value>(&body).unwrap())
    };
    let picture = jpeg();
    let (status, answer) = upload(picture.clone()).await;
    assert_eq!((status, &answer["width"], &answer["height"]), (201, &json!(64), &json!(48)), "{answer}");
    assert_eq!(upload(picture.clone()).await.0, 201, "a repeated upload is no mistake");
    assert_eq!(upload(b"<script>alert(1)</script>".to_vec()).await.0, 415);
    let (hash, url) = (answer["hash"].clone(), answer["url"].as_str().unwrap().to_owned());
    let comment =
        async |event: EventId, body: Value| supervisor.post(&format!("/api/v1/events/{event}/comments"), body).await;
    let (status, detail) = comment(id, json!({"text": " 已联系班组 ", "pictures": [hash]})).await;
    assert_eq!((status.as_u16(), &detail["note_count"], &detail["version"]), (200, &json!(1), &json!(1)), "{detail}");
    let note = &detail["notes"][0];
    assert_eq!(
        (&note["text"], &note["kind"], &note["pictures"]),
        (&json!("已联系班组"), &json!("comment"), &json!([url]))
    );
    let (status, _, bytes) = parts(viewer.send(Method::GET, &url, Body::empty()).await).await;
    assert_eq!((status.as_u16(), bytes), (200, picture));
    assert_eq!(comment(other, json!({"text": "x", "pictures": [hash]})).await.1["field"], "pictures");
    assert_eq!(comment(id, json!({"text": " "})).await.1["field"], "text");
    assert_eq!(comment(id, json!({"text": "x".repeat(1001)})).await.1["field"], "text");
    assert_eq!(comment(EventId::new(plane.now()), json!({"text": "x"})).await.0, 404);
}

pub(super) async fn somebody_else_decides_an_appeal(plane: Plane) {
    let (a, b) = (plane.user(Role::Supervisor).await, plane.user(Role::Supervisor).await);
    let (id, second) = (plane.new_event(0).await, plane.new_event(9000).await);
    let appeal = async |client: &Client, id: EventId, version: i64| {
        client.post(&format!("/api/v1/events/{id}/appeal"), json!({"text": "反光背心", "version": version})).await
    };
    let decide = async |client: &Client, id: EventId, accept: bool, version: i64| {
        let mut body = json!({"accept": accept, "remark": "已核实", "version": version});
        if accept {
            body["reason"] = "similar_object".into();
        }
        client.post(&format!("/api/v1/events/{id}/appeal/decision"), body).await
    };
    assert_eq!(appeal(&a, id, 1).await.1["code"], "not_possible", "nobody was told to do anything yet");
    for event in [id, second] {
        act(&b, event, json!({"action": "dispatch", "version": 1})).await;
    }
    let (status, detail) = appeal(&a, id, 2).await;
    assert_eq!(
        (status.as_u16(), &detail["appeal"], &detail["can_decide_appeal"]),
        (200, &json!("open"), &json!(false))
    );
    assert_eq!(appeal(&a, id, 3).await.1["code"], "not_possible");
    assert_eq!(b.get("/api/v1/events/reminders").await["appeals"], 1);
    assert_eq!(ids(&b.get("/api/v1/events?appeal=open").await), [id.to_string()]);
    assert_eq!(decide(&a, id, true, 3).await.1["code"], "own_appeal");
    assert_eq!(decide(&b, id, true, 2).await.1["code"], "conflict");
    let (status, detail) = decide(&b, id, true, 3).await;
    assert_eq!(
        (status.as_u16(), &detail["appeal"], &detail["state"]),
        (200, &json!("accepted"), &json!("false_alarm")),
        "{detail}"
    );
    assert_eq!((&detail["actions"], &detail["history"][1]["reason"]), (&json!([]), &json!("similar_object")));
    let kinds: Vec<_> = detail["notes"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["appeal", "appeal_accepted"]);

    appeal(&a, second, 2).await;
    let (_, detail) = decide(&b, second, false, 3).await;
    assert_eq!((&detail["appeal"], &detail["state"]), (&json!("rejected"), &json!("dispatched")), "{detail}");
    assert_eq!(appeal(&a, second, 4).await.1["code"], "not_possible", "once per event");
}

pub(super) async fn what_is_overdue_is_reminded_of(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let (id, fresh) = (plane.new_event(0).await, plane.new_event(9000).await);
    let supervisor = plane.user(Role::Supervisor).await;
    act(&supervisor, fresh, json!({"action": "ignore", "version": 1})).await;
    let sweep = async || crate::events::handling::overdue::sweep(plane.db(), plane.now()).await.unwrap();
    let shown = async || {
        let event = viewer.get(&format!("/api/v1/events/{id}")).await;
        (event["light"].clone(), event["overdue_level"].as_u64().unwrap(), event["note_count"].as_u64().unwrap())
    };
    assert_eq!((sweep().await, shown().await), (None, (Value::Null, 0, 0)));
    // An orange event waits two hours for its first step.
    plane.clock.advance(Duration::from_mins(91));
    assert_eq!((sweep().await, shown().await), (None, (json!("yellow"), 0, 0)));
    plane.clock.advance(Duration::from_mins(29));
    assert!(sweep().await.is_some(), "the consoles are told");
    assert_eq!(shown().await, (json!("red"), 1, 1));
    assert_eq!(sweep().await, None, "once");
    assert_eq!(ids(&viewer.get("/api/v1/events?overdue=true").await), [id.to_string()]);
    assert_eq!(viewer.get("/api/v1/events/reminders").await["overdue"], 1);
    // The plane was away for days: one reminder, at the level that it is.
    plane.clock.advance(Duration::from_hours(48));
    sweep().await;
    assert_eq!(shown().await, (json!("red"), 3, 2));
    plane.clock.advance(Duration::from_hours(48));
    assert_eq!(sweep().await, None);
    let (_, detail) = act(&supervisor, id, json!({"action": "confirm", "version": 1})).await;
    assert_eq!(
        (&detail["light"], &detail["overdue_level"]),
        (&Value::Null, &json!(0)),
        "the next step has its own term"
    );
}

pub(super) async fn lists_are_exported(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let picture = jpeg();
    let mut with_picture = event(plane.camera, plane.task, START);
    (with_picture.zone, with_picture.evidence) = (Some("=cmd()".into()), vec![snapshot(&picture, START)]);
    plane.take(&[message(plane.edge, with_picture.clone())]).await;
    for n in 1..4 {
        plane.new_event(n).await;
    }
    let client = plane.edge_client().with(header::CONTENT_TYPE, "image/jpeg");
    let hash = protocol::ContentHash::of(&picture);
    let length = picture.len().to_string();
    let client = client.with("upload-offset".parse().unwrap(), "0").with("upload-length".parse().unwrap(), length);
    let path = format!("/edge/v1/evidence/{hash}");
    assert_eq!(client.send(Method::PATCH, &path, Body::from(picture)).await.status(), 204);

    let get = async |path: &str| parts(viewer.send(Method::GET, path, Body::empty()).await).await;
    let (status, headers, bytes) = get("/api/v1/events/export.csv?algorithms=no_helmet").await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!((status.as_u16(), text.lines().count()), (200, 5), "{text}");
    assert!(headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("gongshao-events-2026-11-23.csv"));
    assert!(text.starts_with("\u{feff}上报编号,问题类型,工地名称,预警时间,预警内容,"), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("GS20261123-000001,未戴安全帽,示范工地,2026-11-23 00:30:00,南门“=cmd()”区域发现未戴安全帽"),
        "{last}"
    );

    let (status, _, bytes) = get("/api/v1/events/export.xlsx").await;
    assert_eq!(status, 200);
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(bytes.clone())).unwrap();
    let sheet = calamine::Reader::worksheet_range(&mut book, "预警事件").unwrap();
    assert_eq!(sheet.height(), 5);
    let cell = |row, column| calamine::DataType::as_string(sheet.get((row, column)).unwrap()).unwrap();
    assert_eq!(
        (cell(0, 0), cell(4, 0), cell(4, 2)),
        ("上报编号".into(), "GS20261123-000001".into(), "示范工地".into())
    );
    let names: String = bytes
        .windows(19)
        .filter(|w| w.starts_with(b"xl/media/image"))
        .map(|w| String::from_utf8_lossy(w).into_owned())
        .collect();
    assert!(names.contains("xl/media/image1"), "the picture is inside");
    assert_eq!(get("/api/v1/events/export.csv?states=x").await.0, 400);
}
