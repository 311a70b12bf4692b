//! The outbox against a model of it, and the ways it can fail.

use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::{Algorithm, CameraId, EventId, EventPhase, ModelRef, Severity, TaskId, Timestamp, Why, wire::Received};
use runtime::ManualClock;
use tempfile::TempDir;

use super::*;

const ROOMY: OutboxLimits = OutboxLimits { max_evidence_bytes: 1 << 30, max_events: 1_000 };

fn event_id(n: u8) -> EventId {
    format!("0190b5a0-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
}

fn event(n: u8, revision: u32, evidence: &[EvidenceBlob]) -> Event {
    let at = Timestamp::from_secs(1_700_000_000);
    Event {
        id: event_id(n),
        revision,
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
        evidence: evidence.iter().map(|b| b.evidence.clone()).collect(),
    }
}

fn blob(kind: EvidenceKind, content: &[u8]) -> EvidenceBlob {
    let evidence = Evidence {
        kind,
        hash: ContentHash::of(content),
        bytes: content.len() as u64,
        media_type: "image/jpeg".into(),
        starts_at: Timestamp::from_secs(1),
        duration_ms: 0,
        width: 16,
        height: 9,
    };
    EvidenceBlob { evidence, bytes: Bytes::copy_from_slice(content) }
}

fn snapshot(content: &[u8]) -> EvidenceBlob {
    blob(EvidenceKind::Snapshot, content)
}

async fn open(dir: &Path, limits: OutboxLimits) -> Outbox {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_700_000_000)));
    Outbox::open(dir, limits, clock).await.unwrap()
}

fn receipt(n: u8, revision: u32) -> Receipt {
    Receipt { events: vec![Received { id: event_id(n), revision }] }
}

async fn queued(outbox: &Outbox) -> Vec<(EventId, u32)> {
    outbox.next_events(1_000).await.unwrap().iter().map(|e| (e.id, e.revision)).collect()
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir.join("evidence"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn keeps_until_received() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    let picture = snapshot(b"picture");
    let first = event(1, 1, std::slice::from_ref(&picture));
    outbox.commit(&first, std::slice::from_ref(&picture)).await.unwrap();
    outbox.commit(&first, std::slice::from_ref(&picture)).await.unwrap();
    outbox.commit(&event(1, 2, &[]), &[]).await.unwrap();
    assert_eq!(outbox.next_events(1).await.unwrap(), [first]);
    assert_eq!(queued(&outbox).await, [(event_id(1), 1), (event_id(1), 2)]);
    drop(outbox);

    let outbox = open(dir.path(), ROOMY).await;
    let mut changed = outbox.changed();
    assert_eq!((outbox.counts().events, outbox.counts().evidence_bytes), (2, 7));
    assert_eq!(outbox.receive(&receipt(1, 1)).await.unwrap(), 1);
    assert_eq!(outbox.receive(&receipt(1, 1)).await.unwrap(), 0);
    assert!(changed.has_changed().unwrap());
    assert_eq!(changed.borrow_and_update().events, 1);
    assert_eq!(queued(&outbox).await, [(event_id(1), 2)]);
    // Evidence stays for its own way up.
    let waiting = outbox.next_evidence(&HashSet::new()).await.unwrap().unwrap();
    assert_eq!(std::fs::read(&waiting.path).unwrap(), b"picture");
    outbox.evidence_uploaded(&waiting.hash).await.unwrap();
    assert_eq!((files(dir.path()), outbox.counts().evidence_files), (vec![], 0));
}

#[tokio::test]
async fn a_message_keeps_its_id_and_place() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    for n in 1..=3 {
        outbox.commit(&event(n, 1, &[]), &[]).await.unwrap();
    }
    let all = outbox.events_after(0, 10).await.unwrap();
    assert_eq!(outbox.events_after(all[0].seq, 1).await.unwrap(), all[1..2]);
    assert_eq!(outbox.event_at(all[2].seq).await.unwrap().as_ref(), Some(&all[2]));
    outbox.receive(&receipt(2, 1)).await.unwrap();
    assert_eq!(outbox.event_at(all[1].seq).await.unwrap(), None);
}

#[tokio::test]
async fn snapshots_go_before_clips() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    let blobs = [blob(EvidenceKind::Clip, b"clip"), snapshot(b"one"), snapshot(b"two")];
    outbox.commit(&event(1, 1, &blobs), &blobs).await.unwrap();
    let (mut order, mut seen) = (vec![], HashSet::new());
    while let Some(next) = outbox.next_evidence(&seen).await.unwrap() {
        order.push(std::fs::read(&next.path).unwrap());
        seen.insert(next.hash);
    }
    assert_eq!(order, [&b"one"[..], b"two", b"clip"]);
}

