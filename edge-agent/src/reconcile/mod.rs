//! Desired state becomes running cameras and tasks.
//!
//! [`plan()`] compares what runs with what is wanted and gives the steps; it is pure. [`Reconciler`] keeps the
//! desired state on disk and carries the steps out through an [`Executor`]. What cannot be applied is
//! refused with a reason; everything else runs.

mod kept;
mod plan;

use std::path::{Path, PathBuf};

use protocol::{Camera, CameraId, CameraState, DesiredState, HealthWarning, InferenceHealth, Refusal, Task, TaskId};
use runtime::Clock;
use tracing::{error, info, warn};

pub use self::{
    kept::{Kept, KeptError, Loaded},
    plan::{Action, Applied, plan},
};

/// Runs cameras and tasks. Calls return at once; the work goes on behind them.
pub trait Executor: Send {
    /// Starts a camera, or gives a running one new settings.
    fn start_camera(&mut self, camera: Camera);
    /// Stops a camera and its tasks.
    fn stop_camera(&mut self, camera: CameraId);
    /// Gives a camera that runs its complete list of tasks, disabled ones included.
    fn set_tasks(&mut self, camera: CameraId, tasks: Vec<Task>, generation: u64);
}

/// Says how what runs is doing.
pub trait Report {
    /// Every camera that is pulled.
    fn camera_states(&self) -> Vec<CameraState>;
    /// Tasks that run now: enabled, armed by their schedule, camera known.
    fn running_tasks(&self) -> Vec<TaskId>;
    /// How inference runs.
    fn inference(&self) -> InferenceHealth;
    /// What needs a person.
    fn warnings(&self) -> Vec<HealthWarning>;
    /// Tasks that are valid but cannot run here, e.g. for want of a class in the model.
    fn refusals(&self) -> Vec<Refusal> {
        Vec::new()
    }
}

/// What the agent drives: it runs things and says how they are.
pub trait Works: Executor + Report {}

impl<T: Executor + Report> Works for T {}

/// Brings what runs to what is wanted.
#[derive(Debug)]
pub struct Reconciler {
    kept: Kept,
    applied: Applied,
    desired: Option<DesiredState>,
    refusals: Vec<Refusal>,
    not_kept: Option<String>,
    set_aside: Option<PathBuf>,
}

impl Reconciler {
    /// Makes a reconciler that keeps the desired state in `data_dir`, and applies the state that is kept there.
    pub fn start(data_dir: &Path, clock: &dyn Clock, executor: &mut (impl Executor + ?Sized)) -> Self {
        let kept = Kept::in_folder(data_dir);
        let applied = Applied::default();
        let mut this = Self { kept, applied, desired: None, refusals: Vec::new(), not_kept: None, set_aside: None };
        match this.kept.load(clock.now()) {
            Ok(Loaded::State(state)) => this.carry_out(&state, executor),
            Ok(Loaded::Nothing) => info!("no desired state is kept here yet; waiting for the control plane"),
            Ok(Loaded::Damaged { set_aside, reason }) => {
                error!(path = %set_aside.display(), %reason, "the kept desired state is damaged and was put aside");
                this.set_aside = Some(set_aside);
            }
            Err(e) => {
                error!(reason = %e, "the kept desired state cannot be read");
                this.not_kept = Some(e.to_string());
            }
        }
        this
    }

    /// Keeps `desired` on disk, then applies it. A disk that fails does not stop it from being applied.
    pub fn apply(&mut self, desired: &DesiredState, executor: &mut (impl Executor + ?Sized)) {
        // The retained message comes again with each connection; flash storage need not wear for that.
        if self.not_kept.is_none() && self.desired.as_ref() == Some(desired) {
            return;
        }
        match self.kept.store(desired) {
            Ok(()) => (self.not_kept, self.set_aside) = (None, None),
            Err(e) => {
                error!(reason = %e, "the desired state is applied but could not be kept");
                self.not_kept = Some(e.to_string());
            }
        }
        if desired.generation < self.applied.generation {
            warn!(
                generation.applied = self.applied.generation,
                generation.desired = desired.generation,
                "the control plane went back to an older generation"
            );
        }
        self.carry_out(desired, executor);
    }

    fn carry_out(&mut self, desired: &DesiredState, executor: &mut (impl Executor + ?Sized)) {
        let (actions, refusals) = plan(&self.applied, desired);
        for refusal in &refusals {
            warn!(subject = ?refusal.subject, reason = %refusal.reason, "part of the desired state is refused");
        }
        info!(
            generation = desired.generation,
            steps = actions.len(),
            refusals = refusals.len(),
            "applying the desired state"
        );
        for action in actions {
            self.applied.take(&action);
            match action {
                Action::StopCamera(camera) => executor.stop_camera(camera),
                Action::StartCamera(camera) => executor.start_camera(camera),
                Action::SetTasks(camera, tasks) => executor.set_tasks(camera, tasks, desired.generation),
            }
        }
        self.applied.generation = desired.generation;
        self.desired = Some(desired.clone());
        self.refusals = refusals;
    }

    /// The generation that is applied; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.applied.generation
    }

    /// What the newest desired state asked for and did not get.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// What needs a person.
    pub fn warnings(&self) -> Vec<HealthWarning> {
        let aside = self.set_aside.as_ref().map(|path| HealthWarning {
            code: "desired_state_damaged".into(),
            message: format!(
                "the configuration kept on this edge was damaged and put aside as {}; \
                 it comes again when the control plane is reached",
                path.display()
            ),
        });
        let not_kept = self.not_kept.as_ref().map(|reason| HealthWarning {
            code: "desired_state_not_kept".into(),
            message: format!("the configuration is not kept on disk and will be missing after a restart: {reason}"),
        });
        aside.into_iter().chain(not_kept).collect()
    }
}

#[cfg(test)]
mod tests;
