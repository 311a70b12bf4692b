use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::{Algorithm, CameraSpec, Secret, Subject, TaskSpec, Timestamp, Transport, ZoneSpec};
use runtime::ManualClock;
use uuid_of::{camera_id, task_id};

use super::*;

mod uuid_of {
    use protocol::{CameraId, TaskId};

    fn digits(kind: u8, n: u8) -> String {
        format!("0190b5a0-0000-7000-80{kind:02x}-0000000000{n:02x}")
    }

    pub(super) fn camera_id(n: u8) -> CameraId {
        digits(1, n).parse().unwrap()
    }

    pub(super) fn task_id(n: u8) -> TaskId {
        digits(2, n).parse().unwrap()
    }
}

/// Does what it is told, and minds the order.
#[derive(Debug, Default, PartialEq)]
struct Fake {
    running: BTreeMap<CameraId, (String, Vec<TaskId>)>,
    calls: usize,
}

impl Executor for Fake {
    fn start_camera(&mut self, camera: Camera) {
        self.calls += 1;
        self.running.entry(camera.id).or_default().0 = camera.url.to_string();
    }

    fn stop_camera(&mut self, camera: CameraId) {
        self.calls += 1;
        self.running.remove(&camera).expect("only a running camera is stopped");
    }

    fn set_tasks(&mut self, camera: CameraId, tasks: Vec<Task>, _: u64) {
        self.calls += 1;
        let camera = self.running.get_mut(&camera).expect("only a running camera gets tasks");
        camera.1 = tasks.iter().map(|t| t.id).collect();
    }
}

fn camera(n: u8, host: &str) -> CameraSpec {
    CameraSpec {
        id: camera_id(n),
        name: format!("camera {n}"),
        url: format!("rtsp://{host}/live"),
        username: Some("admin".into()),
        password: Some(Secret::new("hunter2")),
        transport: Transport::Tcp,
    }
}

fn task(n: u8, camera: u8) -> TaskSpec {
    TaskSpec::new(task_id(n), camera_id(camera), Algorithm::NoHelmet, format!("task {n}"))
}

fn state(generation: u64, cameras: Vec<CameraSpec>, tasks: Vec<TaskSpec>) -> DesiredState {
    DesiredState { generation, cameras, tasks }
}

fn after(desired: &DesiredState) -> Applied {
    let mut applied = Applied::default();
    plan(&applied, desired).0.iter().for_each(|a| applied.take(a));
    applied.generation = desired.generation;
    applied
}

fn words(actions: &[Action]) -> Vec<String> {
    let last = |id: String| id[id.len() - 1..].to_owned();
    let word = |action: &Action| match action {
        Action::StopCamera(c) => format!("stop {}", last(c.to_string())),
        Action::StartCamera(c) => format!("start {}", last(c.id.to_string())),
        Action::SetTasks(c, t) => format!("tasks of {}: {}", last(c.to_string()), t.len()),
    };
    actions.iter().map(word).collect()
}

#[track_caller]
fn check(from: &DesiredState, to: &DesiredState, expect: &[&str]) {
    assert_eq!(words(&plan(&after(from), to).0), expect);
}

#[test]
fn steps_between_two_states() {
    let nothing = state(0, vec![], vec![]);
    let one = state(1, vec![camera(1, "a")], vec![task(1, 1)]);
    check(&nothing, &one, &["start 1", "tasks of 1: 1"]);
    check(&one, &one, &[]);
    check(&one, &nothing, &["stop 1"]);
    let moved = state(2, vec![camera(1, "b")], vec![task(1, 1)]);
    check(&one, &moved, &["start 1"]);
    let second_task = state(3, vec![camera(1, "a")], vec![task(2, 1), task(1, 1)]);
    check(&one, &second_task, &["tasks of 1: 2"]);
    check(&second_task, &state(4, vec![camera(1, "a")], vec![]), &["tasks of 1: 0"]);
    let replaced = state(5, vec![camera(2, "c")], vec![task(1, 2)]);
    check(&one, &replaced, &["stop 1", "start 2", "tasks of 2: 1"]);
    let reordered = state(6, vec![camera(1, "a")], vec![task(1, 1), task(2, 1)]);
    check(&second_task, &reordered, &[]);
}

#[track_caller]
fn check_refusals(desired: &DesiredState, expect: &[(Subject, &str)]) {
    let (_, refusals) = plan(&Applied::default(), desired);
    let got: Vec<_> = refusals.iter().map(|r| (r.subject, r.reason.as_str())).collect();
    assert_eq!(got, expect);
}