#[tokio::test]
async fn oldest_evidence_goes_first_and_events_last() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), OutboxLimits { max_evidence_bytes: 10, max_events: 3 }).await;
    for n in 1..=3 {
        let picture = snapshot(&[n; 4]);
        outbox.commit(&event(n, 1, &[]), &[picture]).await.unwrap();
    }
    let counts = outbox.counts();
    assert_eq!((counts.events, counts.evidence_bytes, counts.dropped_evidence), (3, 8, 1));
    assert!(!files(dir.path()).contains(&ContentHash::of(&[1; 4]).to_string()));
    // Larger than all the room there is: the event stays, the picture goes.
    outbox.commit(&event(4, 1, &[]), &[snapshot(&[9; 11])]).await.unwrap();
    let counts = outbox.counts();
    assert_eq!((counts.events, counts.evidence_bytes, counts.dropped_evidence), (3, 0, 4));
    assert_eq!(counts.dropped_events, 1);
    assert_eq!(queued(&outbox).await, [2, 3, 4].map(|n| (event_id(n), 1)));
    // A dropped piece that comes again is new.
    outbox.commit(&event(4, 2, &[]), &[snapshot(&[1; 4])]).await.unwrap();
    assert_eq!(files(dir.path()).len(), 1);
}

#[tokio::test]
async fn repairs_what_a_crash_left() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    let (kept, lost) = (snapshot(b"kept"), snapshot(b"lost"));
    outbox.commit(&event(1, 1, &[]), &[kept.clone(), lost.clone()]).await.unwrap();
    drop(outbox);
    let evidence = dir.path().join("evidence");
    std::fs::remove_file(evidence.join(lost.evidence.hash.as_str())).unwrap();
    std::fs::write(evidence.join(ContentHash::of(b"orphan").as_str()), b"orphan").unwrap();
    std::fs::write(evidence.join("half.tmp"), b"ha").unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    assert_eq!(files(dir.path()), [kept.evidence.hash.to_string()]);
    let counts = outbox.counts();
    assert_eq!((counts.events, counts.evidence_files, counts.dropped_evidence), (1, 1, 1));
}

#[tokio::test]
async fn a_damaged_database_is_put_aside() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("evidence")).unwrap();
    std::fs::write(dir.path().join("outbox.db"), [7; 8192]).unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    let aside = outbox.set_aside().unwrap();
    assert!(aside.join("outbox.db").exists() && aside.join("evidence").exists());
    outbox.commit(&event(2, 1, &[]), &[]).await.unwrap();
    assert_eq!(queued(&outbox).await, [(event_id(2), 1)]);
}

#[tokio::test]
async fn an_unreadable_row_does_not_block_the_others() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    for n in 1..=2 {
        outbox.commit(&event(n, 1, &[]), &[]).await.unwrap();
    }
    let mut store = outbox.0.store.lock().await;
    sqlx::raw_sql("update event set body = '{' where revision = 1 and id like '%01'")
        .execute(store.connection())
        .await
        .unwrap();
    drop(store);
    assert_eq!(queued(&outbox).await, [(event_id(2), 1)]);
    assert_eq!((outbox.counts().events, outbox.counts().unreadable_events), (1, 1));
}

#[tokio::test]
async fn refuses_a_newer_layout_and_bad_input() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    let mut wrong = snapshot(b"12345");
    wrong.evidence.bytes = 4;
    let error = outbox.commit(&event(1, 1, &[]), &[wrong]).await.unwrap_err();
    assert!(matches!(error, OutboxError::EvidenceSize { stated: 4, got: 5, .. }), "{error}");
    let mut large = event(1, 1, &[]);
    large.zone = Some("x".repeat(wire::MAX_MESSAGE_BYTES));
    let error = outbox.commit(&large, &[]).await.unwrap_err();
    assert!(matches!(error, OutboxError::EventTooLarge { .. }), "{error}");
    assert_eq!(outbox.counts(), OutboxCounts::default());
    sqlx::raw_sql("pragma user_version = 2").execute(outbox.0.store.lock().await.connection()).await.unwrap();
    drop(outbox);
    let error = Outbox::open(dir.path(), ROOMY, Arc::new(ManualClock::default())).await.unwrap_err();
    assert!(error.to_string().contains("newer version of the agent (layout 2); update this agent"), "{error}");
}

