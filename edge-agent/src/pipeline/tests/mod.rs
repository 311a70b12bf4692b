//! The whole pipeline with real decoders, a real hub and a real outbox; only camera and detector are scripted.

mod film;

use std::{collections::HashSet, sync::Arc, time::Duration};

use protocol::{
    Algorithm, Camera, CameraId, Event, EventPhase, EvidenceKind, ParamsSpec, ScheduleSpan, StreamState, Task, TaskId,
    TaskSpec, Timestamp, Transport,
};
use runtime::{Clock, SystemClock, Tasks};
use stream_gateway::{Codec, Hub};
use tokio::time::{interval, timeout};

use self::film::{Film, Script, View, encode};
use super::{Models, Pipeline, PipelineEnv};
use crate::{
    outbox::{Outbox, OutboxLimits},
    reconcile::{Executor as _, Report as _},
    references::ReferencePictures,
};

struct Rig {
    pipeline: Pipeline,
    outbox: Outbox,
    camera: Camera,
    tasks: Arc<Tasks>,
    hub_tasks: Arc<Tasks>,
    folder: tempfile::TempDir,
}

impl Rig {
    async fn new(film: Film, detector: Result<Script, &str>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path(), OutboxLimits::default(), Arc::clone(&clock)).await.unwrap();
        let (tasks, hub_tasks) = (Arc::new(Tasks::default()), Arc::new(Tasks::default()));
        let hub = Hub::with_source(Arc::clone(&clock), Arc::clone(&hub_tasks), Arc::new(film));
        let models = detector.map_or_else(Models::none, Models::only);
        let references = ReferencePictures::default();
        let env = PipelineEnv { hub, models, references, outbox: outbox.clone(), clock, tasks: Arc::clone(&tasks) };
        let mut pipeline = Pipeline::start(env).await;
        let camera = Camera {
            id: CameraId::new(Timestamp::from_secs(1)),
            name: "东门".into(),
            url: "rtsp://192.0.2.1/1".parse().unwrap(),
            credentials: None,
            transport: Transport::Tcp,
        };
        pipeline.start_camera(camera.clone());
        Self { pipeline, outbox, camera, tasks, hub_tasks, folder }
    }

    fn task(&self, algorithm: Algorithm) -> Task {
        let params = ParamsSpec { dwell_secs: Some(0.5), ..ParamsSpec::default() };
        let spec = TaskSpec {
            params,
            ..TaskSpec::new(TaskId::new(Timestamp::from_secs(1)), self.camera.id, algorithm, "test")
        };
        Task::try_from(spec).unwrap()
    }

    fn run(&mut self, tasks: Vec<Task>) {
        self.pipeline.set_tasks(self.camera.id, tasks, 7);
    }

    async fn events(&self) -> Vec<Event> {
        self.outbox.events_after(0, 100).await.unwrap().into_iter().map(|q| q.event).collect()
    }

    /// Waits for the revision with this place in the order of commit.
    async fn event(&self, index: usize) -> Event {
        let mut changed = self.outbox.changed();
        let arrived = async {
            loop {
                if let Some(event) = self.events().await.into_iter().nth(index) {
                    return event;
                }
                changed.changed().await.unwrap();
            }
        };
        timeout(Duration::from_secs(40), arrived).await.expect("the event comes")
    }

    async fn stop(self) -> Vec<Event> {
        self.tasks.stop(Duration::from_secs(5)).await.unwrap();
        let events = self.events().await;
        self.hub_tasks.stop(Duration::from_secs(5)).await.unwrap();
        events
    }
}

