//! What the tests stand on: a real broker, a stand-in for the control plane, events.
#![expect(dead_code, reason = "each test file uses its part of this module")]

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use edge_agent::outbox::{EvidenceBlob, Outbox, OutboxLimits};
use protocol::{
    Algorithm, CameraId, ContentHash, EdgeHealth, EdgeId, Event, EventId, EventPhase, Evidence, EvidenceKind,
    HourlyCounts, MessageId, ModelRef, ReportedState, Severity, TaskId, Timestamp, Why,
    wire::{self, Body, Channel, Envelope, Receipt, Received},
};
use rumqttc::{AsyncClient, MqttOptions, Packet, QoS};
use runtime::{SystemClock, Tasks};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

pub(crate) const SECRET: &str = "s3cr3t-of-the-edge";

pub(crate) fn edge_id() -> EdgeId {
    "019aa9e0-0001-7000-8000-000000000001".parse().unwrap()
}

/// Waits until `done`, at most 30 s.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let wait = async {
        while !done() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("waited too long: {what}"));
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Debian's Mosquitto on a port of its own.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: TempDir,
    child: Option<Child>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more lines for its configuration.
    pub(crate) async fn start_with(extra: &str) -> Self {
        let mut broker = Self { port: free_port(), folder: TempDir::new().unwrap(), child: None };
        let passwords = broker.folder.path().join("passwords");
        for (user, password) in [(edge_id().to_string(), SECRET), ("plane".into(), "plane")] {
            let flags: &[&str] = if passwords.exists() { &["-b"] } else { &["-c", "-b"] };
            let made = Command::new("mosquitto_passwd").args(flags).arg(&passwords).args([&user, password]).status();
            assert!(made.expect("mosquitto must be installed").success());
        }
        let config = format!(
            "listener {} 127.0.0.1\nallow_anonymous false\npassword_file {}\nuser root\n{extra}",
            broker.port,
            passwords.display()
        );
        std::fs::write(broker.folder.path().join("mosquitto.conf"), config).unwrap();
        broker.restart().await;
        broker
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) async fn restart(&mut self) {
        self.kill();
        let config = self.folder.path().join("mosquitto.conf");
        let child = Command::new("/usr/sbin/mosquitto").arg("-c").arg(config).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("mosquitto must be installed"));
        let listens = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), listens).await.expect("mosquitto must start");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the control plane saw and does.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) receipts: bool,
    pub(crate) connected: bool,
    pub(crate) events: Vec<(MessageId, Received)>,
    pub(crate) health: Vec<EdgeHealth>,
    pub(crate) reported: Vec<ReportedState>,
    pub(crate) counts: Vec<HourlyCounts>,
}

/// Stands in for the control plane at the broker.
pub(crate) struct Plane {
    pub(crate) seen: Arc<Mutex<Seen>>,
    client: AsyncClient,
    tasks: Tasks,
}

