//! Approved pictures and muted places.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use protocol::ContentHash;
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::{Client, Plane, parts};
use crate::references::jpeg::tests::headers_only;

async fn approve(client: &Client, task: &str, picture: Vec<u8>) -> (StatusCode, Value) {
    let client = client.clone().with(header::CONTENT_TYPE, "image/jpeg");
    let path = format!("/api/v1/tasks/{task}/references");
    let (status, _, bytes) = parts(client.send(Method::POST, &path, Body::from(picture)).await).await;
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

pub(super) async fn are_approved_kept_and_reach_their_edge(plane: Plane) {
    let (admin, edge) = (plane.user(Role::Admin).await, plane.edge_client());
    let body = json!({"camera_id": plane.camera, "algorithm": "fence_missing", "name": "东侧围挡"});
    let (status, task) = admin.post("/api/v1/tasks", body).await;
    assert_eq!(status, 201, "{task}");
    let id = task["id"].as_str().unwrap().to_owned();
    let before = plane.generation().await;

    let first = headers_only(1280, 720);
    let hash = ContentHash::of(&first).to_string();
    let (status, task) = approve(&admin, &id, first.clone()).await;
    assert_eq!((status.as_u16(), &task["reference"]["version"]), (201, &json!(1)), "{task}");
    assert_eq!((&task["reference"]["picture"], &task["version"]), (&json!(hash), &json!(2)));
    assert_eq!(plane.generation().await, before + 1);
    assert_eq!(approve(&admin, &id, headers_only(640, 360)).await.1["reference"]["version"], 2);
    assert_eq!(approve(&admin, &id, first.clone()).await.1["reference"]["version"], 3, "an earlier state comes back");

    let body = json!({"camera_id": plane.camera, "algorithm": "fence_missing", "name": "东侧围挡 2", "version": 4});
    let (status, task) = admin.put(&format!("/api/v1/tasks/{id}"), body).await;
    assert_eq!((status.as_u16(), &task["reference"]["version"]), (200, &json!(3)), "an edit keeps it: {task}");

    let all = admin.get(&format!("/api/v1/tasks/{id}/references")).await;
    let versions: Vec<_> = all["items"].as_array().unwrap().iter().map(|p| p["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!((&all["items"][2]["width"], &all["items"][2]["hash"]), (&json!(1280), &json!(hash)));
    let url = all["items"][2]["url"].as_str().unwrap().to_owned();
    assert_eq!(parts(admin.send(Method::GET, &url, Body::empty()).await).await.2, first, "people can look at it");

    let path = format!("/edge/v1/references/{hash}");
    let (status, headers, bytes) = parts(edge.send(Method::GET, &path, Body::empty()).await).await;
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE], bytes),
        (StatusCode::OK, &"image/jpeg".parse().unwrap(), first)
    );
    let other = format!("/edge/v1/references/{}", ContentHash::of(b"evidence of somebody else"));
    assert_eq!(edge.send(Method::GET, &other, Body::empty()).await.status(), 404);

    let (status, answer) = approve(&admin, &id, b"<svg onload=alert(1)>".to_vec()).await;
    assert_eq!((status.as_u16(), &answer["field"]), (400, &json!("body")));
    let (status, answer) = approve(&admin, &plane.task.to_string(), headers_only(640, 360)).await;
    assert_eq!((status.as_u16(), &answer["field"]), (400, &json!("algorithm")), "安全帽 needs no picture");
}

pub(super) async fn a_false_alarm_mutes_its_place(plane: Plane) {
    let supervisor = plane.user(Role::Supervisor).await;
    let event = plane.new_event(1).await;
    let before = plane.generation().await;
    let path = format!("/api/v1/events/{event}/mute");
    let (status, task) = supervisor.post(&path, json!({"days": 30})).await;
    assert_eq!(status, 200, "{task}");
    let mute = &task["mutes"][0];
    assert_eq!((&mute["class"], mute["bbox"]["w"].as_f64().map(|w| w as f32)), (&json!("head"), Some(0.05)));
    assert_eq!(mute["until"], (plane.now() + Duration::from_hours(24 * 30)).as_micros());
    assert_eq!((&task["id"], plane.generation().await), (&json!(plane.task), before + 1));

    for days in [0, 3_651] {
        assert_eq!(supervisor.post(&path, json!({"days": days})).await.1["field"], "days");
    }
    for _ in 0..63 {
        assert_eq!(supervisor.post(&path, json!({})).await.0, 200);
    }
    let (status, answer) = supervisor.post(&path, json!({})).await;
    assert_eq!((status.as_u16(), &answer["field"]), (400, &json!("mutes")), "{answer}");
    plane.clock.advance(Duration::from_hours(24 * 31));
    let supervisor = plane.user(Role::Supervisor).await;
    assert_eq!(supervisor.post(&path, json!({})).await.0, 200, "what has run out makes room");
}
