//! The agent as a whole, with a stand-in for the pipeline: offline start, desired state, facts, soft stop.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use edge_agent::{
    EdgeConfig, EdgeError,
    agent::{Work, direct},
    outbox::Outbox,
    reconcile::{Executor, Report},
};
use protocol::{
    Camera, CameraId, CameraSpec, CameraState, DesiredState, HealthWarning, InferenceHealth, Secret, StreamState, Task,
    TaskId, Timestamp, Transport,
};
use runtime::{CancellationToken, SystemClock, Tasks};
use support::{Broker, Plane, SECRET, edge_id, event, free_port, open_outbox, until};
use tempfile::TempDir;

/// Calls everything that it is given online.
#[derive(Clone, Default)]
struct Cameras(Arc<Mutex<Vec<CameraId>>>);

impl Executor for Cameras {
    fn start_camera(&mut self, camera: Camera) {
        self.0.lock().unwrap().push(camera.id);
    }

    fn stop_camera(&mut self, camera: CameraId) {
        self.0.lock().unwrap().retain(|id| *id != camera);
    }

    fn set_tasks(&mut self, _: CameraId, _: Vec<Task>, _: u64) {}
}

impl Report for Cameras {
    fn camera_states(&self) -> Vec<CameraState> {
        let online = |camera: &CameraId| CameraState {
            camera: *camera,
            state: StreamState::Online,
            detail: String::new(),
            since: Timestamp::from_secs(1),
            fps: 25.0,
            kbps: 2_000.0,
            analysed_fps: 5.0,
            reconnects: 0,
            lost_packets: 0,
            width: 1280,
            height: 720,
            codec: "h264".into(),
        };
        self.0.lock().unwrap().iter().map(online).collect()
    }

    fn running_tasks(&self) -> Vec<TaskId> {
        vec![]
    }

    fn inference(&self) -> InferenceHealth {
        InferenceHealth::default()
    }

    fn warnings(&self) -> Vec<HealthWarning> {
        vec![HealthWarning { code: "model_refused".into(), message: "no model".into() }]
    }
}

struct Agent {
    cameras: Cameras,
    outbox: Outbox,
    stop: CancellationToken,
    owner: Tasks,
    work: Arc<Tasks>,
}

impl Agent {
    async fn start(folder: &TempDir, port: u16) -> Self {
        let config = EdgeConfig {
            edge: edge_id(),
            secret: Secret::new(SECRET),
            mqtt_url: format!("mqtt://127.0.0.1:{port}"),
            plane_url: format!("http://127.0.0.1:{}", free_port()),
            data_dir: folder.path().to_owned(),
            ..EdgeConfig::example()
        };
        let (cameras, outbox) = (Cameras::default(), open_outbox(&folder.path().join("outbox")).await);
        let (stop, owner) = (CancellationToken::new(), Tasks::default());
        let tasks = Arc::new(Tasks::under(&stop));
        let work = Work { works: Box::new(cameras.clone()), tasks: Arc::clone(&tasks) };
        let (ours, token) = (outbox.clone(), stop.clone());
        let agent = async move { direct(&config, Arc::new(SystemClock), ours, work, &token).await };
        owner.spawn::<_, EdgeError>("agent", Box::pin(agent)).await;
        Self { cameras, outbox, stop, owner, work: tasks }
    }

    async fn stop(self) -> Duration {
        let started = Instant::now();
        self.stop.cancel();
        self.owner.stop(Duration::from_secs(10)).await.unwrap();
        started.elapsed()
    }

    fn running(&self) -> Vec<CameraId> {
        self.cameras.0.lock().unwrap().clone()
    }
}

fn camera(n: u8, url: &str) -> CameraSpec {
    CameraSpec {
        id: format!("019aa9e0-0002-7000-8000-0000000000{n:02x}").parse().unwrap(),
        name: format!("camera {n}"),
        url: url.into(),
        username: None,
        password: None,
        transport: Transport::Tcp,
    }
}

#[tokio::test]
async fn works_offline_and_catches_up() {
    let folder = TempDir::new().unwrap();
    let mut broker = Broker::start().await;
    let plane = Plane::start(broker.port, true).await;
    let good = camera(1, "rtsp://10.0.0.1/");
    plane.send(
        DesiredState { generation: 3, cameras: vec![good.clone(), camera(2, "http://10.0.0.2/")], tasks: vec![] },
        true,
    );
    let agent = Agent::start(&folder, broker.port).await;
    until("what was applied is reported", || {
        let seen = plane.seen.lock().unwrap();
        seen.reported.last().is_some_and(|r| {
            r.generation == 3
                && r.cameras.iter().map(|c| c.camera).eq([good.id])
                && r.refusals[0].reason == "cameras are pulled by rtsp:// or rtsps://, not http://"
        })
    })
    .await;
    let health = plane.seen.lock().unwrap().health.last().unwrap().clone();
    assert!(health.online && health.memory_bytes > 0 && health.disk_free_bytes > 0);
    assert!(health.warnings.iter().any(|w| w.code == "model_refused"));
    agent.outbox.commit(&event(1), &[]).await.unwrap();
    assert!(agent.stop().await < Duration::from_secs(5));
    until("it said goodbye", || plane.seen.lock().unwrap().health.last().is_some_and(|h| !h.online)).await;
    assert_eq!(plane.events().len(), 1);
    plane.stop().await;

    // Neither broker nor control plane: it starts with what it kept.
    broker.kill();
    let agent = Agent::start(&folder, broker.port).await;
    until("the kept camera runs", || agent.running() == [good.id]).await;
    agent.outbox.commit(&event(2), &[]).await.unwrap();
    assert!(agent.stop().await < Duration::from_secs(5));

    let agent = Agent::start(&folder, broker.port).await;
    assert_eq!(agent.outbox.counts().events, 1);
    broker.restart().await;
    let plane = Plane::start(broker.port, true).await;
    until("the old event arrives", || plane.events().iter().any(|e| e.id == event(2).id)).await;
    until("and leaves", || agent.outbox.counts().events == 0).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_part_that_fails_stops_the_agent_loudly() {
    let folder = TempDir::new().unwrap();
    let agent = Agent::start(&folder, free_port()).await;
    agent.work.spawn("decoder", async { Err::<(), _>("no memory") }).await;
    let failed = agent.owner.run_until_cancelled(Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(failed.to_string(), "task agent failed: task decoder failed: no memory");
}
