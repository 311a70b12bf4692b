//! The link against a real broker: Debian's Mosquitto.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, time::Duration};

use edge_agent::{
    config::Broker as Address,
    link::{Link, LinkConfig, LinkEnv, LinkState},
    outbox::Outbox,
};
use protocol::{CountRow, DesiredState, EdgeHealth, HourlyCounts, ReportedState, Secret, Timestamp, wire::Channel};
use runtime::{SystemClock, Tasks};
use support::{Broker, Plane, SECRET, edge_id, event, free_port, open_outbox, until};
use tempfile::TempDir;
use tokio::sync::watch;

struct Edge {
    outbox: Outbox,
    link: Link,
    health: watch::Sender<EdgeHealth>,
    reported: watch::Sender<ReportedState>,
    tasks: Tasks,
    _folder: TempDir,
}

impl Edge {
    async fn start(port: u16, secret: &str, resend_after: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let (outbox, tasks) = (open_outbox(folder.path()).await, Tasks::default());
        let (health, health_rx) = watch::channel(EdgeHealth::default());
        let (reported, reported_rx) = watch::channel(ReportedState::default());
        let config = LinkConfig {
            edge: edge_id(),
            secret: Secret::new(secret),
            broker: Address { host: "127.0.0.1".into(), port, tls: false },
            ca_file: None,
            resend_after,
        };
        let clock = Arc::new(SystemClock);
        let env = LinkEnv { outbox: outbox.clone(), clock, health: health_rx, reported: reported_rx };
        let link = Link::start(config, env, &tasks).await.unwrap();
        Self { outbox, link, health, reported, tasks, _folder: folder }
    }

    async fn commit(&self, numbers: std::ops::Range<u32>) {
        for n in numbers {
            self.outbox.commit(&event(n), &[]).await.unwrap();
        }
    }

    async fn is(&self, what: &str, wanted: impl Fn(&LinkState) -> bool) -> LinkState {
        let mut state = self.link.state();
        let reached = tokio::time::timeout(Duration::from_secs(30), state.wait_for(wanted)).await;
        reached.unwrap_or_else(|_| panic!("the link must get {what}")).unwrap().clone()
    }

    async fn is_online(&self) {
        self.is("online", |s| *s == LinkState::Online).await;
    }

    async fn is_empty(&self) {
        until("the outbox is empty", || self.outbox.counts().events == 0).await;
    }
}

const PATIENT: Duration = Duration::from_mins(1);
const IMPATIENT: Duration = Duration::from_millis(300);

fn ids(numbers: std::ops::Range<u32>) -> Vec<protocol::EventId> {
    numbers.map(|n| event(n).id).collect()
}

#[tokio::test]
async fn events_go_in_order_in_a_bounded_window_and_leave_by_receipt() {
    let broker = Broker::start().await;
    let plane = Plane::start(broker.port, false).await;
    let edge = Edge::start(broker.port, SECRET, PATIENT).await;
    edge.is_online().await;
    edge.commit(0..100).await;
    until("the window is under way", || plane.events().len() >= 64).await;
    // Without receipts no more than the window goes, and nothing is deleted.
    tokio::time::timeout(Duration::from_millis(300), until("too many", || plane.events().len() > 64))
        .await
        .unwrap_err();
    assert_eq!(edge.outbox.counts().events, 100);

    plane.seen.lock().unwrap().receipts = true;
    let first: Vec<_> = plane.events();
    plane.send(protocol::wire::Receipt { events: first }, false);
    edge.is_empty().await;
    assert_eq!(plane.events().iter().map(|r| r.id).collect::<Vec<_>>(), ids(0..100));
    edge.tasks.stop(Duration::from_secs(5)).await.unwrap();
    plane.stop().await;
}

#[tokio::test]
async fn what_is_not_receipted_goes_again_with_the_same_message_id() {
    let broker = Broker::start().await;
    let plane = Plane::start(broker.port, false).await;
    let edge = Edge::start(broker.port, SECRET, IMPATIENT).await;
    edge.commit(0..1).await;
    until("it went twice", || plane.events().len() >= 2).await;
    plane.seen.lock().unwrap().receipts = true;
    edge.is_empty().await;
    let seen = plane.seen.lock().unwrap();
    assert!(seen.events.iter().all(|e| *e == seen.events[0]), "{:?}", seen.events);
}

#[tokio::test]
async fn a_killed_broker_loses_nothing() {
    let mut broker = Broker::start().await;
    let plane = Plane::start(broker.port, true).await;
    let edge = Edge::start(broker.port, SECRET, IMPATIENT).await;
    edge.is_online().await;
    for round in 0..3 {
        edge.commit(round * 20..round * 20 + 10).await;
        broker.kill();
        edge.commit(round * 20 + 10..round * 20 + 20).await;
        let offline = edge.is("offline", |s| *s != LinkState::Online).await;
        let LinkState::Unreachable { detail } = offline else { panic!("{offline:?}") };
        assert!(detail.contains(&format!("127.0.0.1:{}", broker.port)), "{detail}");
        broker.restart().await;
        plane.is_connected().await;
        edge.is_online().await;
        edge.is_empty().await;
    }
    let mut got: Vec<_> = plane.events().iter().map(|r| r.id).collect();
    got.sort_unstable();
    got.dedup();
    assert_eq!(got, ids(0..60));
}

