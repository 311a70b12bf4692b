//! Tasks through the API.

use protocol::{Refusal, ReportedState, Subject};
use serde_json::json;
use server_kit::Role;

use super::harness::{Plane, message};

pub(super) async fn tasks_come_change_and_go(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let before = plane.generation().await;
    let square = json!([{"x": 0.1, "y": 0.1}, {"x": 0.9, "y": 0.1}, {"x": 0.9, "y": 0.9}]);
    let mut body = json!({
        "camera_id": plane.camera, "algorithm": "intrusion", "name": "基坑", "severity": "yellow",
        "zones": [{"name": "坑", "kind": "include", "points": square}],
        "schedule": {"utc_offset_minutes": 480, "spans": [{"weekday": 0, "from_minute": 0, "to_minute": 60}]},
        "params": {"dwell_secs": 3.5},
    });
    let (status, task) = admin.post("/api/v1/tasks", body.clone()).await;
    assert_eq!(status, 201, "{task}");
    assert_eq!(task["camera_name"], "南门");
    assert_eq!(task["zones"][0]["points"].as_array().unwrap().len(), 3);
    assert_eq!((&task["params"], &task["effective_params"]["dwell_secs"]), (&json!({"dwell_secs": 3.5}), &json!(3.5)));
    assert_eq!((&task["effective_params"]["votes_needed"], &task["running"]), (&json!(3), &json!(false)));
    assert_eq!(plane.generation().await, before + 1);

    let path = format!("/api/v1/tasks/{}", task["id"].as_str().unwrap());
    body["params"]["min_score"] = 3.into();
    body["version"] = 1.into();
    let (status, answer) = admin.put(&path, body.clone()).await;
    assert_eq!((status.as_u16(), answer["field"].as_str()), (400, Some("params.min_score")));
    body["params"] = json!({});
    body["enabled"] = false.into();
    let (status, answer) = admin.put(&path, body.clone()).await;
    assert_eq!((status.as_u16(), answer["version"].as_i64(), answer["enabled"].as_bool()), (200, Some(2), Some(false)));
    assert_eq!(admin.put(&path, body.clone()).await.1["code"], "conflict");
    assert_eq!(plane.generation().await, before + 2);

    body["camera_id"] = plane.task.to_string().into();
    body["version"] = 2.into();
    assert_eq!(admin.put(&path, body).await.1["field"], "camera_id");
    assert_eq!(admin.delete(&path).await, 204);
    assert_eq!(admin.delete(&path).await, 404);
    assert_eq!(plane.generation().await, before + 3);
    assert_eq!(admin.get("/api/v1/tasks").await["items"].as_array().unwrap().len(), 1);
}

pub(super) async fn show_what_the_edge_says(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let path = format!("/api/v1/tasks/{}", plane.task);
    let refusal = Refusal { subject: Subject::Task(plane.task), reason: "no model knows helmet".into() };
    let report = ReportedState { generation: 3, refusals: vec![refusal], ..ReportedState::default() };
    plane.take(&[message(plane.edge, report)]).await;
    let task = viewer.get(&path).await;
    assert_eq!((&task["running"], &task["refusal"]), (&json!(false), &json!("no model knows helmet")));
    let edge = &viewer.get("/api/v1/edges").await["items"][0];
    assert_eq!((&edge["reported_generation"], &edge["refusals"][0]["task_id"]), (&json!(3), &json!(plane.task)));

    let report = ReportedState { generation: 4, running_tasks: vec![plane.task], ..ReportedState::default() };
    plane.take(&[message(plane.edge, report)]).await;
    let task = viewer.get(&path).await;
    assert_eq!((&task["running"], task["refusal"].is_null()), (&json!(true), true));
}
