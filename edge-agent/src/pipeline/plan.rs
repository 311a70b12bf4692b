//! Sampling plan 采样计划: what is decoded and looked at, and when. The union of what the armed tasks ask for, no
//! more; a task outside its schedule costs nothing.

use std::collections::BTreeMap;

use protocol::{ClassId, Task, TaskId, Timestamp};

use super::{
    sample::Sampler,
    sight::{ModelSet, Sight},
};

/// Pictures per second that the tasks armed at a moment need; `None` when none is.
pub(crate) fn needed_fps<'a>(tasks: impl IntoIterator<Item = &'a Task>, at: Timestamp) -> Option<f32> {
    armed(tasks, at).map(|t| t.params.sample_fps).reduce(f32::max)
}

/// The tasks that run at a moment.
pub(crate) fn armed<'a>(tasks: impl IntoIterator<Item = &'a Task>, at: Timestamp) -> impl Iterator<Item = &'a Task> {
    tasks.into_iter().filter(move |t| t.enabled && t.schedule.is_armed(at))
}

/// What is due on one picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// The tasks.
    pub(crate) tasks: Vec<TaskId>,
    /// The models they need.
    pub(crate) models: ModelSet,
    /// The classes they look for.
    pub(crate) looked: Vec<ClassId>,
}

/// Keeps every task's own rhythm.
#[derive(Debug, Default)]
pub(crate) struct Cadence(BTreeMap<TaskId, Sampler>);

impl Cadence {
    /// What is due on the picture presented at `pts_us` and taken at `at`.
    pub(crate) fn due(&mut self, tasks: &[Task], sight: &Sight, pts_us: i64, at: Timestamp) -> Due {
        self.0.retain(|id, _| tasks.iter().any(|t| t.id == *id));
        let mut due = Due::default();
        for task in armed(tasks, at) {
            let sampler = self.0.entry(task.id).or_default();
            sampler.set_rate(Some(task.params.sample_fps));
            if sampler.pick(pts_us) {
                let wanted = sight.wanted(task.algorithm);
                due.models = due.models.union(sight.models_for(&wanted));
                due.looked.extend(wanted);
                due.tasks.push(task.id);
            }
        }
        due.looked.sort_unstable();
        due.looked.dedup();
        due
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Algorithm, CameraId, ParamsSpec, TaskSpec};

    use super::*;
    use crate::pipeline::sight::tests::sight_of;

    fn task(number: i64, algorithm: Algorithm, fps: f32) -> Task {
        let params = ParamsSpec { sample_fps: Some(fps), ..ParamsSpec::default() };
        let (id, camera) = (TaskId::new(Timestamp::from_secs(number)), CameraId::new(Timestamp::from_secs(1)));
        Task::try_from(TaskSpec { params, ..TaskSpec::new(id, camera, algorithm, "test") }).unwrap()
    }

    #[test]
    fn every_model_runs_at_the_rate_its_tasks_need() {
        let sight = sight_of(&[&["person", "helmet", "head"][..], &["fire", "smoke"], &["ponding"]]);
        let tasks = [
            task(1, Algorithm::NoHelmet, 5.0),
            task(2, Algorithm::Crowd, 1.0),
            task(3, Algorithm::FireSmoke, 1.0),
            task(4, Algorithm::Ponding, 0.1),
        ];
        assert_eq!(needed_fps(&tasks, Timestamp::from_secs(0)), Some(5.0));
        let (mut cadence, mut runs) = (Cadence::default(), [0; 3]);
        for i in 0..100 {
            let pts = i * 200_000;
            let due = cadence.due(&tasks, &sight, pts, Timestamp::from_micros(pts));
            for (model, runs) in runs.iter_mut().enumerate() {
                *runs += i32::from(due.models.contains(model));
            }
            let fire = sight.classes().id("fire").unwrap();
            assert_eq!(due.looked.contains(&fire), due.models.contains(1));
        }
        assert_eq!(runs, [100, 20, 3], "in 20 s");
    }

    #[test]
    fn a_task_that_is_not_armed_asks_for_nothing() {
        let sight = sight_of(&[&["person", "helmet", "head"]]);
        let mut asleep = task(1, Algorithm::Intrusion, 5.0);
        asleep.schedule.spans = vec![protocol::ScheduleSpan { weekday: 6, from_minute: 0, to_minute: 60 }];
        let (tasks, thursday) = ([asleep], Timestamp::from_secs(0));
        assert_eq!(needed_fps(&tasks, thursday), None);
        assert_eq!(Cadence::default().due(&tasks, &sight, 0, thursday), Due::default());
    }
}
