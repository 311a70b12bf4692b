//! The live view through a real WebSocket.

use std::{sync::Arc, time::Duration};

use crate::support::{FakeSource, Mode, camera, fault, until};
use futures::StreamExt as _;
use protocol::{BoundingBox, CameraId, Overlay, OverlayBox, StreamState, viewer_token::ViewerKey};
use runtime::{Clock as _, SystemClock, Tasks};
use serde_json::Value;
use stream_gateway::{Hub, live};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::StatusCode},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Setup {
    hub: Hub,
    source: FakeSource,
    key: ViewerKey,
    address: String,
    tasks: Arc<Tasks>,
}

impl Setup {
    async fn new() -> Self {
        let (source, tasks, clock) = (FakeSource::default(), Arc::new(Tasks::default()), Arc::new(SystemClock));
        let hub = Hub::with_source(clock.clone(), tasks.clone(), Arc::new(source.clone()));
        let key = ViewerKey::new(*b"0123456789abcdef0123456789abcdef");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = axum::serve(listener, live::router(hub.clone(), key.clone(), clock));
        let stopped = tasks.token().clone();
        tasks
            .spawn("server", async move {
                tokio::select! { done = async { server.await } => done, () = stopped.cancelled() => Ok(()) }
            })
            .await;
        Self { hub, source, key, address, tasks }
    }

    fn token(&self, camera: CameraId) -> String {
        self.key.sign(camera, SystemClock.now() + Duration::from_mins(1))
    }

