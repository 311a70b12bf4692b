//! The pipeline: from every camera's stream to events in the outbox.
//!
//! ```text
//! hub ─▶ feed (task per camera) ─▶ decoder (thread per camera) ─▶ newest picture ─┐
//!                                                      detector (one thread) ◀────┘
//!                                overlay ◀─ analysis per camera ─▶ decisions ─▶ events (one task) ─▶ outbox
//! ```
//! Up to the rule the newest picture wins and queues drop; from the decision on queues wait. A camera without an
//! armed task is pulled, so that live view and clips work, but not decoded.

mod analysis;
mod camera;
mod commit;
mod compare;
mod decode;
mod detect;
mod event;
mod events;
mod load;
mod lookout;
mod models;
mod picture;
mod plan;
mod quality;
pub mod replay;
mod sample;
mod sight;
mod supervise;
mod timeline;
mod warnings;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use protocol::{Camera, CameraId, CameraState, HealthWarning, InferenceHealth, Refusal, StreamState, Task, TaskId};
use runtime::{Clock, Latest, Tasks};
use stream_gateway::Hub;
use tokio::sync::{Notify, mpsc};

use self::{
    camera::{Cameras, Parts, Running},
    events::{Events, Notice},
    lookout::Lookout,
    sight::Sight,
    warnings::Warnings,
};
pub use self::{
    load::{LoadError, load_models, packages},
    models::{Classify, Detect, Embed, MAX_MODELS, Models},
    picture::Picture,
};
use crate::{
    outbox::Outbox,
    reconcile::{Executor, Report},
    references::ReferencePictures,
};

const MODEL_REFUSED: &str = "model_refused";

/// What the pipeline is made from.
pub struct PipelineEnv {
    /// Where streams come from and overlays go to.
    pub hub: Hub,
    /// What looks at pictures. Without any model video runs, and tasks that need one are refused.
    pub models: Models,
    /// Approved reference pictures.
    pub references: ReferencePictures,
    /// Where events go.
    pub outbox: Outbox,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The owner of the pipeline's tasks; cancelling it stops the pipeline in flow order.
    pub tasks: Arc<Tasks>,
}

/// The running pipeline. It does its work in tasks; this is the handle.
pub struct Pipeline {
    hub: Hub,
    clock: Arc<dyn Clock>,
    tasks: Arc<Tasks>,
    cameras: Cameras,
    sight: Arc<Sight>,
    references: ReferencePictures,
    /// Weak, so that the events' task ends when the cameras have.
    notices: mpsc::WeakSender<Notice>,
    runs: u64,
    /// Told when a camera was added or removed.
    changed: Arc<Notify>,
    health: Arc<Mutex<InferenceHealth>>,
    warnings: Warnings,
}

impl Pipeline {
    /// Starts the pipeline, without cameras.
    pub async fn start(env: PipelineEnv) -> Self {
        let PipelineEnv { hub, models, references, outbox, clock, tasks } = env;
        let warnings = Warnings::default();
        let (notices, received) = mpsc::channel(events::QUEUE);
        let (bell, cameras, changed) = (Latest::default(), Cameras::default(), Arc::new(Notify::new()));
        let health = Arc::new(Mutex::new(models.health()));
        if !models.refused.is_empty() {
            let refused = models.refused.join("; ");
            let effect =
                if models.detectors.is_empty() { "no picture is analysed, since" } else { "analysis lacks a model:" };
            warnings.set(MODEL_REFUSED, None, format!("{effect} a model cannot be used: {refused}"));
        }
        let lookout = Lookout::new(models);
        let sight = Arc::clone(lookout.sight());
        if let Err(e) = gstreamer::init() {
            warnings.set("decoder_missing", None, format!("no video can be decoded, GStreamer does not start: {e}"));
        }

        let events = Events::new(hub.clone(), outbox, Arc::clone(&clock), warnings.clone());
        tasks.spawn("events", events.run(received)).await;
        let looking = detect::Looking {
            lookout,
            cameras: cameras.clone(),
            bell: bell.clone(),
            health: Arc::clone(&health),
            warnings: warnings.clone(),
            failing: BTreeMap::new(),
        };
        tasks.spawn("detector", supervise::look(looking, tasks.token().clone())).await;
        let supervisor = supervise::Supervisor {
            hub: hub.clone(),
            clock: Arc::clone(&clock),
            token: tasks.token().clone(),
            cameras: cameras.clone(),
            changed: Arc::clone(&changed),
            bell,
            _notices: notices.clone(),
        };
        // Boxed: what applies a camera to the hub is large, and would be copied about otherwise.
        tasks.spawn("cameras", Box::pin(supervisor.run())).await;
        let notices = notices.downgrade();
        Self { hub, clock, tasks, cameras, sight, references, notices, runs: 0, changed, health, warnings }
    }
}

