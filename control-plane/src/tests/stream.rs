//! The change stream.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{Method, header},
};
use futures::StreamExt as _;
use serde_json::{Value, json};
use server_kit::Role;

use super::harness::{Client, Plane, message};

/// Reads a stream message by message.
struct Reader {
    body: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(client: &Client, query: &str) -> Self {
        let response = client.send(Method::GET, &format!("/api/v1/stream{query}"), Body::empty()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// Name, id and data of the next message; `None` at the end.
    async fn next(&mut self) -> Option<(String, i64, Value)> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| message.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim();
                let parsed = (field("event:").to_owned(), field("id:").parse(), serde_json::from_str(field("data:")));
                self.text = rest.to_owned();
                if let (name, Ok(id), Ok(data)) = parsed {
                    return Some((name, id, data));
                }
                continue;
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await.expect("nothing came");
            self.text.push_str(std::str::from_utf8(&piece?.unwrap()).unwrap());
        }
    }
}

pub(super) async fn tells_what_is_committed(plane: Plane) {
    let admin = plane.user(Role::Admin).await;
    let mut reader = Reader::open(&admin, "").await;
    let (name, start, hello) = reader.next().await.unwrap();
    assert_eq!((name.as_str(), &hello), ("hello", &json!({"seq": start})));

    let id = plane.new_event(0).await;
    let (name, seq, change) = reader.next().await.unwrap();
    assert_eq!((name.as_str(), seq, &change["kind"]), ("change", start + 1, &json!("event")));
    assert_eq!((&change["event"]["id"], &change["event"]["state"]), (&json!(id), &json!("pending")));

    let body = json!({"action": "ignore", "version": 1});
    admin.post(&format!("/api/v1/events/{id}/actions"), body).await;
    assert_eq!(reader.next().await.unwrap().2["event"]["state"], "ignored");

    let body = json!({"name": "北门", "url": "rtsp://10.0.0.8/"});
    let camera = admin.post("/api/v1/cameras", body).await.1;
    let (_, seq, change) = reader.next().await.unwrap();
    assert_eq!((seq, &change["kind"], &change["id"]), (start + 3, &json!("camera"), &camera["id"]));
    assert!(change["event"].is_null());

    plane.stop.cancel();
    assert!(reader.next().await.is_none(), "the stream ends with the control plane");
}

pub(super) async fn resumes_from_a_cursor(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let start = *plane.app.changes.listen().borrow();
    let mut expect = Vec::new();
    for n in 0..450 {
        let mut event = plane.event();
        event.decided_at = event.decided_at + Duration::from_secs(n);
        expect.push(event.id.to_string());
        plane.take(&[message(plane.edge, event)]).await;
    }
    let mut reader = Reader::open(&viewer, &format!("?cursor={start}")).await;
    assert_eq!(reader.next().await.unwrap().1, start);
    let mut got = Vec::new();
    for _ in 0..300 {
        got.push(reader.next().await.unwrap());
    }
    drop(reader);
    let last = got.last().unwrap().1;
    let mut reader =
        Reader::open(&viewer.clone().with("last-event-id".parse().unwrap(), last.to_string()), "?cursor=1").await;
    assert_eq!(reader.next().await.unwrap().1, last, "Last-Event-ID wins over the cursor");
    for _ in 0..150 {
        got.push(reader.next().await.unwrap());
    }
    assert!(got.windows(2).all(|w| w[0].1 < w[1].1));
    let ids: Vec<_> = got.iter().map(|(_, _, change)| change["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, expect, "each once, in the order of the commits");

    // A cursor that is too old, or from another database, starts now.
    let mut tx = plane.db().begin().await.unwrap();
    crate::stream::store::prune(&mut tx, 10).await.unwrap();
    tx.commit().await.unwrap();
    for cursor in [start, start + 1_000_000] {
        let mut reader = Reader::open(&viewer, &format!("?cursor={cursor}")).await;
        assert_eq!(reader.next().await.unwrap().1, start + 450);
    }
    let mut reader = Reader::open(&viewer, &format!("?cursor={}", start + 440)).await;
    assert_eq!(reader.next().await.unwrap().1, start + 440);
}

pub(super) async fn ends_with_its_session(plane: Plane) {
    let viewer = plane.user(Role::Viewer).await;
    let mut reader = Reader::open(&viewer, "").await;
    reader.next().await.unwrap();
    assert_eq!(viewer.delete("/api/v1/session").await, 204);
    assert!(reader.next().await.is_none());
}
