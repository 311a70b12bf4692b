//! What every answer has, and the console's files.

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::Value;
use server_kit::Role;

use super::harness::{Plane, parts};

pub(super) async fn every_answer_has_its_headers(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    for path in ["/", "/healthz", "/api/v1/events", "/api/nothing", "/api/openapi.json"] {
        let headers = viewer.send(Method::GET, path, Body::empty()).await.headers().clone();
        let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(csp.contains("default-src 'self'") && csp.contains("frame-ancestors 'none'"), "{path}: {csp}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        let cache = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(headers[header::CACHE_CONTROL], cache, "{path}");
    }
    let (status, _, page) = parts(viewer.send(Method::GET, "/", Body::empty()).await).await;
    assert_eq!(status, 200);
    assert!(String::from_utf8(page).unwrap().contains("make console"));
    assert_eq!(viewer.json(Method::GET, "/api/nothing", Value::Null).await.1["code"], "not_found");
    let (status, answer) = viewer.json(Method::PATCH, "/api/v1/events", Value::Null).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (405, Some("method_not_allowed")));
    assert_eq!(viewer.get("/healthz").await["status"], "ok");
    let (status, ready) = viewer.json(Method::GET, "/readyz", Value::Null).await;
    assert_eq!((status.as_u16(), &ready["database"]["ok"], &ready["mqtt"]["ok"]), (503, &true.into(), &false.into()));

    let console = plane.folder.path().join("console");
    std::fs::create_dir_all(console.join("assets")).unwrap();
    std::fs::write(console.join("index.html"), "<!doctype html>console").unwrap();
    std::fs::write(console.join("assets/app-1.js"), "1").unwrap();
    let router = crate::server::router(&plane.app, Some(&console), None);
    let get = async |path: &str| {
        let request = axum::http::Request::get(path).body(Body::empty()).unwrap();
        let (status, headers, bytes) = parts(tower::ServiceExt::oneshot(router.clone(), request).await.unwrap()).await;
        let cache = headers[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        (status.as_u16(), cache, String::from_utf8(bytes).unwrap())
    };
    for page in ["/", "/events/019abcde", "/index.html"] {
        assert_eq!(get(page).await, (200, "no-cache".into(), "<!doctype html>console".into()), "{page}");
    }
    assert_eq!(get("/assets/app-1.js").await, (200, "public, max-age=31536000, immutable".into(), "1".into()));
    for missing in ["/assets/old.js", "/api/v1/nothing", "/live/x", "/edge/v1/x"] {
        let (status, _, body) = get(missing).await;
        assert_eq!((status, body.contains("console")), (404, false), "{missing}");
    }
    assert_ne!(get("/..%2f..%2fplane.db").await.2, "");
    assert!(!get("/%2e%2e/plane.db").await.2.contains("SQLite"));
}

pub(super) async fn bodies_are_limited(plane: Plane) {
    let admin = plane.user(Role::Admin).await.with(header::CONTENT_TYPE, "application/json");
    let body = format!(r#"{{"name": "{}"}}"#, "x".repeat(1_100_000));
    let (status, _, answer) = parts(admin.send(Method::POST, "/api/v1/cameras", Body::from(body)).await).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status.as_u16(), answer["code"].as_str()), (413, Some("too_large")));
    let plain = plane.user(Role::Admin).await.with(header::CONTENT_TYPE, "text/plain");
    assert_eq!(plain.send(Method::POST, "/api/v1/cameras", Body::from("{}")).await.status(), 415);
}
