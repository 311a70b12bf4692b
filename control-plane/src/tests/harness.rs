//! A control plane in a temporary folder, and clients of every role.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
    response::Response,
};
use protocol::{
    Algorithm, BoundingBox, CameraId, CameraSpec, ContentHash, EdgeId, Event, EventId, EventPhase, Evidence,
    EvidenceKind, MessageId, ModelRef, Secret, Severity, SiteId, TaskId, TaskSpec, TimedBox, Timestamp, Transport,
    UserId, Why,
    viewer_token::ViewerKey,
    wire::{self, Body as WireBody, Envelope},
};
use runtime::{CancellationToken, Clock, ManualClock};
use serde_json::Value;
use server_kit::{
    Db, Role,
    accounts::{self, Account},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::{
    bootstrap::{Bootstrap, bootstrap, ensure_camera, ensure_task, open_database},
    config::{PlaneConfig, PlaneEnvironment},
    ingest::Message,
    server,
    state::App,
};

/// A control plane with one site, one edge, and one camera with one task.
pub(super) struct Plane {
    pub(super) app: Arc<App>,
    pub(super) router: Router,
    pub(super) clock: ManualClock,
    pub(super) admin_password: Secret,
    pub(super) site: SiteId,
    pub(super) edge: EdgeId,
    pub(super) edge_secret: Secret,
    pub(super) camera: CameraId,
    pub(super) task: TaskId,
    pub(super) stop: CancellationToken,
    pub(super) folder: TempDir,
}

/// Monday 2026-11-23 00:30 in Shanghai.
pub(super) const START: Timestamp = Timestamp::from_secs(1_795_365_000);

impl Plane {
    pub(super) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/plane.db", folder.path().display());
        Self::build(&url, folder).await
    }

    pub(super) async fn on(url: &str) -> Self {
        Self::build(url, tempfile::tempdir().unwrap()).await
    }

    async fn build(url: &str, folder: TempDir) -> Self {
        let clock = ManualClock::at(START);
        let url = Secret::new(url);
        let db = open_database(&url, &clock).await.unwrap();
        let outcome = bootstrap(&db, &clock, &Bootstrap::default()).await.unwrap();
        let camera = camera_spec("南门", "rtsp://10.0.0.7/1");
        ensure_camera(&db, &clock, outcome.edge, &camera).await.unwrap();
        let task = task_spec(camera.id);
        ensure_task(&db, &clock, &task).await.unwrap();
        let config = PlaneConfig {
            mqtt_url: "mqtt://127.0.0.1:1".into(),
            mqtt_username: "plane".into(),
            mqtt_password: Secret::new("x"),
            data_dir: folder.path().to_owned(),
            console_dir: None,
            database_url: url,
            allow_loopback_cameras: false,
            max_evidence_bytes: 10_000,
        };
        let stop = CancellationToken::new();
        let env = PlaneEnvironment {
            clock: Arc::new(clock.clone()),
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            db,
            viewer_key: ViewerKey::new(*b"0123456789abcdef0123456789abcdef"),
            extra: None,
        };
        let app = Arc::new(server::assemble(&config, &env, &stop).await.unwrap());
        Self {
            router: server::router(&app, None, None),
            app,
            clock,
            admin_password: outcome.admin_password.unwrap(),
            site: outcome.site,
            edge: outcome.edge,
            edge_secret: outcome.edge_secret.unwrap(),
            camera: camera.id,
            task: task.id,
            stop,
            folder,
        }
    }

    pub(super) fn db(&self) -> &Db {
        &self.app.db
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A client without a session.
    pub(super) fn nobody(&self) -> Client {
        Client {
            router: self.router.clone(),
            headers: vec![(HeaderName::from_static("x-requested-with"), "gongshao".into())],
        }
    }

    /// A client of a new user; signing in by password is tested once and slow.
    pub(super) async fn user(&self, role: Role) -> Client {
        let account = Account {
            id: UserId::new(self.now()),
            username: format!("{role}-{}", hex::encode(rand::random::<[u8; 3]>())),
            password_hash: "none".into(),
            role,
            must_change_password: false,
        };
        let mut tx = self.db().begin().await.unwrap();
        accounts::create_user(&mut tx, &account, self.now()).await.unwrap();
        let session = accounts::start_session(&mut tx, &account, self.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.nobody().with(header::COOKIE, format!("other=1; gongshao_session={}", session.token))
    }

    /// A client that is the edge.
    pub(super) fn edge_client(&self) -> Client {
        let bearer = format!("Bearer {}.{}", self.edge, self.edge_secret.expose());
        Client { router: self.router.clone(), headers: vec![] }.with(header::AUTHORIZATION, bearer)
    }

    pub(super) async fn generation(&self) -> u64 {
        let edge = crate::edges::store::get(&mut self.db().read().await.unwrap(), self.edge).await.unwrap();
        edge.unwrap().generation
    }

    /// Stores messages as ingest does and gives the receipts.
    pub(super) async fn take(&self, messages: &[Message]) -> Vec<(EventId, u32)> {
        let committed = crate::ingest::commit(self.db(), messages, self.now()).await.unwrap();
        if let Some(newest) = committed.newest {
            self.app.changes.tell(newest);
        }
        committed.receipts.into_values().flatten().map(|r| (r.id, r.revision)).collect()
    }

    /// An event of the plane's camera that was decided now.
    pub(super) fn event(&self) -> Event {
        event(self.camera, self.task, self.now())
    }

    /// Stores a new event that was decided `secs` after the start.
    pub(super) async fn new_event(&self, secs: i64) -> EventId {
        let event = event(self.camera, self.task, START + Duration::from_secs(secs.unsigned_abs()));
        assert_eq!(self.take(&[message(self.edge, event.clone())]).await, [(event.id, 1)]);
        event.id
    }
}

pub(super) fn camera_spec(name: &str, url: &str) -> CameraSpec {
    let (username, password) = (Some("viewer".to_owned()), Some(Secret::new("rtsp-secret")));
    CameraSpec {
        id: CameraId::new(START),
        name: name.into(),
        url: url.into(),
        username,
        password,
        transport: Transport::Tcp,
    }
}

pub(super) fn task_spec(camera: CameraId) -> TaskSpec {
    serde_json::from_value(serde_json::json!({
        "id": TaskId::new(START), "camera": camera, "algorithm": "no_helmet", "name": "南门安全帽",
    }))
    .unwrap()
}

pub(super) fn event(camera: CameraId, task: TaskId, at: Timestamp) -> Event {
    let subject = TimedBox {
        at,
        class: "head".into(),
        score: 0.8,
        bbox: BoundingBox::new(0.1, 0.2, 0.05, 0.1),
        track: Some(7),
        subject: true,
    };
    Event {
        id: EventId::new(at),
        revision: 1,
        phase: EventPhase::New,
        algorithm: Algorithm::NoHelmet,
        camera,
        task,
        generation: 3,
        model: ModelRef { name: "site-ppe".into(), version: "1".into() },
        zone: Some("塔吊".into()),
        track: Some(7),
        severity: Severity::Orange,
        started_at: at - Duration::from_secs(2),
        decided_at: at,
        ended_at: None,
        score: 0.75,
        boxes: vec![subject.clone()],
        path: vec![subject],
        why: Why { votes_for: 4, votes_needed: 3, votes_window: 5, ..Why::default() },
        evidence: vec![],
    }
}

pub(super) fn snapshot(bytes: &[u8], at: Timestamp) -> Evidence {
    Evidence {
        kind: EvidenceKind::Snapshot,
        hash: ContentHash::of(bytes),
        bytes: bytes.len() as u64,
        media_type: "image/jpeg".into(),
        starts_at: at,
        duration_ms: 0,
        width: 1280,
        height: 720,
    }
}

pub(super) fn message<T: WireBody>(edge: EdgeId, body: T) -> Message {
    let envelope = Envelope { version: wire::VERSION, id: MessageId::new(START), edge, sent_at: START, body };
    Message { topic: T::CHANNEL.topic(edge), payload: wire::encode(&envelope).unwrap().into() }
}

/// Somebody who makes requests.
#[derive(Clone)]
pub(super) struct Client {
    router: Router,
    headers: Vec<(HeaderName, String)>,
}

impl Client {
    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn without(mut self, name: &HeaderName) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Body) -> Response {
        let mut request = Request::builder().method(method).uri(path).body(body).unwrap();
        for (name, value) in &self.headers {
            request.headers_mut().insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 9], 1234))));
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A request with a JSON body and a JSON answer.
    pub(super) async fn json(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let client = self.clone().with(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let (status, _, bytes) = parts(client.send(method, path, body).await).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, value) = self.json(Method::GET, path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {value}");
        value
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.json(Method::POST, path, body).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.json(Method::PUT, path, body).await
    }

    pub(super) async fn delete(&self, path: &str) -> StatusCode {
        self.json(Method::DELETE, path, Value::Null).await.0
    }
}

/// Status, headers and the whole body.
pub(super) async fn parts(response: Response) -> (StatusCode, HeaderMap, Vec<u8>) {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
    (parts.status, parts.headers, bytes.to_vec())
}
