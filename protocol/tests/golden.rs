//! The wire format, version 1, as files that never change.
//!
//! Each file is one message as it travels, only indented. It must be read as the value that is written
//! here, and that value must be written as the file. A test that fails here means that edges in the field
//! and the control plane would no longer understand each other: change the code, or begin version 2.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use protocol::{
    Algorithm, BoundingBox, CameraSpec, CameraState, ContentHash, CountRow, DesiredState, EdgeHealth, EdgeId, Event,
    EventPhase, Evidence, EvidenceKind, HealthWarning, Holiday, HolidayPlan, HourlyCounts, InferenceHealth, ModelRef,
    ParamsSpec, Point, Refusal, ReportedState, Schedule, ScheduleSpan, Secret, Severity, StreamState, Subject,
    TaskSpec, TimedBox, Timestamp, Transport, Why, ZoneKind, ZoneSpec,
    wire::{self, Body, Envelope, Receipt, Received},
};

/// 2026-11-22T08:00:00Z.
const NOON: i64 = 1_795_334_400_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(NOON + millis * 1_000)
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(kind: u8, n: u8) -> T {
    format!("019aa9e0-{kind:04x}-7000-8000-0000000000{n:02x}").parse().unwrap()
}

#[track_caller]
fn check<T: Body + PartialEq + std::fmt::Debug>(file: &str, body: T) {
    let edge: EdgeId = id(1, 1);
    let expect = Envelope { version: 1, id: id(9, 1), edge, sent_at: at(250), body };
    let written = serde_json::to_string_pretty(&expect).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1").join(file);
    let golden = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, golden, "the value is written differently than {file}");
    assert_eq!(wire::decode::<T>(edge, golden.as_bytes()).unwrap(), expect, "{file} is read differently");
}

fn camera(n: u8) -> CameraSpec {
    CameraSpec {
        id: id(2, n),
        name: format!("{n}号塔吊"),
        url: format!("rtsp://10.0.0.{n}:554/Streaming/Channels/101"),
        username: None,
        password: None,
        transport: Transport::Tcp,
    }
}

fn task(n: u8, algorithm: Algorithm) -> TaskSpec {
    TaskSpec::new(id(3, n), id(2, 1), algorithm, algorithm.name_zh())
}

fn head(millis: i64, score: f32, x: f32) -> TimedBox {
    TimedBox {
        at: at(millis),
        class: "head".into(),
        score,
        bbox: BoundingBox::new(x, 0.25, 0.0625, 0.125),
        track: Some(17),
        subject: true,
    }
}

#[test]
fn event_with_everything() {
    let evidence = |kind, bytes: &[u8], media_type: &str| Evidence {
        kind,
        hash: ContentHash::of(bytes),
        bytes: bytes.len() as u64,
        media_type: media_type.into(),
        starts_at: at(-5_000),
        duration_ms: if kind == EvidenceKind::Clip { 10_040 } else { 0 },
        width: 1280,
        height: 720,
    };
    let person = TimedBox {
        at: at(0),
        class: "person".into(),
        score: 0.9,
        bbox: BoundingBox::new(0.375, 0.25, 0.125, 0.5),
        track: None,
        subject: false,
    };
    check(
        "event.json",
        Event {
            id: id(4, 1),
            revision: 3,
            phase: EventPhase::End,
            algorithm: Algorithm::NoHelmet,
            camera: id(2, 1),
            task: id(3, 1),
            generation: 12,
            model: ModelRef { name: "site-ppe".into(), version: "1.0.0".into() },
            zone: Some("基坑东侧".into()),
            track: Some(17),
            severity: Severity::Orange,
            started_at: at(-2_500),
            decided_at: at(0),
            ended_at: Some(at(8_000)),
            score: 0.8125,
            boxes: vec![head(0, 0.8125, 0.4), person],
            path: vec![head(-2_500, 0.7, 0.3), head(-1_200, 0.75, 0.35)],
            why: Why {
                votes_for: 4,
                votes_against: 1,
                votes_needed: 3,
                votes_window: 5,
                lasted_secs: 2.5,
                dwell_secs: 2.0,
                ..Why::default()
            },
            evidence: vec![
                evidence(EvidenceKind::Snapshot, b"picture", "image/jpeg"),
                evidence(EvidenceKind::Clip, b"moving picture", "video/mp4"),
            ],
        },
    );
}

