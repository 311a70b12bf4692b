//! What the outbox carries from one run to the next: open events and hourly counts.

use std::{sync::Arc, time::Duration};

use protocol::{
    Algorithm, CameraId, CountRow, Event, EventId, EventPhase, HourlyCounts, ModelRef, Severity, TaskId, Timestamp,
    Why,
    wire::{Receipt, Received},
};
use runtime::ManualClock;

use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_700_006_400);
const HOUR: Duration = Duration::from_hours(1);

fn event(revision: u32, phase: EventPhase) -> Event {
    Event {
        id: "0190b5a0-0000-7000-8000-000000000001".parse::<EventId>().unwrap(),
        revision,
        phase,
        algorithm: Algorithm::Intrusion,
        camera: CameraId::new(NOON),
        task: TaskId::new(NOON),
        generation: 1,
        model: ModelRef { name: "site-ppe".into(), version: "1".into() },
        severity: Severity::Red,
        zone: None,
        track: None,
        started_at: NOON,
        decided_at: NOON,
        ended_at: None,
        score: 0.5,
        boxes: vec![],
        path: vec![],
        why: Why::default(),
        evidence: vec![],
    }
}

async fn open(folder: &Path, clock: &Arc<ManualClock>) -> Outbox {
    Outbox::open(folder, OutboxLimits::default(), Arc::clone(clock) as Arc<dyn Clock>).await.unwrap()
}

#[tokio::test]
async fn an_event_is_open_until_its_end_whatever_was_received() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let outbox = open(folder.path(), &clock).await;
    outbox.commit(&event(1, EventPhase::New), &[]).await.unwrap();
    outbox.commit(&event(2, EventPhase::Update), &[]).await.unwrap();
    let received = |revision| Received { id: event(1, EventPhase::New).id, revision };
    outbox.receive(&Receipt { events: vec![received(1), received(2)] }).await.unwrap();
    clock.advance(HOUR);
    outbox.still_open().await.unwrap();
    drop(outbox);

    let outbox = open(folder.path(), &clock).await;
    assert_eq!(outbox.counts().events, 0);
    let open_events = outbox.open_events().await.unwrap();
    let [(open_event, seen_at)] = &open_events[..] else { panic!("one open event, got {open_events:?}") };
    assert_eq!((open_event.id, open_event.revision, *seen_at), (received(2).id, 2, NOON + HOUR));
    outbox.commit(&event(1, EventPhase::New), &[]).await.unwrap();
    outbox.commit(&event(3, EventPhase::End), &[]).await.unwrap();
    assert!(outbox.open_events().await.unwrap().is_empty());
}

#[tokio::test]
async fn counts_of_an_hour_are_replaced_and_go_again_while_they_are_new() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let outbox = open(folder.path(), &clock).await;
    let counts = |hours: u32, seen: u32| HourlyCounts {
        hour_start: NOON + HOUR * hours,
        camera: CameraId::from_uuid(event(1, EventPhase::New).id.as_uuid()),
        analysed_secs: 3_600,
        rows: vec![CountRow { kind: "person".into(), entered: 0, left: 0, seen }],
    };
    outbox.commit_counts(&counts(0, 1)).await.unwrap();
    outbox.commit_counts(&counts(1, 2)).await.unwrap();
    outbox.commit_counts(&counts(0, 3)).await.unwrap();
    let due = |after, recent| {
        let outbox = outbox.clone();
        async move { outbox.counts_after(after, recent, 10).await.unwrap() }
    };
    let bodies = |due: Vec<(i64, HourlyCounts)>| due.into_iter().map(|(_, counts)| counts).collect::<Vec<_>>();
    let first = due(0, NOON + HOUR * 30).await;
    assert_eq!(bodies(first.clone()), [counts(1, 2), counts(0, 3)]);
    for (seq, _) in &first {
        outbox.counts_sent(*seq).await.unwrap();
    }
    assert_eq!(bodies(due(0, NOON + HOUR).await), [counts(1, 2)], "sent, but of a recent hour");
    assert_eq!(bodies(due(first[1].0, NOON).await), []);
    clock.advance(HOUR * 24 * 10);
    outbox.commit_counts(&counts(240, 4)).await.unwrap();
    assert_eq!(bodies(due(0, NOON).await), [counts(240, 4)], "what is old is gone");
}
