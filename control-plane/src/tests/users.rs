//! Users through the API.

use axum::http::{Method, header};
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::{Plane, parts};

pub(super) async fn administrators_manage_users(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let create = async |name: &str, role: &str| {
        let (status, answer) = admin.post("/api/v1/users", json!({"username": name, "role": role})).await;
        (status.as_u16(), answer)
    };
    let (status, made) = create(" 李监理 ", "viewer").await;
    assert_eq!((status, &made["username"], &made["must_change_password"]), (201, &json!("李监理"), &json!(true)));
    assert_eq!(create("李监理", "viewer").await.1["code"], "name_taken");
    assert_eq!(create("ADMIN", "viewer").await.1["code"], "name_taken", "case makes no other name");
    for bad in ["", "a b", "<b>", &"x".repeat(65)] {
        assert_eq!(create(bad, "viewer").await.1["field"], "username", "{bad}");
    }
    let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());

    let body = json!({"username": "李监理", "password": made["password"]}).to_string();
    let client = plane.nobody().with(header::CONTENT_TYPE, "application/json");
    let (status, headers, _) = parts(client.send(Method::POST, "/api/v1/session", body.into()).await).await;
    assert_eq!(status, 200, "the generated password opens the door");
    let cookie = headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let user = plane.nobody().with(header::COOKIE, cookie);
    assert_eq!(user.json(Method::GET, "/api/v1/assignees", Value::Null).await.0, 403);
    assert_eq!(admin.put(&path, json!({"role": "supervisor"})).await.1["role"], "supervisor");
    assert_eq!(user.json(Method::GET, "/api/v1/assignees", Value::Null).await.0, 200, "at once");
    let (status, renewed) = admin.post(&format!("{path}/password"), Value::Null).await;
    assert_eq!(status, 200);
    assert_ne!(renewed["password"], made["password"]);
    assert_eq!(user.json(Method::GET, "/api/v1/session", Value::Null).await.0, 401, "its sessions ended");

    let list = admin.get("/api/v1/users").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    assert!(!list.to_string().contains("argon2"));
    assert_eq!((admin.delete(&path).await.as_u16(), admin.delete(&path).await.as_u16()), (204, 404));
    let me = admin.get("/api/v1/session").await["user"]["id"].as_str().unwrap().to_owned();
    let own = format!("/api/v1/users/{me}");
    let (status, answer) = admin.put(&own, json!({"role": "viewer"})).await;
    assert_eq!((status.as_u16(), &answer["code"]), (409, &json!("yourself")));
    assert_eq!(admin.delete(&own).await, 409);
}
