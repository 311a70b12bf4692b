//! Applies what is wanted and tells how it goes.

use std::{sync::Arc, time::Duration};

use protocol::{CameraId, EdgeHealth, HealthWarning, Refusal, ReportedState, StreamState, TaskId};
use runtime::Clock;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    evidence::UploadState,
    health::Health,
    link::Wanted,
    reconcile::{Reconciler, Works},
};

/// How often facts are looked at; what matters is told at once when it changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often facts are told although nothing that matters changed.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Supervisor {
    pub(super) reconciler: Reconciler,
    pub(super) health: Health,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) uploads: watch::Receiver<UploadState>,
    pub(super) health_tx: watch::Sender<EdgeHealth>,
    pub(super) reported_tx: watch::Sender<ReportedState>,
    pub(super) published: Option<(Instant, Matters)>,
}

/// The part of the facts whose change is told at once; rates and counts may wait.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matters {
    generation: u64,
    refusals: Vec<Refusal>,
    cameras: Vec<(CameraId, StreamState, String)>,
    running_tasks: Vec<TaskId>,
    warnings: Vec<String>,
    model: String,
}

impl Supervisor {
    /// Runs until it is dropped.
    pub(super) async fn run(&mut self, works: &mut (dyn Works + Send), mut wanted: watch::Receiver<Wanted>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Ok(()) = wanted.changed() => {
                    let state = wanted.borrow_and_update().state.clone();
                    if let Some(state) = state {
                        self.reconciler.apply(&state, works);
                    }
                }
                _ = look.tick() => {}
            }
            let problem = wanted.borrow().problem.clone();
            self.refresh(works, problem);
        }
    }

    /// Looks at the facts, and tells them when something that matters changed or it is time.
    pub(super) fn refresh(&mut self, works: &dyn Works, unreadable: Option<String>) {
        let now = self.clock.now();
        let mut warnings = self.reconciler.warnings();
        warnings.extend(unreadable.map(|reason| HealthWarning {
            code: "desired_state_unreadable".into(),
            message: format!("the newest configuration cannot be read by this edge and is not applied: {reason}"),
        }));
        warnings.extend(self.uploads.borrow().warning());
        warnings.extend(works.warnings());
        let health = self.health.measure(now, works.inference(), warnings);
        let reported = ReportedState {
            generation: self.reconciler.generation(),
            at: now,
            refusals: self.reconciler.refusals().iter().cloned().chain(works.refusals()).collect(),
            cameras: works.camera_states(),
            running_tasks: works.running_tasks(),
        };
        let matters = Matters::of(&reported, &health);
        let due = self.published.as_ref().is_none_or(|(at, told)| at.elapsed() >= TELL_EVERY || *told != matters);
        if due {
            self.published = Some((Instant::now(), matters));
            self.health_tx.send_replace(health);
            self.reported_tx.send_replace(reported);
        }
    }
}

impl Matters {
    fn of(reported: &ReportedState, health: &EdgeHealth) -> Self {
        Self {
            generation: reported.generation,
            refusals: reported.refusals.clone(),
            cameras: reported.cameras.iter().map(|c| (c.camera, c.state, c.detail.clone())).collect(),
            running_tasks: reported.running_tasks.clone(),
            warnings: health.warnings.iter().map(|w| w.code.clone()).collect(),
            model: health.inference.model.clone(),
        }
    }
}