#[test]
fn event_with_the_least() {
    check(
        "event-least.json",
        Event {
            id: id(4, 2),
            revision: 1,
            phase: EventPhase::New,
            algorithm: Algorithm::Crowd,
            camera: id(2, 1),
            task: id(3, 3),
            generation: 12,
            model: ModelRef { name: "site-ppe".into(), version: "1.0.0".into() },
            zone: None,
            track: None,
            severity: Severity::Yellow,
            started_at: at(-5_000),
            decided_at: at(0),
            ended_at: None,
            score: 0.5,
            boxes: vec![],
            path: vec![],
            why: Why { people: 6, people_needed: 4, ..Why::default() },
            evidence: vec![],
        },
    );
}

#[test]
fn health() {
    check(
        "health.json",
        EdgeHealth {
            online: true,
            at: at(0),
            version: "0.1.0".into(),
            uptime_secs: 86_400,
            memory_bytes: 412_000_000,
            disk_free_bytes: 52_000_000_000,
            outbox_events: 3,
            outbox_evidence_bytes: 1_234_567,
            dropped_evidence: 2,
            inference: InferenceHealth {
                model: "site-ppe 1.0.0".into(),
                provider: "cpu".into(),
                precision: "fp32".into(),
                fps: 20.5,
                latency_ms: 31.25,
            },
            warnings: vec![HealthWarning {
                code: "evidence_dropped".into(),
                message: "2 pictures or clips were dropped".into(),
            }],
        },
    );
}

#[test]
fn reported_state() {
    let states = [
        (StreamState::Connecting, ""),
        (StreamState::Online, ""),
        (StreamState::Unreachable, "the camera does not answer"),
        (StreamState::Unauthorised, "user or password is wrong"),
        (StreamState::NotFound, "the camera has no such path"),
        (StreamState::NoFrames, "no frame for 10 s"),
        (StreamState::DecodeError, "the picture is damaged"),
        (StreamState::Unsupported, "the stream has no video"),
        (StreamState::Interrupted, "the camera closed the stream"),
    ];
    let cameras = (1..).zip(states).map(|(n, (state, detail))| {
        let online = state == StreamState::Online;
        CameraState {
            camera: id(2, n),
            state,
            detail: detail.into(),
            since: at(-60_000),
            fps: if online { 25.0 } else { 0.0 },
            kbps: if online { 2048.5 } else { 0.0 },
            analysed_fps: if online { 5.0 } else { 0.0 },
            reconnects: 2,
            lost_packets: 7,
            width: if online { 1280 } else { 0 },
            height: if online { 720 } else { 0 },
            codec: if online { "h264".into() } else { String::new() },
        }
    });
    check(
        "reported.json",
        ReportedState {
            generation: 12,
            at: at(0),
            refusals: vec![
                Refusal { subject: Subject::Camera(id(2, 10)), reason: "the camera's address has no host".into() },
                Refusal { subject: Subject::Task(id(3, 10)), reason: "the model does not know heads".into() },
            ],
            cameras: cameras.collect(),
            running_tasks: vec![id(3, 1), id(3, 2)],
        },
    );
}