#[test]
fn what_cannot_be_applied_is_refused_with_its_reason() {
    let credentials = CameraSpec { url: "rtsp://admin:hunter2@a/".into(), ..camera(1, "a") };
    check_refusals(
        &state(1, vec![credentials, camera(2, "b"), camera(2, "c")], vec![task(1, 1), task(2, 2)]),
        &[
            (Subject::Camera(camera_id(1)), "write user and password in their own fields, not into the address"),
            (Subject::Camera(camera_id(2)), "the camera is configured twice; the first one is used"),
            (Subject::Task(task_id(1)), "its camera 0190b5a0-0000-7000-8001-000000000001 is refused"),
        ],
    );
    let mut no_area = task(3, 2);
    no_area.zones =
        vec![ZoneSpec { name: "pit".into(), kind: protocol::ZoneKind::Include, points: vec![], min_score: None }];
    check_refusals(
        &state(1, vec![camera(2, "b")], vec![no_area, task(4, 9), task(5, 2), task(5, 2)]),
        &[
            (Subject::Task(task_id(3)), "zone \"pit\": a zone needs at least 3 points, got 0"),
            (
                Subject::Task(task_id(4)),
                "its camera 0190b5a0-0000-7000-8001-000000000009 is not configured on this edge",
            ),
            (Subject::Task(task_id(5)), "the task is configured twice; the first one is used"),
        ],
    );
}

#[test]
fn starts_from_the_kept_state_and_survives_a_damaged_one() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::at(Timestamp::from_secs(9)));
    let desired = state(7, vec![camera(1, "a")], vec![task(1, 1)]);
    let mut first = Fake::default();
    let mut reconciler = Reconciler::start(folder.path(), &clock, &mut first);
    assert_eq!((reconciler.generation(), first.calls), (0, 0));
    reconciler.apply(&desired, &mut first);

    let mut second = Fake::default();
    let reconciler = Reconciler::start(folder.path(), &clock, &mut second);
    assert_eq!(reconciler.generation(), 7);
    assert_eq!(second.running, first.running);

    let file = folder.path().join("desired.json");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let mut third = Fake::default();
    let mut reconciler = Reconciler::start(folder.path(), &clock, &mut third);
    assert_eq!((reconciler.generation(), third.calls), (0, 0));
    let warnings = reconciler.warnings();
    assert_eq!(warnings[0].code, "desired_state_damaged");
    assert!(!warnings[0].message.contains("hunter2"));
    assert!(folder.path().join("desired.damaged-9000000.json").exists());
    reconciler.apply(&desired, &mut third);
    assert_eq!((third.running, reconciler.warnings()), (first.running, vec![]));
}

#[test]
fn the_kept_file_is_for_the_agent_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    Kept::in_folder(folder.path()).store(&state(1, vec![camera(1, "a")], vec![])).unwrap();
    let mode = std::fs::metadata(folder.path().join("desired.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_disk_that_fails_does_not_stop_the_cameras() {
    let folder = tempfile::tempdir().unwrap();
    let (file, clock) = (folder.path().join("file"), ManualClock::default());
    std::fs::write(&file, "not a folder").unwrap();
    let mut fake = Fake::default();
    let mut reconciler = Reconciler::start(&file, &clock, &mut fake);
    reconciler.apply(&state(1, vec![camera(1, "a")], vec![]), &mut fake);
    assert_eq!(fake.running.len(), 1);
    assert_eq!(reconciler.warnings()[0].code, "desired_state_not_kept");
}

fn any_state() -> impl Strategy<Value = DesiredState> {
    let cameras = prop::collection::vec((0..5u8, 0..3u8), 0..6);
    let tasks = prop::collection::vec((0..8u8, 0..6u8, any::<bool>()), 0..10);
    (0..9u64, cameras, tasks).prop_map(|(generation, cameras, tasks)| {
        let url = |n| ["a", "b", ""][usize::from(n)];
        let cameras = cameras.into_iter().map(|(id, host)| camera(id, url(host))).collect();
        let tasks = tasks.into_iter().map(|(id, camera, enabled)| TaskSpec { enabled, ..task(id, camera) }).collect();
        state(generation, cameras, tasks)
    })
}

proptest! {
    #[test]
    fn whatever_ran_before_the_wanted_state_runs_after(states in prop::collection::vec(any_state(), 1..5)) {
        let (mut applied, mut fake) = (Applied::default(), Fake::default());
        for desired in &states {
            let (actions, refusals) = plan(&applied, desired);
            for action in actions {
                applied.take(&action);
                match action {
                    Action::StopCamera(id) => fake.stop_camera(id),
                    Action::StartCamera(camera) => fake.start_camera(camera),
                    Action::SetTasks(id, tasks) => fake.set_tasks(id, tasks, desired.generation),
                }
            }
            applied.generation = desired.generation;
            prop_assert_eq!(&applied, &after(desired));
            prop_assert_eq!(&plan(&applied, desired), &(vec![], refusals));
            let ours: Vec<_> = applied.cameras.iter().map(|(id, (_, t))| (*id, t.len())).collect();
            let its: Vec<_> = fake.running.iter().map(|(id, (_, t))| (*id, t.len())).collect();
            prop_assert_eq!(ours, its);
        }
    }
}
