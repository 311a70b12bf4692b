//! An edge without video: commits made-up events to a real outbox at a steady rate and sends them over the
//! real link. The kill tests use it, because a killed edge must be a real process.
//!
//! `event-pump DIR MQTT_URL EDGE SECRET CAMERA TASK EVENTS_PER_SECOND`; at 0 events per second it only delivers.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use edge_agent::{
    EdgeConfig,
    link::{Link, LinkConfig, LinkEnv},
    outbox::{Outbox, OutboxLimits},
};
use protocol::{
    Algorithm, BoundingBox, CameraId, EdgeHealth, Event, EventId, EventPhase, ModelRef, ReportedState, Secret,
    Severity, TaskId, TimedBox, Timestamp, Why,
};
use runtime::{Clock as _, SystemClock, Tasks};
use tokio::{sync::watch, time};

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    ensure!(args.len() == 7, "usage: event-pump DIR MQTT_URL EDGE SECRET CAMERA TASK EVENTS_PER_SECOND");
    let clock = Arc::new(SystemClock);
    let outbox = Outbox::open(Path::new(&args[0]), OutboxLimits::default(), clock.clone()).await?;
    let config = EdgeConfig { mqtt_url: args[1].clone(), ..EdgeConfig::example() };
    let link_config = LinkConfig {
        edge: args[2].parse()?,
        secret: Secret::new(&args[3]),
        broker: config.broker()?,
        ca_file: None,
        resend_after: Duration::from_secs(2),
    };
    let (camera, task): (CameraId, TaskId) = (args[4].parse()?, args[5].parse()?);
    let rate: f64 = args[6].parse().context("events per second")?;

    let (_health, health) = watch::channel(EdgeHealth::default());
    let (_reported, reported) = watch::channel(ReportedState::default());
    let tasks = Tasks::default();
    let env = LinkEnv { outbox: outbox.clone(), clock: clock.clone(), health, reported };
    let _link = Link::start(link_config, env, &tasks).await?;

    if rate > 0.0 {
        let mut tick = time::interval(Duration::from_secs_f64(1.0 / rate));
        let mut open: Option<Event> = None;
        loop {
            tick.tick().await;
            // Each event lives through three revisions, like a real one.
            let next = following(open.take(), camera, task, clock.now());
            outbox.commit(&next, &[]).await?;
            open = (next.phase != EventPhase::End).then_some(next);
        }
    }
    tasks.token().cancelled().await;
    Ok(())
}

fn following(event: Option<Event>, camera: CameraId, task: TaskId, now: Timestamp) -> Event {
    match event {
        None => fresh(camera, task, now),
        Some(e) if e.phase == EventPhase::New => Event { revision: e.revision + 1, phase: EventPhase::Update, ..e },
        Some(e) => Event { revision: e.revision + 1, phase: EventPhase::End, ended_at: Some(now), ..e },
    }
}

fn fresh(camera: CameraId, task: TaskId, now: Timestamp) -> Event {
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
