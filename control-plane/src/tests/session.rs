//! Signing in and out.

use std::time::Duration;

use axum::http::{Method, header};
use serde_json::{Value, json};
use server_kit::{
    Role,
    accounts::{Lockout, SESSION_LASTS},
};

use super::harness::{Client, Plane, parts};

async fn sign_in(plane: &Plane, username: &str, password: &str) -> (u16, String, Value) {
    let client = plane.nobody().with(header::CONTENT_TYPE, "application/json");
    let body = json!({"username": username, "password": password}).to_string();
    let (status, headers, bytes) = parts(client.send(Method::POST, "/api/v1/session", body.into()).await).await;
    let cookie = headers.get(header::SET_COOKIE).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    (status.as_u16(), cookie, serde_json::from_slice(&bytes).unwrap())
}

fn with_cookie(plane: &Plane, cookie: &str) -> Client {
    plane.nobody().with(header::COOKIE, cookie.split(';').next().unwrap())
}

pub(super) async fn signing_in_and_out(plane: Plane) {
    let (status, _, wrong) = sign_in(&plane, "admin", "wrong").await;
    assert_eq!((status, wrong["code"].as_str()), (401, Some("wrong_credentials")));
    let (status, _, nobody) = sign_in(&plane, "nobody' or 1=1 --", "wrong").await;
    assert_eq!((status, &nobody), (401, &wrong), "an unknown user looks like a wrong password");
    assert_eq!(plane.nobody().json(Method::GET, "/api/v1/session", Value::Null).await.0, 401);

    let (status, cookie, body) = sign_in(&plane, "Admin", plane.admin_password.expose()).await;
    assert_eq!((status, body["user"]["must_change_password"].as_bool()), (200, Some(true)));
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let admin = with_cookie(&plane, &cookie);
    assert_eq!(admin.get("/api/v1/session").await, body);
    assert_eq!(admin.delete("/api/v1/session").await, 204);
    assert_eq!(admin.json(Method::GET, "/api/v1/session", Value::Null).await.0, 401);
}

pub(super) async fn five_failures_lock_the_door(plane: Plane) {
    for _ in 0..5 {
        assert_eq!(sign_in(&plane, "admin", "wrong").await.0, 401);
    }
    let (status, _, body) = sign_in(&plane, "admin", plane.admin_password.expose()).await;
    assert_eq!((status, body["code"].as_str()), (429, Some("locked")));
    plane.clock.advance(Lockout::LASTS.saturating_sub(Duration::from_secs(1)));
    assert_eq!(sign_in(&plane, "admin", plane.admin_password.expose()).await.0, 429);
    plane.clock.advance(Duration::from_secs(1));
    assert_eq!(sign_in(&plane, "admin", plane.admin_password.expose()).await.0, 200);
}

pub(super) async fn a_new_password_ends_other_sessions(plane: Plane) {
    let (_, first, _) = sign_in(&plane, "admin", plane.admin_password.expose()).await;
    let (_, second, _) = sign_in(&plane, "admin", plane.admin_password.expose()).await;
    let admin = with_cookie(&plane, &first);
    let change = async |current: &str, new: &str| {
        admin.post("/api/v1/session/password", json!({"current": current, "new": new})).await
    };
    let current = plane.admin_password.expose();
    assert_eq!(change(current, "short").await.1["field"], "new");
    assert_eq!(change(current, current).await.1["field"], "new");
    assert_eq!(change("wrong", "工地 long enough").await.1["field"], "current");
    assert_eq!(change(current, "工地 long enough").await.0, 204);
    assert_eq!(admin.get("/api/v1/session").await["user"]["must_change_password"], false);
    let other = with_cookie(&plane, &second);
    assert_eq!(other.json(Method::GET, "/api/v1/session", Value::Null).await.0, 401);
    assert_eq!(sign_in(&plane, "admin", "工地 long enough").await.0, 200);
}

pub(super) async fn sessions_expire(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    plane.clock.advance(SESSION_LASTS.saturating_sub(Duration::from_secs(1)));
    viewer.get("/api/v1/session").await;
    plane.clock.advance(Duration::from_secs(1));
    assert_eq!(viewer.json(Method::GET, "/api/v1/session", Value::Null).await.0, 401);
}
