//! Edges through the API.

use std::time::Duration;

use axum::http::{HeaderName, Method, header};
use protocol::{EdgeHealth, EdgeId, Refusal, ReportedState, Subject};
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::{Client, Plane, event, message};

fn secret(digit: char) -> String {
    format!("{}{}", "0123456789abcdef".repeat(3), digit.to_string().repeat(16))
}

async fn join(plane: &Plane, token: &str, secret: &str) -> (u16, Value) {
    let (status, answer) = plane.nobody().post("/edge/v1/join", json!({"token": token, "secret": secret})).await;
    (status.as_u16(), answer)
}

async fn new_token(admin: &Client, valid_secs: u64) -> (String, String) {
    let body = json!({"name": "东区盒子", "valid_secs": valid_secs});
    let (status, answer) = admin.post("/api/v1/edge-tokens", body).await;
    assert_eq!(status, 201, "{answer}");
    (answer["id"].as_str().unwrap().to_owned(), answer["token"].as_str().unwrap().to_owned())
}

pub(super) async fn join_by_a_token_once(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let (_, token) = new_token(&admin, 3600).await;
    let (status, joined) = join(&plane, &token, &secret('1')).await;
    assert_eq!((status, &joined["name"]), (200, &json!("东区盒子")), "{joined}");
    let edge: EdgeId = joined["edge_id"].as_str().unwrap().parse().unwrap();
    assert!(crate::edges::authenticate(plane.db(), edge, &secret('1')).await);
    assert_eq!(join(&plane, &token, &secret('1')).await, (200, joined), "the answer may have been lost");
    let (status, answer) = join(&plane, &token, &secret('2')).await;
    assert_eq!((status, &answer["field"]), (400, &json!("token")), "once");
    assert!(!crate::edges::authenticate(plane.db(), edge, &secret('2')).await);

    let (revoked, revoked_token) = new_token(&admin, 3600).await;
    assert_eq!(admin.delete(&format!("/api/v1/edge-tokens/{revoked}")).await, 204);
    assert_eq!(admin.delete(&format!("/api/v1/edge-tokens/{revoked}")).await, 409);
    assert_eq!(join(&plane, &revoked_token, &secret('3')).await.1, answer, "all bad tokens look the same");
    let (_, expired) = new_token(&admin, 60).await;
    plane.clock.advance(Duration::from_mins(1));
    assert_eq!(join(&plane, &expired, &secret('3')).await.1, answer);
    let tokens = admin.get("/api/v1/edge-tokens").await;
    let mut states: Vec<_> = tokens["items"].as_array().unwrap().iter().map(|t| t["state"].as_str().unwrap()).collect();
    states.sort_unstable();
    assert_eq!(states, ["expired", "revoked", "used"]);
    assert!(!tokens.to_string().contains(&token) && !tokens.to_string().contains("token_hash"));

    let (_, good) = new_token(&admin, 3600).await;
    assert_eq!(join(&plane, &good, &"a".repeat(64)).await.1["field"], "secret", "no randomness");
    assert_eq!(join(&plane, "guess", &secret('4')).await.0, 400);
    assert_eq!(join(&plane, &good, &secret('4')).await.1["code"], "locked", "five failures from one address");
    plane.clock.advance(Duration::from_mins(5));
    assert_eq!(join(&plane, &good, &secret('4')).await.0, 200);
    assert_eq!(admin.get("/api/v1/edges").await["items"].as_array().unwrap().len(), 3);
    for bad in [json!({"name": " "}), json!({"name": "x", "valid_secs": 5}), json!({"name": "x", "site_id": edge})] {
        assert_eq!(admin.post("/api/v1/edge-tokens", bad).await.0, 400);
    }
}

pub(super) async fn change_their_secrets(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let edge = plane.edge_client().with(HeaderName::from_static("x-requested-with"), "gongshao");
    assert_eq!(edge.put("/edge/v1/secret", json!({"secret": "short"})).await.1["field"], "secret");
    assert_eq!(edge.put("/edge/v1/secret", json!({"secret": secret('5')})).await.0, 204);
    assert_eq!(edge.put("/edge/v1/secret", json!({"secret": secret('6')})).await.0, 401, "the old one is void");
    let bearer = format!("Bearer {}.{}", plane.edge, secret('5'));
    let renewed = plane.nobody().with(header::AUTHORIZATION, bearer);
    assert_eq!(renewed.put("/edge/v1/secret", json!({"secret": secret('7')})).await.0, 204);

    let path = format!("/api/v1/edges/{}/secret", plane.edge);
    let (status, answer) = admin.post(&path, Value::Null).await;
    assert_eq!(status, 200);
    assert!(crate::edges::authenticate(plane.db(), plane.edge, answer["secret"].as_str().unwrap()).await);
    assert!(!crate::edges::authenticate(plane.db(), plane.edge, &secret('7')).await);
    assert_eq!(admin.post(&path.replace(&plane.edge.to_string(), &plane.site.to_string()), Value::Null).await.0, 404);
}

