//! Evidence: uploaded by edges, shown to people.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
};
use protocol::ContentHash;
use serde_json::json;
use server_kit::Role;

use super::harness::{Client, Plane, message, parts, snapshot};

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

async fn append(edge: &Client, hash: &str, offset: u64, total: u64, bytes: &[u8]) -> (u16, HeaderMap) {
    let client = edge
        .clone()
        .with(header::CONTENT_TYPE, "image/jpeg")
        .with(OFFSET, offset.to_string())
        .with(LENGTH, total.to_string());
    let path = format!("/edge/v1/evidence/{hash}");
    let (status, headers, _) = parts(client.send(Method::PATCH, &path, Body::from(bytes.to_vec())).await).await;
    (status.as_u16(), headers)
}

async fn progress(edge: &Client, hash: &str) -> (String, String) {
    let path = format!("/edge/v1/evidence/{hash}");
    let (status, headers, _) = parts(edge.send(Method::HEAD, &path, Body::empty()).await).await;
    assert_eq!(status, 204);
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    (text("upload-offset"), text("upload-complete"))
}

pub(super) async fn is_uploaded_in_pieces_and_shown(plane: Plane) {
    let (viewer, edge) = (plane.user(Role::Viewer).await, plane.edge_client());
    let picture = b"not really a picture";
    let mut event = plane.event();
    event.evidence = vec![snapshot(picture, plane.now())];
    let id = event.id;
    let receipts = plane.take(&[message(plane.edge, event)]).await;
    assert_eq!(receipts, [(id, 1)]);
    let hash = ContentHash::of(picture).to_string();
    let url = format!("/api/v1/evidence/{hash}");
    let shown = viewer.get("/api/v1/events").await["items"][0]["snapshot"].clone();
    assert_eq!(shown, json!({"url": url, "width": 1280, "height": 720, "available": false}));
    assert_eq!(viewer.send(Method::GET, &url, Body::empty()).await.status(), 404);

    let before = *plane.app.changes.listen().borrow();
    assert_eq!(progress(&edge, &hash).await, ("0".into(), "false".into()));
    let (status, headers) = append(&edge, &hash, 0, 20, &picture[..8]).await;
    assert_eq!((status, headers["upload-offset"].to_str().unwrap()), (204, "8"));
    assert_eq!(progress(&edge, &hash).await, ("8".into(), "false".into()));
    let (status, headers) = append(&edge, &hash, 5, 20, &picture[5..]).await;
    assert_eq!((status, headers["upload-offset"].to_str().unwrap()), (409, "8"));
    let (status, headers) = append(&edge, &hash, 8, 20, &picture[8..]).await;
    assert_eq!((status, headers["upload-offset"].to_str().unwrap()), (204, "20"));
    assert_eq!(progress(&edge, &hash).await, ("20".into(), "true".into()));
    assert_eq!(append(&edge, &hash, 0, 20, picture).await.0, 204, "a repeated upload is no mistake");
    assert_eq!(*plane.app.changes.listen().borrow(), before + 1, "its event is told once more");

    let detail = viewer.get(&format!("/api/v1/events/{id}")).await;
    assert_eq!((&detail["snapshot"]["available"], &detail["evidence"][0]["available"]), (&json!(true), &json!(true)));
    let (status, headers, bytes) = parts(viewer.send(Method::GET, &url, Body::empty()).await).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, picture.as_slice()));
    assert_eq!(headers[header::CONTENT_TYPE], "image/jpeg");
    assert_eq!(headers[header::CONTENT_DISPOSITION], "inline");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let range = viewer.clone().with(header::RANGE, "bytes=4-9");
    let (status, headers, bytes) = parts(range.send(Method::GET, &url, Body::empty()).await).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, &picture[4..10]));
    assert_eq!(headers[header::CONTENT_RANGE], "bytes 4-9/20");
    assert_eq!(plane.nobody().send(Method::GET, &url, Body::empty()).await.status(), 401);
}

pub(super) async fn with_a_wrong_hash_is_thrown_away(plane: Plane) {
    let edge = plane.edge_client();
    let hash = ContentHash::of(b"right").to_string();
    let (status, headers) = append(&edge, &hash, 0, 5, b"wrong").await;
    assert_eq!((status, headers["upload-offset"].to_str().unwrap()), (422, "0"));
    assert_eq!(append(&edge, &hash, 0, 10_001, b"").await.0, 413);
    assert_eq!(append(&edge, &hash, 0, 5, b"too long").await.0, 400);
    let (status, headers) = append(&edge, &hash, 0, 5, b"right").await;
    assert_eq!((status, headers["upload-complete"].to_str().unwrap()), (204, "true"));

    let path = format!("/edge/v1/evidence/{hash}");
    let html = edge.clone().with(header::CONTENT_TYPE, "text/html").with(OFFSET, "0").with(LENGTH, "5");
    assert_eq!(html.send(Method::PATCH, &path, Body::from("right")).await.status(), 415);
    assert_eq!(edge.send(Method::PATCH, &path, Body::from("right")).await.status(), 400);
    let other = plane.nobody().with(header::AUTHORIZATION, format!("Bearer {}.wrong", plane.edge));
    assert_eq!(other.send(Method::HEAD, &path, Body::empty()).await.status(), 401);
}

pub(super) async fn never_leaves_its_folder(plane: Plane) {
    let (viewer, edge) = (plane.user(Role::Viewer).await, plane.edge_client());
    std::fs::write(plane.folder.path().join("secret"), "secret").unwrap();
    let upper = "A".repeat(64);
    for name in ["..%2Fsecret", "%2e%2e%2fsecret", "..", "secret", "%00", &upper, "..%5Csecret", "%2Fetc%2Fpasswd"] {
        let (status, _, bytes) =
            parts(viewer.send(Method::GET, &format!("/api/v1/evidence/{name}"), Body::empty()).await).await;
        assert!(matches!(status.as_u16(), 400 | 404), "{name}: {status}");
        assert!(!String::from_utf8_lossy(&bytes).contains("secret\""), "{name}");
        let (status, _) = append(&edge, name, 0, 6, b"secret").await;
        assert!(matches!(status, 400 | 404 | 405), "{name}: {status}");
    }
    let mut files: Vec<_> = std::fs::read_dir(plane.folder.path().join("evidence")).unwrap().flatten().collect();
    assert_eq!(files.pop().map(|f| f.file_name()), Some("partial".into()));
    assert!(files.is_empty());
    assert_eq!(std::fs::read_dir(plane.folder.path().join("evidence/partial")).unwrap().count(), 0);
}