impl Plane {
    pub(crate) async fn start(port: u16, receipts: bool) -> Self {
        let mut options = MqttOptions::new("plane", "127.0.0.1", port);
        options.set_credentials("plane", "plane").set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut events) = AsyncClient::new(options, 1_000);
        let seen = Arc::new(Mutex::new(Seen { receipts, ..Seen::default() }));
        let (ours, theirs, tasks) = (client.clone(), Arc::clone(&seen), Tasks::default());
        let poll = async move {
            loop {
                match events.poll().await {
                    Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => {
                        for channel in [Channel::Event, Channel::Health, Channel::Reported, Channel::Telemetry] {
                            ours.try_subscribe(channel.filter(), QoS::AtLeastOnce).unwrap();
                        }
                    }
                    Ok(rumqttc::Event::Incoming(Packet::SubAck(_))) => theirs.lock().unwrap().connected = true,
                    Ok(rumqttc::Event::Incoming(Packet::Publish(message))) => {
                        let mut seen = theirs.lock().unwrap();
                        if let Some(received) = seen.take(&message.topic, &message.payload)
                            && seen.receipts
                        {
                            send(&ours, Receipt { events: vec![received] }, false);
                        }
                    }
                    Ok(_) => {}
                    Err(_) => {
                        theirs.lock().unwrap().connected = false;
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            }
            #[expect(unreachable_code, reason = "gives the task its type")]
            Ok::<_, std::convert::Infallible>(())
        };
        tasks.spawn("plane", poll).await;
        let plane = Self { seen, client, tasks };
        plane.is_connected().await;
        plane
    }

    pub(crate) async fn is_connected(&self) {
        until("the plane is connected", || self.seen.lock().unwrap().connected).await;
    }

    pub(crate) fn send<T: Body>(&self, body: T, retained: bool) {
        send(&self.client, body, retained);
    }

    pub(crate) fn send_raw(&self, channel: Channel, bytes: &[u8], retained: bool) {
        self.client.try_publish(channel.topic(edge_id()), QoS::AtLeastOnce, retained, bytes).unwrap();
    }

    pub(crate) fn events(&self) -> Vec<Received> {
        self.seen.lock().unwrap().events.iter().map(|(_, received)| *received).collect()
    }

    pub(crate) async fn stop(self) {
        let _ = self.tasks.stop(Duration::ZERO).await;
    }
}

impl Seen {
    fn take(&mut self, topic: &str, payload: &[u8]) -> Option<Received> {
        let (edge, channel) = Channel::parse(topic).unwrap();
        match channel {
            Channel::Event => {
                let envelope = wire::decode::<Event>(edge, payload).unwrap();
                let received = Received { id: envelope.body.id, revision: envelope.body.revision };
                self.events.push((envelope.id, received));
                Some(received)
            }
            Channel::Health => {
                self.health.push(wire::decode(edge, payload).unwrap().body);
                None
            }
            Channel::Reported => {
                self.reported.push(wire::decode(edge, payload).unwrap().body);
                None
            }
            Channel::Telemetry => {
                self.counts.push(wire::decode(edge, payload).unwrap().body);
                None
            }
            Channel::Desired | Channel::Receipt => panic!("an edge must not send {channel:?}"),
        }
    }
}

fn send<T: Body>(client: &AsyncClient, body: T, retained: bool) {
    let now = Timestamp::from_secs(1);
    let envelope = Envelope { version: wire::VERSION, id: MessageId::new(now), edge: edge_id(), sent_at: now, body };
    let bytes = wire::encode(&envelope).unwrap();
    client.try_publish(T::CHANNEL.topic(edge_id()), QoS::AtLeastOnce, retained, bytes).unwrap();
}

pub(crate) async fn open_outbox(dir: &Path) -> Outbox {
    Outbox::open(dir, OutboxLimits::default(), Arc::new(SystemClock)).await.unwrap()
}

pub(crate) fn event(n: u32) -> Event {
    let at = Timestamp::from_secs(1_700_000_000);
    Event {
        id: format!("019aa9e0-0004-7000-8000-{n:012x}").parse::<EventId>().unwrap(),
        revision: 1,
        phase: EventPhase::New,
        algorithm: Algorithm::Intrusion,
        camera: CameraId::new(at),
        task: TaskId::new(at),
        generation: 1,
        model: ModelRef { name: "site-ppe".into(), version: "1".into() },
        severity: Severity::Red,
        zone: None,
        track: None,
        started_at: at,
        decided_at: at,
        ended_at: None,
        score: 0.5,
        boxes: vec![],
        path: vec![],
        why: Why::default(),
        evidence: vec![],
    }
}

pub(crate) fn blob(kind: EvidenceKind, bytes: Vec<u8>) -> EvidenceBlob {
    let evidence = Evidence {
        kind,
        hash: ContentHash::of(&bytes),
        bytes: bytes.len() as u64,
        media_type: if kind == EvidenceKind::Clip { "video/mp4" } else { "image/jpeg" }.into(),
        starts_at: Timestamp::from_secs(1_700_000_000),
        duration_ms: 0,
        width: 16,
        height: 9,
    };
    EvidenceBlob { evidence, bytes: Bytes::from(bytes) }
}