impl Pipeline {
    /// Pictures of a camera that were decoded, and that a model looked at, since the camera was added.
    pub fn work_done(&self, camera: CameraId) -> Option<(u64, u64)> {
        let running = self.cameras.get(camera)?;
        Some((running.work.decoded.load(Ordering::Relaxed), running.work.looked_at.load(Ordering::Relaxed)))
    }
}

impl Executor for Pipeline {
    fn start_camera(&mut self, camera: Camera) {
        if let Some(running) = self.cameras.get(camera.id) {
            running.set_settings(camera);
        } else if self.tasks.token().is_cancelled() {
            // Nobody would stop it any more.
            return;
        } else if let Some(notices) = self.notices.upgrade() {
            self.runs += 1;
            let parts = Parts {
                run: self.runs,
                sight: Arc::clone(&self.sight),
                references: self.references.clone(),
                token: self.tasks.token().child_token(),
                notices,
                hub: self.hub.clone(),
                warnings: self.warnings.clone(),
            };
            self.cameras.insert(Arc::new(Running::new(camera, parts)));
        }
        self.changed.notify_one();
    }

    fn stop_camera(&mut self, camera: CameraId) {
        if let Some(running) = self.cameras.remove(camera) {
            running.token.cancel();
            self.warnings.forget(camera);
        }
        self.changed.notify_one();
    }

    fn set_tasks(&mut self, camera: CameraId, tasks: Vec<Task>, generation: u64) {
        if let Some(running) = self.cameras.get(camera) {
            running.analysis().set_tasks(tasks, generation);
            running.changed.notify_one();
        }
    }
}

impl Report for Pipeline {
    fn camera_states(&self) -> Vec<CameraState> {
        let now = self.clock.now();
        let streams = self.hub.status();
        let state = |running: Arc<Running>| {
            let stream = streams.iter().find(|s| s.camera == running.id);
            let mut state = CameraState {
                camera: running.id,
                state: stream.map_or(StreamState::Connecting, |s| s.state),
                detail: stream.map(|s| s.detail.clone()).unwrap_or_default(),
                since: stream.map_or(now, |s| s.since),
                fps: stream.map_or(0.0, |s| s.fps),
                kbps: stream.map_or(0.0, |s| s.kbps),
                analysed_fps: running.analysis().analysed_fps(now),
                reconnects: stream.map_or(0, |s| s.reconnects),
                lost_packets: stream.map_or(0, |s| s.lost_packets),
                width: stream.map_or(0, |s| s.width),
                height: stream.map_or(0, |s| s.height),
                codec: stream.map(|s| s.codec.clone()).unwrap_or_default(),
            };
            if let (StreamState::Online, Some((fault, since))) = (state.state, running.decode_fault()) {
                (state.state, state.detail, state.since) = (StreamState::DecodeError, fault.to_string(), since);
            }
            state
        };
        self.cameras.all().into_iter().map(state).collect()
    }

    fn running_tasks(&self) -> Vec<TaskId> {
        let now = self.clock.now();
        self.cameras.all().iter().flat_map(|c| c.analysis().running(now).collect::<Vec<_>>()).collect()
    }

    fn inference(&self) -> InferenceHealth {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn warnings(&self) -> Vec<HealthWarning> {
        self.warnings.list()
    }

    fn refusals(&self) -> Vec<Refusal> {
        self.cameras.all().iter().flat_map(|c| c.analysis().refusals().to_vec()).collect()
    }
}

#[cfg(test)]
mod tests;