/// Lets the database have no page more than it has, which is how a full disk looks to it.
async fn fill_disk(outbox: &Outbox, full: bool) {
    let mut store = outbox.0.store.lock().await;
    let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(store.connection()).await.unwrap();
    let sql = if full { format!("pragma max_page_count = {pages}") } else { "pragma max_page_count = 100000".into() };
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(store.connection()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_says_what_to_do_and_passes() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    let mut long = event(1, 1, &[]);
    long.zone = Some("z".repeat(100_000));
    outbox.commit(&event(2, 1, &[]), &[snapshot(b"old")]).await.unwrap();
    fill_disk(&outbox, true).await;
    let error = outbox.commit(&long, &[snapshot(b"new")]).await.unwrap_err();
    assert!(matches!(error, OutboxError::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().ends_with("is full; free space there or lower outbox.max_evidence_bytes"), "{error}");
    // Old evidence was given up to make room, the new left no trace, and the older event is still there.
    assert_eq!((files(dir.path()), queued(&outbox).await), (vec![], vec![(event_id(2), 1)]));
    assert_eq!((outbox.counts().dropped_evidence, outbox.counts().events), (1, 1));

    fill_disk(&outbox, false).await;
    outbox.commit(&long, &[snapshot(b"new")]).await.unwrap();
    assert_eq!((files(dir.path()).len(), outbox.counts().events), (1, 2));
}

#[tokio::test]
async fn a_commit_that_is_given_up_happened_or_not() {
    let dir = TempDir::new().unwrap();
    let outbox = open(dir.path(), ROOMY).await;
    for n in 0..40 {
        let (event, picture) = (event(n, 1, &[]), snapshot(&[n; 100]));
        let patience = std::time::Duration::from_micros(u64::from(n) * 100);
        let _ = tokio::time::timeout(patience, outbox.commit(&event, &[picture])).await;
        let counts = outbox.0.store.lock().await.counts().await.unwrap();
        assert_eq!((queued(&outbox).await.len() as u64, counts.evidence_files), (counts.events, counts.events));
    }
    let before = queued(&outbox).await;
    drop(outbox);
    let outbox = open(dir.path(), ROOMY).await;
    assert_eq!((queued(&outbox).await, files(dir.path()).len()), (before.clone(), before.len()));
}

#[derive(Clone, Debug)]
enum Step {
    Commit { event: u8, revision: u32, evidence: Vec<u8> },
    Receive { event: u8, revision: u32 },
    Upload,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    let commit = (0..6u8, 1..3u32, prop::collection::vec(0..8u8, 0..3))
        .prop_map(|(event, revision, evidence)| Step::Commit { event, revision, evidence });
    let receive = (0..6u8, 1..3u32).prop_map(|(event, revision)| Step::Receive { event, revision });
    prop_oneof![4 => commit, 2 => receive, 1 => Just(Step::Upload), 1 => Just(Step::Reopen)]
}

/// What the outbox should hold.
#[derive(Debug, Default)]
struct Model {
    next_seq: u64,
    events: Vec<(u8, u32)>,
    evidence: BTreeMap<u64, u8>,
}

const MODEL_LIMITS: OutboxLimits = OutboxLimits { max_evidence_bytes: 20, max_events: 5 };

/// Piece `n` has `n + 1` bytes.
fn piece(n: u8) -> EvidenceBlob {
    snapshot(&vec![n; usize::from(n) + 1])
}

impl Model {
    fn commit(&mut self, event: u8, revision: u32, evidence: &[u8]) {
        if !self.events.contains(&(event, revision)) {
            self.events.push((event, revision));
        }
        for n in evidence {
            if !self.evidence.values().any(|have| have == n) {
                self.next_seq += 1;
                self.evidence.insert(self.next_seq, *n);
            }
        }
        while self.evidence.values().map(|n| u64::from(*n) + 1).sum::<u64>() > MODEL_LIMITS.max_evidence_bytes {
            self.evidence.pop_first();
        }
        while self.events.len() as u64 > MODEL_LIMITS.max_events {
            self.events.remove(0);
        }
    }
}

async fn follow(steps: Vec<Step>) {
    let dir = TempDir::new().unwrap();
    let (mut outbox, mut model) = (open(dir.path(), MODEL_LIMITS).await, Model::default());
    for step in steps {
        match step {
            Step::Commit { event: n, revision, evidence } => {
                let blobs: Vec<_> = evidence.iter().map(|n| piece(*n)).collect();
                outbox.commit(&event(n, revision, &blobs), &blobs).await.unwrap();
                model.commit(n, revision, &evidence);
            }
            Step::Receive { event, revision } => {
                outbox.receive(&receipt(event, revision)).await.unwrap();
                model.events.retain(|e| *e != (event, revision));
            }
            Step::Upload => {
                let next = outbox.next_evidence(&HashSet::new()).await.unwrap();
                let expect = model.evidence.pop_first().map(|(_, n)| piece(n).evidence.hash);
                assert_eq!(next.as_ref().map(|q| &q.hash), expect.as_ref());
                if let Some(next) = next {
                    outbox.evidence_uploaded(&next.hash).await.unwrap();
                }
            }
            Step::Reopen => {
                drop(outbox);
                outbox = open(dir.path(), MODEL_LIMITS).await;
            }
        }
        let expect: Vec<_> = model.events.iter().map(|(n, r)| (event_id(*n), *r)).collect();
        assert_eq!(queued(&outbox).await, expect);
        let mut names: Vec<_> = model.evidence.values().map(|n| piece(*n).evidence.hash.to_string()).collect();
        names.sort();
        assert_eq!(files(dir.path()), names);
        let counts = outbox.counts();
        assert_eq!((counts.events, counts.evidence_files), (expect.len() as u64, names.len() as u64));
        assert_eq!(counts.evidence_bytes, model.evidence.values().map(|n| u64::from(*n) + 1).sum::<u64>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn behaves_as_its_model(steps in prop::collection::vec(any_step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(steps));
    }
}
