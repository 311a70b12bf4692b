//! The running control plane with a real broker (Debian's mosquitto): desired state goes down, events come up,
//! receipts go back, and a broker that forgot everything is told again.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    path::Path,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use control_plane::{
    Bootstrap, PlaneConfig, PlaneEnvironment, bootstrap, ensure_camera, ensure_task, open_database, run,
};
use protocol::{
    CameraId, CameraSpec, DesiredState, EdgeId, Event, EventId, MessageId, Secret, TaskId, TaskSpec,
    viewer_token::ViewerKey,
    wire::{self, Body, Channel, Envelope, Receipt, Received},
};
use rumqttc::{AsyncClient, EventLoop, Incoming, MqttOptions, QoS};
use runtime::{CancellationToken, Clock, SystemClock, Tasks};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_mins(1);

fn mosquitto(folder: &Path, port: u16) -> Option<Child> {
    let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].into_iter().find(|p| Path::new(p).is_file())?;
    let config = folder.join("mosquitto.conf");
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n");
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Some(command.spawn().unwrap())
}

/// An edge that only speaks the wire.
struct Edge {
    id: EdgeId,
    port: u16,
    client: AsyncClient,
    connection: EventLoop,
}

impl Edge {
    fn connect(id: EdgeId, port: u16) -> Self {
        let mut options = MqttOptions::new(id.to_string(), "127.0.0.1", port);
        options.set_max_packet_size(1_000_000, 1_000_000);
        let (client, connection) = AsyncClient::new(options, 100);
        for channel in [Channel::Desired, Channel::Receipt] {
            client.try_subscribe(channel.topic(id), QoS::AtLeastOnce).unwrap();
        }
        Self { id, port, client, connection }
    }

    fn send<T: Body>(&self, body: T) {
        let now = SystemClock.now();
        let envelope = Envelope { version: wire::VERSION, id: MessageId::new(now), edge: self.id, sent_at: now, body };
        let bytes = wire::encode(&envelope).unwrap();
        self.client.try_publish(T::CHANNEL.topic(self.id), QoS::AtLeastOnce, false, bytes).unwrap();
    }

    /// The next message of a kind.
    async fn next<T: Body>(&mut self) -> T {
        let topic = T::CHANNEL.topic(self.id);
        timeout(PATIENCE, async {
            loop {
                match self.connection.poll().await {
                    Ok(rumqttc::Event::Incoming(Incoming::Publish(p))) if p.topic == topic => {
                        return wire::decode::<T>(self.id, &p.payload).unwrap().body;
                    }
                    Ok(_) => {}
                    // The broker is not up yet.
                    Err(_) => {
                        *self = Self::connect(self.id, self.port);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        })
        .await
        .expect("the message came in time")
    }

    /// Sends until the receipt comes, as an edge does.
    async fn deliver(&mut self, event: &Event) {
        let expect = Received { id: event.id, revision: event.revision };
        timeout(PATIENCE, async {
            loop {
                self.send(event.clone());
                let got = timeout(Duration::from_secs(2), self.next::<Receipt>()).await;
                if got.is_ok_and(|receipt| receipt.events.contains(&expect)) {
                    return;
                }
            }
        })
        .await
        .expect("the receipt came in time");
    }
}

async fn ready(address: SocketAddr) -> (bool, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    (text.starts_with("HTTP/1.1 200"), text)
}

async fn until_ready(address: SocketAddr, expect: bool) -> String {
    timeout(PATIENCE, async {
        loop {
            let (is_ready, text) = ready(address).await;
            if is_ready == expect {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("readiness changed in time")
}

fn event(camera: CameraId, task: TaskId) -> Event {
    let now = SystemClock.now();
    serde_json::from_value(serde_json::json!({
        "id": EventId::new(now), "revision": 1, "phase": "new", "algorithm": "no_helmet", "camera": camera,
        "task": task, "generation": 1, "model": {"name": "m", "version": "1"}, "severity": "red",
        "started_at": now, "decided_at": now, "score": 0.5, "boxes": [], "evidence": [],
        "why": {"votes_for": 3, "votes_against": 0, "votes_needed": 3, "votes_window": 5, "lasted_secs": 2.0, "dwell_secs": 2.0},
    }))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_works_and_survives_the_broker() {
    let folder = tempfile::tempdir().unwrap();
    let broker_port = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let clock = SystemClock;
    let database_url = Secret::new(format!("sqlite:{}/plane.db", folder.path().display()));
    let db = open_database(&database_url, &clock).await.unwrap();
    let first = bootstrap(&db, &clock, &Bootstrap::default()).await.unwrap();
    let camera: CameraSpec = serde_json::from_value(serde_json::json!({
        "id": CameraId::new(clock.now()), "name": "gate", "url": "rtsp://127.0.0.1:8554/gate",
    }))
    .unwrap();
    let task: TaskSpec = serde_json::from_value(serde_json::json!({
        "id": TaskId::new(clock.now()), "camera": camera.id, "algorithm": "no_helmet", "name": "helmets",
    }))
    .unwrap();
    ensure_camera(&db, &clock, first.edge, &camera).await.unwrap();
    ensure_task(&db, &clock, &task).await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = PlaneConfig {
        mqtt_url: format!("mqtt://127.0.0.1:{broker_port}"),
        mqtt_username: "plane".into(),
        mqtt_password: Secret::new("secret"),
        data_dir: folder.path().to_owned(),
        console_dir: None,
        database_url,
        allow_loopback_cameras: true,
        max_evidence_bytes: 1_000,
    };
    let viewer_key = ViewerKey::new(*b"0123456789abcdef0123456789abcdef");
    let env = PlaneEnvironment { clock: Arc::new(clock), listener, db: db.clone(), viewer_key, extra: None };
    let stop = CancellationToken::new();
    let tasks = Tasks::under(&stop);
    tasks.spawn("plane", run(config, env, stop.clone())).await;

    // Without a broker everything else works.
    let text = until_ready(address, false).await;
    assert!(text.contains("MQTT broker"), "{text}");
    let Some(mut broker) = mosquitto(folder.path(), broker_port) else {
        eprintln!("mosquitto is not installed: the link is not tested");
        return;
    };
    until_ready(address, true).await;

    let mut edge = Edge::connect(first.edge, broker_port);
    let desired: DesiredState = edge.next().await;
    assert_eq!(
        (desired.cameras.as_slice(), desired.tasks.as_slice()),
        ([camera.clone()].as_slice(), [task.clone()].as_slice())
    );
    let one = event(camera.id, task.id);
    edge.deliver(&one).await;
    edge.deliver(&one).await;

    // A change goes down at once.
    let moved = CameraSpec { url: "rtsp://127.0.0.1:8554/moved".into(), ..camera.clone() };
    ensure_camera(&db, &clock, first.edge, &moved).await.unwrap();
    let newer: DesiredState = edge.next().await;
    assert_eq!((newer.generation, newer.cameras[0].url.as_str()), (desired.generation + 1, moved.url.as_str()));

    // The broker dies and forgets its retained messages.
    broker.kill().await.unwrap();
    until_ready(address, false).await;
    let _broker = mosquitto(folder.path(), broker_port);
    until_ready(address, true).await;
    let mut edge = Edge::connect(first.edge, broker_port);
    let again: DesiredState = edge.next().await;
    assert_eq!(again, newer);
    edge.deliver(&one).await;
    edge.deliver(&event(camera.id, task.id)).await;

    let before = clock.now();
    stop.cancel();
    tasks.stop(Duration::from_secs(10)).await.unwrap();
    assert!(clock.now().since(before) < Duration::from_secs(5), "it stops soon");
}
