//! The pure part: from what runs and what is wanted to the steps between.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Camera, CameraId, DesiredState, Refusal, Subject, Task, TaskId};

/// What runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// The generation it came from.
    pub generation: u64,
    /// Cameras, each with its tasks in the order of their ids.
    pub cameras: BTreeMap<CameraId, (Camera, Vec<Task>)>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Stop a camera and its tasks.
    StopCamera(CameraId),
    /// Start a camera, or give a running one new settings; its tasks stay.
    StartCamera(Camera),
    /// Replace the tasks of a camera that runs.
    SetTasks(CameraId, Vec<Task>),
}

impl Applied {
    /// Notes that `action` was done.
    pub fn take(&mut self, action: &Action) {
        match action {
            Action::StopCamera(id) => drop(self.cameras.remove(id)),
            Action::StartCamera(camera) => {
                self.cameras.entry(camera.id).or_insert_with(|| (camera.clone(), Vec::new())).0 = camera.clone();
            }
            Action::SetTasks(id, tasks) => {
                if let Some((_, running)) = self.cameras.get_mut(id) {
                    running.clone_from(tasks);
                }
            }
        }
    }
}

/// Compares what runs with what is wanted. Steps come in an order that never runs a task without its camera:
/// stops, starts, tasks. The same desired state gives the same result whatever ran before.
pub fn plan(current: &Applied, desired: &DesiredState) -> (Vec<Action>, Vec<Refusal>) {
    let (wanted, refusals) = wanted(desired);
    let stops = current.cameras.keys().filter(|id| !wanted.contains_key(id)).map(|id| Action::StopCamera(*id));
    let starts = wanted
        .values()
        .filter(|(camera, _)| current.cameras.get(&camera.id).is_none_or(|(running, _)| running != camera))
        .map(|(camera, _)| Action::StartCamera(camera.clone()));
    let tasks = wanted.iter().filter_map(|(id, (_, tasks))| {
        let running = current.cameras.get(id).map_or(&[][..], |(_, tasks)| tasks);
        (running != tasks).then(|| Action::SetTasks(*id, tasks.clone()))
    });
    (stops.chain(starts).chain(tasks).collect(), refusals)
}

type Wanted = BTreeMap<CameraId, (Camera, Vec<Task>)>;

/// The part of a desired state that can be applied, and why the rest cannot.
fn wanted(desired: &DesiredState) -> (Wanted, Vec<Refusal>) {
    let (mut wanted, mut refusals) = (Wanted::new(), Vec::new());
    let mut refuse = |subject, reason: String| {
        refusals.push(Refusal { subject, reason });
    };
    let mut named = BTreeSet::new();
    for spec in &desired.cameras {
        let id = spec.id;
        if !named.insert(id) {
            refuse(Subject::Camera(id), "the camera is configured twice; the first one is used".into());
            continue;
        }
        match Camera::try_from(spec.clone()) {
            Ok(camera) => drop(wanted.insert(id, (camera, Vec::new()))),
            Err(e) => refuse(Subject::Camera(id), e.to_string()),
        }
    }
    let mut tasks = BTreeMap::<TaskId, Task>::new();
    let mut seen = BTreeSet::new();
    for spec in &desired.tasks {
        let id = spec.id;
        if !seen.insert(id) {
            refuse(Subject::Task(id), "the task is configured twice; the first one is used".into());
        } else if !named.contains(&spec.camera) {
            refuse(Subject::Task(id), format!("its camera {} is not configured on this edge", spec.camera));
        } else if !wanted.contains_key(&spec.camera) {
            refuse(Subject::Task(id), format!("its camera {} is refused", spec.camera));
        } else {
            match Task::try_from(spec.clone()) {
                Ok(task) => drop(tasks.insert(id, task)),
                Err(e) => refuse(Subject::Task(id), e.to_string()),
            }
        }
    }
    for task in tasks.into_values() {
        if let Some((_, list)) = wanted.get_mut(&task.camera) {
            list.push(task);
        }
    }
    (wanted, refusals)
}