/// Waits until `condition` holds.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let mut look = interval(Duration::from_millis(20));
    let held = async {
        while !condition() {
            look.tick().await;
        }
    };
    timeout(Duration::from_secs(40), held).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_has_its_picture_at_once_its_clip_later_and_an_end() {
    let script = Script::new(View::BareHead);
    let mut rig = Rig::new(Film::h264(), Ok(script.clone())).await;
    let task = rig.task(Algorithm::NoHelmet);
    rig.run(vec![task.clone()]);

    let new = rig.event(0).await;
    let delay = SystemClock.now().since(new.decided_at);
    assert!(delay < Duration::from_secs(2), "committed {delay:?} after the deciding picture");
    assert_eq!((new.revision, new.phase, new.task, new.generation), (1, EventPhase::New, task.id, 7));
    assert_eq!((new.camera, new.algorithm, new.model.name.as_str()), (rig.camera.id, Algorithm::NoHelmet, "script"));
    assert!(new.why.lasted_secs >= 0.5 && !new.boxes.is_empty() && !new.path.is_empty());
    let [snapshot] = &new.evidence[..] else { panic!("one snapshot, got {:?}", new.evidence) };
    assert_eq!((snapshot.kind, snapshot.width, snapshot.height), (EvidenceKind::Snapshot, 320, 180));
    let file = rig.outbox.next_evidence(&HashSet::default()).await.unwrap().unwrap();
    let jpeg = image::load_from_memory(&std::fs::read(&file.path).unwrap()).unwrap();
    assert_eq!((jpeg.width(), jpeg.height()), (320, 180));

    let update = rig.event(1).await;
    assert_eq!((update.id, update.revision, update.phase), (new.id, 2, EventPhase::Update));
    let clip = update.evidence.iter().find(|e| e.kind == EvidenceKind::Clip).expect("a clip");
    assert!(clip.duration_ms >= 4_500 && clip.bytes > 1_000, "{clip:?}");
    assert!(rig.pipeline.camera_states()[0].analysed_fps > 2.0);
    assert_eq!(rig.pipeline.running_tasks(), [task.id]);
    assert_eq!(rig.pipeline.inference().model, "script 1");

    script.show(View::Nothing);
    let end = rig.event(2).await;
    assert_eq!((end.id, end.revision, end.phase, end.evidence.len()), (new.id, 3, EventPhase::End, 2));
    assert!(end.ended_at.unwrap() > end.decided_at);
    assert_eq!(rig.stop().await.len(), 3, "one event, three revisions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_what_is_open() {
    let mut rig = Rig::new(Film::h264(), Ok(Script::new(View::BareHead))).await;
    let task = rig.task(Algorithm::Intrusion);
    rig.run(vec![task]);
    rig.event(0).await;
    let events = rig.stop().await;
    let phases: Vec<EventPhase> = events.iter().map(|e| e.phase).collect();
    assert_eq!(phases, [EventPhase::New, EventPhase::End, EventPhase::End]);
    let clip = events[2].evidence.iter().find(|e| e.kind == EvidenceKind::Clip).expect("the clip is cut short");
    assert!(clip.duration_ms > 0 && clip.bytes > 1_000, "{clip:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_run_left_open_is_ended_by_the_next() {
    let mut rig = Rig::new(Film::h264(), Ok(Script::new(View::BareHead))).await;
    let task = rig.task(Algorithm::Intrusion);
    rig.run(vec![task]);
    let new = rig.event(0).await;
    // A kill: the outbox of the run is never told of an end. Its receipts have come, so nothing waits there.
    let folder = rig.folder.path().to_owned();
    let killed = tempfile::tempdir().unwrap();
    for file in ["outbox.db", "outbox.db-wal", "outbox.db-shm"] {
        std::fs::copy(folder.join(file), killed.path().join(file)).unwrap();
    }
    rig.stop().await;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outbox = Outbox::open(killed.path(), OutboxLimits::default(), Arc::clone(&clock)).await.unwrap();
    let received = protocol::wire::Received { id: new.id, revision: 1 };
    outbox.receive(&protocol::wire::Receipt { events: vec![received] }).await.unwrap();
    assert_eq!(outbox.counts().events, 0);
    let (tasks, hub_tasks) = (Arc::new(Tasks::default()), Arc::new(Tasks::default()));
    let hub = Hub::with_source(Arc::clone(&clock), hub_tasks, Arc::new(Film::h264()));
    let models = Models::none("not needed");
    let references = ReferencePictures::default();
    Pipeline::start(PipelineEnv { hub, models, references, outbox: outbox.clone(), clock, tasks: Arc::clone(&tasks) })
        .await;
    let mut changed = outbox.changed();
    timeout(Duration::from_secs(20), changed.wait_for(|counts| counts.events == 1)).await.unwrap().unwrap();
    let end = outbox.next_events(10).await.unwrap().remove(0);
    assert_eq!((end.id, end.revision, end.phase), (new.id, 2, EventPhase::End));
    assert!(end.ended_at.unwrap() >= end.decided_at);
    assert!(end.why.measures.iter().any(|m| m.name == "unwatched_secs" && m.value >= 0.0));
    assert!(outbox.open_events().await.unwrap().is_empty(), "it is ended once");
    tasks.stop(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_tasks_decode_key_frames_only() {
    let script = Script::new(View::Nothing);
    let mut rig = Rig::new(Film::h264(), Ok(script.clone())).await;
    let mut slow = rig.task(Algorithm::Intrusion);
    slow.params.sample_fps = 0.2;
    rig.run(vec![slow]);
    until("two pictures are looked at", || script.looked() >= 2).await;
    let (decoded, looked_at) = rig.pipeline.work_done(rig.camera.id).unwrap();
    assert!(
        decoded <= 3 && looked_at <= decoded,
        "{decoded} decoded in 5 s of 25 pictures each, {looked_at} looked at"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_armed_task_nothing_is_decoded() {
    let script = Script::new(View::BareHead);
    let mut rig = Rig::new(Film::h264(), Ok(script.clone())).await;
    let never = ScheduleSpan { weekday: 0, from_minute: 0, to_minute: 1 };
    let mut asleep = rig.task(Algorithm::Intrusion);
    let today = (SystemClock.now().as_micros() / 86_400_000_000 + 3).rem_euclid(7) as u8;
    asleep.schedule.spans = vec![ScheduleSpan { weekday: (today + 3) % 7, ..never }];
    let awake = rig.task(Algorithm::Intrusion);
    rig.run(vec![asleep]);
    let pipeline = &rig.pipeline;
    until("the camera is pulled", || pipeline.camera_states().iter().any(|c| c.fps > 15.0)).await;
    assert_eq!((script.looked(), rig.pipeline.running_tasks()), (0, vec![]));
    assert_eq!(rig.pipeline.work_done(rig.camera.id), Some((0, 0)));

    rig.run(vec![awake]);
    rig.event(0).await;
    rig.run(vec![]);
    let end = rig.event(1).await;
    assert_eq!(end.phase, EventPhase::End, "a task that is taken away ends its alarms");
    let pipeline = &rig.pipeline;
    until("no picture is analysed", || pipeline.camera_states().iter().all(|c| c.analysed_fps < 0.1)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h265_is_decoded_too() {
    let Some(units) = encode(Codec::H265) else { return };
    let script = Script::new(View::Nothing);
    let mut rig = Rig::new(Film { codec: Codec::H265, units: Arc::new(units) }, Ok(script.clone())).await;
    let task = rig.task(Algorithm::Intrusion);
    rig.run(vec![task]);
    until("pictures are looked at", || script.looked() > 3).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_cannot_be_decoded_are_a_state_with_words() {
    let script = Script::new(View::Nothing);
    let mut rig = Rig::new(Film::damaged(), Ok(script.clone())).await;
    let task = rig.task(Algorithm::Intrusion);
    rig.run(vec![task]);
    let pipeline = &rig.pipeline;
    let state = || pipeline.camera_states().into_iter().next().unwrap();
    until("the state says so", || state().state == StreamState::DecodeError).await;
    assert!(state().detail.contains("avdec_h264"), "{}", state().detail);
    assert_eq!(script.looked(), 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_model_video_runs_and_tasks_are_refused() {
    let mut rig = Rig::new(Film::h264(), Err("the file is damaged")).await;
    let task = rig.task(Algorithm::NoHelmet);
    rig.run(vec![task.clone()]);
    let pipeline = &rig.pipeline;
    until("the camera is pulled", || pipeline.camera_states().iter().any(|c| c.state == StreamState::Online)).await;
    let [warning] = &rig.pipeline.warnings()[..] else { panic!("one warning") };
    assert_eq!(warning.code, "model_refused");
    assert!(warning.message.contains("the file is damaged"));
    let [refusal] = &rig.pipeline.refusals()[..] else { panic!("one refusal") };
    assert_eq!(refusal.subject, protocol::Subject::Task(task.id));
    assert!(rig.pipeline.running_tasks().is_empty());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_lacks_a_class_refuses_only_what_needs_it() {
    let mut rig = Rig::new(Film::h264(), Ok(Script::knowing(&["person"]))).await;
    let (helmet, crowd) = (rig.task(Algorithm::NoHelmet), rig.task(Algorithm::Crowd));
    rig.run(vec![helmet, crowd.clone()]);
    let [refusal] = &rig.pipeline.refusals()[..] else { panic!("one refusal") };
    assert!(refusal.reason.contains("`helmet`"), "{}", refusal.reason);
    assert_eq!(rig.pipeline.running_tasks(), [crowd.id]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inference_that_fails_is_a_warning_until_it_works() {
    let script = Script::new(View::Fails);
    let mut rig = Rig::new(Film::h264(), Ok(script.clone())).await;
    let task = rig.task(Algorithm::Intrusion);
    rig.run(vec![task]);
    let pipeline = &rig.pipeline;
    let warned = || pipeline.warnings().iter().any(|w| w.code == "inference_failed");
    until("a warning", warned).await;
    script.show(View::Nothing);
    until("no warning", || !warned()).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_while_the_outbox_fails() {
    let mut rig = Rig::new(Film::h264(), Ok(Script::new(View::BareHead))).await;
    // A file where the folder for evidence should be: snapshots cannot be stored.
    let (evidence, aside) = (rig.folder.path().join("evidence"), rig.folder.path().join("aside"));
    std::fs::rename(&evidence, &aside).unwrap();
    std::fs::write(&evidence, "").unwrap();
    let task = rig.task(Algorithm::Intrusion);
    rig.run(vec![task]);
    let pipeline = &rig.pipeline;
    let warned = || pipeline.warnings().iter().any(|w| w.code == "outbox_failed");
    until("a warning", warned).await;
    assert!(rig.events().await.is_empty());
    std::fs::remove_file(&evidence).unwrap();
    std::fs::rename(&aside, &evidence).unwrap();
    let event = rig.event(0).await;
    assert_eq!((event.revision, event.evidence.len()), (1, 1));
    until("no warning", || !warned()).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_is_removed_and_added_again_runs() {
    let script = Script::new(View::Nothing);
    let mut rig = Rig::new(Film::h264(), Ok(script.clone())).await;
    for _ in 0..3 {
        let task = rig.task(Algorithm::Intrusion);
        rig.run(vec![task]);
        let before = script.looked();
        until("pictures are looked at", || script.looked() > before + 2).await;
        rig.pipeline.stop_camera(rig.camera.id);
        assert!(rig.pipeline.camera_states().is_empty());
        rig.pipeline.start_camera(rig.camera.clone());
    }
    rig.stop().await;
}