    async fn connect(&self, camera: &str, token: &str, origin: Option<&str>) -> Result<Socket, StatusCode> {
        let url = format!("ws://{}/live/{camera}/ws?token={token}", self.address);
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn watch(&self, camera: CameraId) -> Socket {
        self.connect(&camera.to_string(), &self.token(camera), None).await.expect("the viewer is admitted")
    }
}

async fn next(socket: &mut Socket) -> Message {
    timeout(Duration::from_secs(20), socket.next()).await.expect("a message in time").unwrap().unwrap()
}

/// The next text message of this kind; others and pictures are skipped.
async fn told(socket: &mut Socket, kind: &str) -> Value {
    loop {
        if let Message::Text(text) = next(socket).await {
            let value: Value = serde_json::from_str(&text).unwrap();
            if value["type"] == kind {
                return value;
            }
        }
    }
}

async fn picture(socket: &mut Socket) -> Vec<u8> {
    loop {
        if let Message::Binary(data) = next(socket).await {
            return data.to_vec();
        }
    }
}

#[tokio::test]
async fn only_those_with_a_token_for_this_camera_watch() {
    let setup = Setup::new().await;
    let (mine, other, gone) = (camera(1), camera(2), camera(3));
    setup.hub.apply(mine.clone()).await;
    setup.hub.apply(other.clone()).await;
    let (id, token) = (mine.id.to_string(), setup.token(mine.id));
    let expired = setup.key.sign(mine.id, SystemClock.now() - Duration::from_secs(1));
    let check = async |camera: &str, token: &str, origin: Option<&str>, expect: Option<StatusCode>| {
        assert_eq!(setup.connect(camera, token, origin).await.err(), expect, "{camera} {origin:?}");
    };
    check(&id, "", None, Some(StatusCode::UNAUTHORIZED)).await;
    check(&id, "rubbish", None, Some(StatusCode::UNAUTHORIZED)).await;
    check(&id, &expired, None, Some(StatusCode::UNAUTHORIZED)).await;
    check(&other.id.to_string(), &token, None, Some(StatusCode::FORBIDDEN)).await;
    check(&gone.id.to_string(), &setup.token(gone.id), None, Some(StatusCode::NOT_FOUND)).await;
    check("no-id", &token, None, Some(StatusCode::NOT_FOUND)).await;
    check(&id, &token, Some("http://evil.example"), Some(StatusCode::FORBIDDEN)).await;
    check(&id, &token, Some(&format!("http://{}", setup.address)), None).await;
    check(&id, &token, None, None).await;
}

#[tokio::test]
async fn a_viewer_gets_init_pictures_and_boxes() {
    let setup = Setup::new().await;
    let camera = camera(1);
    setup.hub.apply(camera.clone()).await;
    let mut socket = setup.watch(camera.id).await;
    let init = told(&mut socket, "init").await;
    assert_eq!((&init["codec"], &init["width"]), (&Value::from("avc1.640028"), &Value::from(1920)));
    assert_eq!(init["base_pts_us"], 0);
    assert_eq!(picture(&mut socket).await[4..8], *b"ftyp");
    for _ in 0..5 {
        assert_eq!(picture(&mut socket).await[4..8], *b"moof");
    }
    let bbox = BoundingBox { x: 0.1, y: 0.2, w: 0.3, h: 0.4 };
    let boxes = vec![OverlayBox { track: 7, class: "person".into(), score: 0.9, bbox, alarm: true }];
    setup.hub.publish_overlay(camera.id, Overlay { pts_us: 80_000, boxes });
    let overlay = told(&mut socket, "overlay").await;
    assert_eq!((&overlay["pts_us"], &overlay["boxes"][0]["track"]), (&Value::from(80_000), &Value::from(7)));

    let mut late = setup.watch(camera.id).await;
    assert_eq!(told(&mut late, "init").await["base_pts_us"].as_i64().unwrap() % 1_000_000, 0, "from a key frame");
    assert_eq!(setup.source.seen().opened.len(), 1, "both viewers share one pull");
}

#[tokio::test]
async fn a_viewer_is_told_what_is_wrong_and_starts_anew() {
    let setup = Setup::new().await;
    let camera = camera(1);
    setup.source.become_(Mode::Fails(fault(StreamState::Unauthorised)));
    setup.hub.apply(camera.clone()).await;
    let mut socket = setup.watch(camera.id).await;
    assert_eq!(told(&mut socket, "state").await["state"], "connecting");
    let state = told(&mut socket, "state").await;
    assert_eq!((&state["state"], &state["detail"]), (&"unauthorised".into(), &"as the test wants".into()));
    setup.source.become_(Mode::Good);
    assert_eq!(told(&mut socket, "init").await["base_pts_us"], 0);
    until(&setup.hub, camera.id, StreamState::Online).await;
    setup.source.become_(Mode::Fails(fault(StreamState::Interrupted)));
    until(&setup.hub, camera.id, StreamState::Interrupted).await;
    setup.source.become_(Mode::Good);
    let again = told(&mut socket, "init").await;
    assert!(again["base_pts_us"].as_i64().unwrap() > 0);
    assert_eq!(picture(&mut socket).await[4..8], *b"ftyp");
}

#[tokio::test]
async fn viewers_end_with_the_camera_and_with_the_hub() {
    let setup = Setup::new().await;
    for number in 1..=2 {
        setup.hub.apply(camera(number)).await;
    }
    let (mut first, mut second) = (setup.watch(camera(1).id).await, setup.watch(camera(2).id).await);
    picture(&mut first).await;
    picture(&mut second).await;
    setup.hub.remove(camera(1).id).await;
    let closed = async |socket: &mut Socket| loop {
        if let Message::Close(frame) = next(socket).await {
            return frame.unwrap().reason.to_string();
        }
    };
    assert_eq!(closed(&mut first).await, "the camera is gone");
    setup.tasks.token().cancel();
    assert_eq!(closed(&mut second).await, "the camera is gone");
}

#[tokio::test]
async fn the_number_of_viewers_is_bounded() {
    let setup = Setup::new().await;
    let camera = camera(1);
    setup.hub.apply(camera.clone()).await;
    let mut sockets = Vec::new();
    for _ in 0..live::MAX_VIEWERS {
        sockets.push(setup.watch(camera.id).await);
    }
    let refused = setup.connect(&camera.id.to_string(), &setup.token(camera.id), None).await;
    assert_eq!(refused.err(), Some(StatusCode::SERVICE_UNAVAILABLE));
}