#[test]
fn desired_state() {
    let zone = |kind, x: f32| ZoneSpec {
        name: if kind == ZoneKind::Include { "基坑".into() } else { "门卫室".into() },
        kind,
        points: vec![Point::new(x, 0.25), Point::new(x + 0.25, 0.25), Point::new(x, 0.75)],
        min_score: None,
    };
    let full_camera = CameraSpec {
        username: Some("admin".into()),
        password: Some(Secret::new("p\"w")),
        transport: Transport::Udp,
        ..camera(1)
    };
    let full_task = TaskSpec {
        enabled: false,
        zones: vec![zone(ZoneKind::Include, 0.0), zone(ZoneKind::Exclude, 0.5)],
        schedule: Schedule {
            utc_offset_minutes: 480,
            spans: vec![ScheduleSpan { weekday: 6, from_minute: 0, to_minute: 1440 }],
            holidays: vec![],
        },
        params: ParamsSpec {
            min_score: Some(0.5),
            min_target_px: Some(40),
            votes_needed: Some(3),
            votes_window: Some(5),
            dwell_secs: Some(2.0),
            cool_down_secs: Some(600.0),
            task_cool_down_secs: Some(0.0),
            crowd_size: Some(4),
            sample_fps: Some(5.0),
            ..ParamsSpec::default()
        },
        severity: Some(Severity::Red),
        ..task(2, Algorithm::Intrusion)
    };
    check(
        "desired.json",
        DesiredState {
            generation: 12,
            cameras: vec![full_camera, camera(2)],
            tasks: vec![task(1, Algorithm::NoHelmet), full_task, task(3, Algorithm::Crowd)],
        },
    );
}

#[test]
fn receipt() {
    let events = vec![Received { id: id(4, 1), revision: 3 }, Received { id: id(4, 2), revision: 1 }];
    check("receipt.json", Receipt { events });
}

#[test]
fn telemetry() {
    let row = |kind: &str, entered, left, seen| CountRow { kind: kind.into(), entered, left, seen };
    let counts = HourlyCounts {
        hour_start: at(-3_600_000),
        camera: id(2, 1),
        analysed_secs: 3_588,
        rows: vec![row("dump_truck", 5, 4, 6), row("person", 0, 0, 41)],
    };
    assert_eq!(counts.validate(), Ok(()));
    check("telemetry.json", counts);
}

/// A field that v1 did not have travels only where it is used.
#[test]
fn holidays_are_written_as_days() {
    let holiday = |date: &str, plan| Holiday { date: date.parse().unwrap(), plan };
    let schedule = Schedule {
        utc_offset_minutes: 480,
        spans: vec![],
        holidays: vec![holiday("2027-02-06", HolidayPlan::AllDay), holiday("2027-02-14", HolidayPlan::LikeMonday)],
    };
    let text = r#"{"utc_offset_minutes":480,"spans":[],"holidays":[{"date":"2027-02-06","plan":"all_day"},{"date":"2027-02-14","plan":"like_monday"}]}"#;
    assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
    assert_eq!(serde_json::from_str::<Schedule>(text).unwrap(), schedule);
    assert!(serde_json::from_str::<Schedule>(r#"{"holidays":[{"date":"2027-02-30"}]}"#).is_err());
}

/// What people may leave out of a desired state written by hand, and what a newer sender may add to facts.
#[test]
fn reads_the_short_form_and_ignores_news() {
    let edge: EdgeId = id(1, 1);
    let short = format!(
        r#"{{"version":1,"id":"{m}","edge":"{edge}","sent_at":0,"body":{{"generation":1,
            "cameras":[{{"id":"{c}","name":"gate","url":"rtsp://a/"}}],
            "tasks":[{{"id":"{t}","camera":"{c}","algorithm":"crowd","name":"crowd"}}]}}}}"#,
        m = id::<protocol::MessageId>(9, 1),
        c = id::<protocol::CameraId>(2, 1),
        t = id::<protocol::TaskId>(3, 1),
    );
    let desired = wire::decode::<DesiredState>(edge, short.as_bytes()).unwrap().body;
    assert_eq!(desired.cameras[0].transport, Transport::Tcp);
    assert!(desired.tasks[0].enabled);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1/health.json");
    let golden = std::fs::read_to_string(path).unwrap();
    let newer = golden.replace("\"online\": true,", "\"online\": true, \"temperature_celsius\": 51.5,");
    assert_ne!(newer, golden);
    assert!(wire::decode::<EdgeHealth>(edge, newer.as_bytes()).unwrap().body.online);
}
