//! Cameras through the API.

use protocol::wire::{self, Envelope};
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::Plane;

fn input(name: &str, url: &str) -> Value {
    json!({"name": name, "url": url, "transport": "tcp"})
}

pub(super) async fn cameras_come_change_and_go(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let before = plane.generation().await;
    let (status, camera) = admin.post("/api/v1/cameras", input(" 北门 ", "rtsp://10.0.0.8/1")).await;
    assert_eq!((status.as_u16(), camera["name"].as_str()), (201, Some("北门")));
    assert_eq!((camera["site_name"].as_str(), camera["state"].is_null()), (Some("示范工地"), true));
    assert_eq!(plane.generation().await, before + 1);
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());

    let mut change = input("北门 2", "rtsp://10.0.0.8/2");
    assert_eq!(admin.put(&path, change.clone()).await.1["field"], "version");
    change["version"] = 7.into();
    let (status, body) = admin.put(&path, change.clone()).await;
    assert_eq!((status.as_u16(), body["code"].as_str()), (409, Some("conflict")));
    assert_eq!(plane.generation().await, before + 1, "a refused change changes nothing");
    change["version"] = 1.into();
    let (status, body) = admin.put(&path, change).await;
    assert_eq!(
        (status.as_u16(), body["version"].as_i64(), body["url"].as_str()),
        (200, Some(2), Some("rtsp://10.0.0.8/2"))
    );
    assert_eq!(plane.generation().await, before + 2);

    let (status, token) = admin.post(&format!("{path}/live-token"), Value::Null).await;
    assert_eq!(status, 200);
    let token = token["path"].as_str().unwrap().split_once("token=").unwrap().1.to_owned();
    let id = camera["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(plane.app.viewer_key.verify(&token, id, plane.now()), Ok(()));

    assert_eq!(admin.delete(&path).await, 204);
    assert_eq!(admin.delete(&path).await, 404);
    assert_eq!(plane.generation().await, before + 3);
    assert_eq!(admin.get("/api/v1/cameras").await["items"].as_array().unwrap().len(), 1);

    // The first camera takes its task along.
    assert_eq!(admin.delete(&format!("/api/v1/cameras/{}", plane.camera)).await, 204);
    assert_eq!(admin.get("/api/v1/tasks").await["items"], json!([]));
}

pub(super) async fn keep_their_password_to_themselves(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let path = format!("/api/v1/cameras/{}", plane.camera);
    let camera = admin.get(&path).await;
    assert_eq!((camera["has_password"].as_bool(), camera["username"].as_str()), (Some(true), Some("viewer")));
    assert!(!camera.to_string().contains("rtsp-secret"));

    let put = async |url: &str, version: i64, password: Option<&str>| {
        let mut body = json!({"name": "南门", "url": url, "username": "viewer", "version": version});
        if let Some(password) = password {
            body["password"] = password.into();
        }
        admin.put(&path, body).await.1["has_password"].as_bool().unwrap()
    };
    assert!(put("rtsp://10.0.0.7/2", 1, None).await, "the same host keeps its password");
    assert!(!put("rtsp://10.6.6.6/2", 2, None).await, "another host does not get it");
    assert!(put("rtsp://10.6.6.6/2", 3, Some("new")).await);
    assert!(!put("rtsp://10.6.6.6/2", 4, Some("")).await);

    // The wire to the edge does carry it.
    let mut connection = plane.db().read().await.unwrap();
    let desired = crate::edges::store::desired(&mut connection, plane.edge).await.unwrap().unwrap();
    assert_eq!(desired.generation, plane.generation().await);
    let id = protocol::MessageId::new(plane.now());
    let envelope = Envelope { version: wire::VERSION, id, edge: plane.edge, sent_at: plane.now(), body: desired };
    assert!(wire::encode(&envelope).is_ok());
}

pub(super) async fn bad_ones_get_a_reason_in_two_languages(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let cases = [
        (input("", "rtsp://10.0.0.8/"), "name"),
        (input("x", "http://10.0.0.8/"), "url"),
        (input("x", "rtsp://user:pass@10.0.0.8/"), "url"),
        (input("x", "rtsp://127.0.0.1/"), "url"),
        (input("x", "rtsp://169.254.169.254/latest"), "url"),
        (json!({"name": "x", "url": "rtsp://10.0.0.8/", "password": "p"}), "username"),
        (json!({"name": "x", "url": "rtsp://10.0.0.8/", "edge_id": plane.site}), "edge_id"),
    ];
    for (body, field) in cases {
        let (status, answer) = admin.post("/api/v1/cameras", body.clone()).await;
        assert_eq!((status.as_u16(), answer["field"].as_str()), (400, Some(field)), "{body}: {answer}");
        assert!(answer["message_zh"].as_str().unwrap().chars().any(|c| c > '\u{4e00}'), "{answer}");
        assert!(!answer.to_string().contains("pass@"), "{answer}");
    }
    for body in [
        json!({"name": "x"}),
        json!({"name": "x", "url": "rtsp://a/", "evil": 1}),
        json!({"name": "a\u{0}", "url": "rtsp://a/"}),
    ] {
        assert_eq!(admin.post("/api/v1/cameras", body).await.1["code"], "malformed");
    }
}

pub(super) async fn are_paged_by_name(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    for name in ["c", "a", "b", "a"] {
        assert_eq!(admin.post("/api/v1/cameras", input(name, "rtsp://10.0.0.9/")).await.0, 201);
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/api/v1/cameras?limit=2{cursor}")).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names, ["a", "a", "b", "c", "南门"]);
    assert_eq!(admin.json(axum::http::Method::GET, "/api/v1/cameras?cursor=rubbish", Value::Null).await.0, 400);
    assert_eq!(admin.json(axum::http::Method::GET, "/api/v1/cameras?limit=0", Value::Null).await.0, 400);
}
