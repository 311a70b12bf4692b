//! How fast a full outbox reaches the store, against how fast it can be filled.
//!
//! The broker and the control plane are processes of their own, as in an installation; the link is the edge's.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use edge_agent::{
    EdgeConfig,
    link::{Link, LinkConfig, LinkEnv},
    outbox::{Outbox, OutboxLimits},
};
use protocol::{
    Algorithm, BoundingBox, CameraId, CameraSpec, EdgeHealth, Event, EventId, EventPhase, ModelRef, ReportedState,
    Severity, TaskId, TimedBox, Timestamp, Transport, Why,
};
use runtime::{Clock as _, SystemClock, Tasks};
use standalone::{
    config::Config,
    demo,
    secrets::{EdgeCredential, Secrets},
};
use tests::{Process, eventually, free_address, program};
use tokio::sync::watch;

const EVENTS: u32 = 3000;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config {
        data_dir: folder.path().join("data"),
        listen: free_address()?,
        mqtt_listen: free_address()?,
        ..Config::default()
    };
    let (edge, camera, task) = install(&config).await?;

    let clock = Arc::new(SystemClock);
    let outbox = Outbox::open(&folder.path().join("outbox"), OutboxLimits::default(), clock.clone()).await?;
    let started = Instant::now();
    for _ in 0..EVENTS {
        outbox.commit(&event(camera, task, clock.now()), &[]).await?;
    }
    let filled = started.elapsed();

    let log = folder.path().join("log");
    let _broker = start(&config, "broker", &log)?;
    let _plane = start(&config, "plane", &log)?;
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    for address in [config.listen, config.mqtt_listen] {
        eventually("broker and control plane", Duration::from_secs(30), || async move { Ok(answers(address).await) })
            .await
            .with_context(told)?;
    }

    let tasks = Tasks::default();
    let (_health, health) = watch::channel(EdgeHealth::default());
    let (_reported, reported) = watch::channel(ReportedState::default());
    let edge_config = EdgeConfig { mqtt_url: format!("mqtt://{}", config.mqtt_listen), ..EdgeConfig::example() };
    let link = LinkConfig {
        edge: edge.id,
        secret: edge.secret,
        broker: edge_config.broker()?,
        ca_file: None,
        resend_after: Duration::from_secs(15),
    };
    let mut changed = outbox.changed();
    let started = Instant::now();
    let _link = Link::start(link, LinkEnv { outbox, clock, health, reported }, &tasks).await?;
    tokio::time::timeout(Duration::from_mins(2), changed.wait_for(|counts| counts.events == 0))
        .await
        .context("the outbox was not empty after two minutes")
        .with_context(told)??;
    let delivered = started.elapsed();
    tasks.stop(Duration::from_secs(5)).await?;

    let rate = |time: Duration| f64::from(EVENTS) / time.as_secs_f64();
    let (filled, delivered) = (rate(filled), rate(delivered));
    let mut out = std::io::stdout();
    writeln!(out, "{EVENTS} events, one commit to disk each")?;
    writeln!(out, "rule -> outbox      {filled:>10.0} events/s")?;
    writeln!(out, "outbox -> store     {delivered:>10.0} events/s")?;
    writeln!(out, "ratio               {:>10.2}", delivered / filled)?;
    Ok(())
}

async fn install(config: &Config) -> Result<(EdgeCredential, CameraId, TaskId)> {
    let clock = SystemClock;
    std::fs::create_dir_all(config.data_dir.join("plane"))?;
    let db = control_plane::open_database(&config.database(), &clock).await?;
    let outcome = control_plane::bootstrap(&db, &clock, &control_plane::Bootstrap::default()).await?;
    let secret = outcome.edge_secret.context("a new installation has an edge")?;
    let camera = CameraSpec {
        id: CameraId::new(clock.now()),
        name: "pit".into(),
        url: "rtsp://192.0.2.1/live".into(),
        username: None,
        password: None,
        transport: Transport::Tcp,
    };
    control_plane::ensure_camera(&db, &clock, outcome.edge, &camera).await?;
    let task = demo::tasks(&camera).into_iter().nth(1).context("the demo has an intrusion task")?;
    control_plane::ensure_task(&db, &clock, &task).await?;
    db.close().await;
    let edge = EdgeCredential { id: outcome.edge, secret };
    let path = config.data_dir.join("secrets.json");
    Secrets { edge: Some(edge.clone()), ..Secrets::load_or_create(&path)? }.save(&path)?;
    Ok((edge, camera.id, task.id))
}

fn start(config: &Config, role: &str, log: &Path) -> Result<Process> {
    let mut command = Command::new(program("gongshao")?);
    command.args([role, "--no-demo", "--data-dir"]).arg(&config.data_dir);
    command.args(["--listen", &config.listen.to_string(), "--mqtt-listen", &config.mqtt_listen.to_string()]);
    Process::start(command, log)
}

async fn answers(address: SocketAddr) -> Option<()> {
    tokio::net::TcpStream::connect(address).await.ok().map(drop)
}

fn event(camera: CameraId, task: TaskId, now: Timestamp) -> Event {
    let bbox = BoundingBox::new(0.4, 0.4, 0.1, 0.3);
    Event {
        id: EventId::new(now),
        revision: 1,
        phase: EventPhase::New,
        algorithm: Algorithm::Intrusion,
        camera,
        task,
        generation: 1,
        model: ModelRef { name: "none".into(), version: "0".into() },
        zone: Some("pit".into()),
        track: Some(1),
        severity: Severity::Red,
        started_at: now - Duration::from_secs(1),
        decided_at: now,
        ended_at: None,
        score: 0.8,
        boxes: vec![TimedBox { at: now, class: "person".into(), score: 0.8, bbox, track: Some(1), subject: true }],
        path: Vec::new(),
        why: Why {
            votes_for: 3,
            votes_needed: 3,
            votes_window: 5,
            lasted_secs: 1.0,
            dwell_secs: 1.0,
            ..Why::default()
        },
        evidence: Vec::new(),
    }
}