pub(super) async fn show_their_health_and_differences(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    for memory_bytes in [1, 2, 3] {
        let health = EdgeHealth { online: true, memory_bytes, ..EdgeHealth::default() };
        plane.take(&[message(plane.edge, health)]).await;
        plane.clock.advance(Duration::from_mins(3));
    }
    let path = format!("/api/v1/edges/{}/health", plane.edge);
    let history = viewer.get(&path).await;
    let memory: Vec<_> = history["items"].as_array().unwrap().iter().map(|h| h["memory_bytes"].clone()).collect();
    assert_eq!(memory, [json!(2), json!(3)], "the newest of each five minutes");
    plane.clock.advance(Duration::from_hours(25));
    assert_eq!(viewer.get(&path).await["items"], json!([]));
    assert_eq!(viewer.get(&format!("{path}?hours=48")).await["items"].as_array().unwrap().len(), 2);
    assert_eq!(viewer.json(Method::GET, &format!("{path}?hours=0"), Value::Null).await.0, 400);

    let path = format!("/api/v1/edges/{}/differences", plane.edge);
    let differences = async || viewer.get(&path).await;
    let before = differences().await;
    assert_eq!((&before["is_current"], before["items"].as_array().unwrap().len()), (&json!(false), 2));
    assert_eq!(
        before["items"][0],
        json!({
            "kind": "camera", "id": plane.camera, "name": "南门", "difference": "missing", "state": null, "reason": "",
        })
    );
    let refusal = Refusal { subject: Subject::Task(plane.task), reason: "the model knows no helmets".into() };
    let generation = plane.generation().await;
    let reported = ReportedState { generation, refusals: vec![refusal], ..ReportedState::default() };
    plane.take(&[message(plane.edge, reported)]).await;
    let after = differences().await;
    assert_eq!((&after["is_current"], &after["items"][1]["difference"]), (&json!(true), &json!("refused")));
    assert_eq!(after["items"][1]["reason"], "the model knows no helmets");
}

pub(super) async fn quarantined_messages_are_tried_again(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let spec = super::harness::camera_spec("新摄像头", "rtsp://10.0.0.20/1");
    let early = event(spec.id, plane.task, plane.now());
    plane.take(&[message(plane.edge, early.clone())]).await;
    plane.clock.advance(Duration::from_secs(1));
    plane.take(&[crate::ingest::Message { topic: "site/v1/x".into(), payload: vec![0xff; 20_000].into() }]).await;
    let list = admin.get("/api/v1/quarantine?limit=1").await;
    let large = &list["items"][0];
    assert_eq!((&large["size"], &large["complete"], &large["times"]), (&json!(20_000), &json!(false), &json!(1)));
    assert_eq!(large["preview"].as_str().unwrap().chars().count(), 2000);
    let next = admin.get(&format!("/api/v1/quarantine?cursor={}", list["next_cursor"].as_str().unwrap())).await;
    let small = &next["items"][0];
    assert_eq!((&small["reason"], &small["complete"]), (&json!("the camera is not known here"), &json!(true)));
    assert!(small["preview"].as_str().unwrap().contains(&early.id.to_string()));

    let replay = async |hash: &Value| {
        let path = format!("/api/v1/quarantine/{}/replay", hash.as_str().unwrap());
        let (status, answer) = admin.post(&path, Value::Null).await;
        (status.as_u16(), answer)
    };
    assert_eq!(replay(&large["hash"]).await.1["code"], "incomplete");
    let (_, answer) = replay(&small["hash"]).await;
    assert_eq!(answer, json!({"taken": false, "reason": "the camera is not known here"}));
    crate::bootstrap::ensure_camera(plane.db(), &plane.clock, plane.edge, &spec).await.unwrap();
    assert_eq!(replay(&small["hash"]).await, (200, json!({"taken": true, "reason": ""})));
    assert_eq!(admin.get("/api/v1/events").await["items"][0]["id"], json!(early.id));
    assert_eq!(replay(&small["hash"]).await.0, 404);
    let path = format!("/api/v1/quarantine/{}", large["hash"].as_str().unwrap());
    assert_eq!((admin.delete(&path).await.as_u16(), admin.delete(&path).await.as_u16()), (204, 404));
    assert_eq!(admin.get("/api/v1/quarantine").await["items"], json!([]));
}