#[tokio::test]
async fn an_unreachable_broker_is_tried_again_from_the_first_failure_on() {
    let port = free_port();
    let edge = Edge::start(port, SECRET, IMPATIENT).await;
    edge.commit(0..3).await;
    let state = edge.is("unreachable", |s| matches!(s, LinkState::Unreachable { .. })).await;
    let LinkState::Unreachable { detail } = state else { unreachable!() };
    assert!(detail.starts_with(&format!("the broker 127.0.0.1:{port} cannot be reached: ")), "{detail}");
    assert_eq!(edge.outbox.counts().events, 3);
    // Stopping does not wait for a broker that is away.
    let started = std::time::Instant::now();
    edge.tasks.stop(Duration::from_secs(5)).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_wrong_secret_is_a_state_of_its_own() {
    let broker = Broker::start().await;
    let edge = Edge::start(broker.port, "wr0ng", IMPATIENT).await;
    edge.commit(0..3).await;
    let state = edge.is("refused", |s| matches!(s, LinkState::Unauthorised { .. })).await;
    let LinkState::Unauthorised { detail } = state else { unreachable!() };
    let expect = format!("the broker 127.0.0.1:{} refuses this edge; check `edge` and `secret`", broker.port);
    assert_eq!(detail, expect);
    edge.commit(3..6).await;
    assert_eq!(edge.outbox.counts().events, 6);
}

#[tokio::test]
async fn desired_state_comes_and_a_bad_one_is_named() {
    let broker = Broker::start().await;
    let plane = Plane::start(broker.port, true).await;
    plane.send(DesiredState { generation: 4, ..DesiredState::default() }, true);
    let edge = Edge::start(broker.port, SECRET, PATIENT).await;
    let mut wanted = edge.link.wanted();
    wanted.wait_for(|w| w.state.as_ref().is_some_and(|s| s.generation == 4)).await.unwrap();
    plane.send_raw(Channel::Desired, br#"{"version":2}"#, true);
    let problem = wanted.wait_for(|w| w.problem.is_some()).await.unwrap().clone();
    assert_eq!(problem.problem.unwrap(), "message version 2 is not known here (this side speaks 1)");
    assert_eq!(problem.state.unwrap().generation, 4);
    plane.send(DesiredState { generation: 5, ..DesiredState::default() }, true);
    wanted.wait_for(|w| w.problem.is_none() && w.state.as_ref().unwrap().generation == 5).await.unwrap();
}

#[tokio::test]
async fn facts_go_up_at_each_change_and_the_edge_says_goodbye() {
    let broker = Broker::start().await;
    let plane = Plane::start(broker.port, true).await;
    let edge = Edge::start(broker.port, SECRET, PATIENT).await;
    edge.is_online().await;
    let seen = || plane.seen.lock().unwrap();
    until("the first facts", || !seen().health.is_empty() && !seen().reported.is_empty()).await;
    edge.health.send_modify(|h| h.uptime_secs = 77);
    edge.reported.send_modify(|r| r.generation = 7);
    until("new facts", || {
        let seen = seen();
        seen.health.iter().any(|h| h.online && h.uptime_secs == 77) && seen.reported.iter().any(|r| r.generation == 7)
    })
    .await;
    edge.tasks.stop(Duration::from_secs(5)).await.unwrap();
    until("goodbye", || seen().health.last().is_some_and(|h| !h.online && h.uptime_secs == 77)).await;
    // Retained: whoever comes later knows too.
    let late = Plane::start(broker.port, true).await;
    until("the retained goodbye", || late.seen.lock().unwrap().health.last().is_some_and(|h| !h.online)).await;
}

#[tokio::test]
async fn an_edge_that_dies_leaves_a_will() {
    let broker = Broker::start().await;
    let plane = Plane::start(broker.port, true).await;
    let edge = Edge::start(broker.port, SECRET, PATIENT).await;
    until("online", || plane.seen.lock().unwrap().health.last().is_some_and(|h| h.online)).await;
    let _ = edge.tasks.stop(Duration::ZERO).await;
    until("the will", || plane.seen.lock().unwrap().health.last().is_some_and(|h| !h.online)).await;
}

#[tokio::test]
async fn hourly_counts_go_up() {
    let broker = Broker::start().await;
    let plane = Plane::start(broker.port, true).await;
    let edge = Edge::start(broker.port, SECRET, Duration::from_secs(15)).await;
    edge.is_online().await;
    let now = runtime::Clock::now(&SystemClock).as_micros();
    let counts = HourlyCounts {
        hour_start: Timestamp::from_micros(now - now.rem_euclid(3_600_000_000)),
        camera: event(1).camera,
        analysed_secs: 3_600,
        rows: vec![CountRow { kind: "person".into(), entered: 1, left: 2, seen: 3 }],
    };
    edge.outbox.commit_counts(&counts).await.unwrap();
    let seen = || plane.seen.lock().unwrap().counts.clone();
    until("the counts arrive", || seen() == [counts.clone()]).await;
    let sent =
        async { edge.outbox.counts_after(0, Timestamp::from_micros(now) + Duration::from_hours(1), 10).await.unwrap() };
    assert!(sent.await.is_empty(), "they need not go again soon");
    edge.tasks.stop(Duration::from_secs(5)).await.unwrap();
    plane.stop().await;
}
