//! 特殊车辆识别 (requirement A11): police car 警车, fire engine 消防车 and ambulance 救护车, told apart.
//!
//! # What is seen
//! Tracked vehicles of all classes. A detector of few classes calls a fire engine a `truck`; a second stage that looks at
//! the vehicle alone replaces the class when it is sure, so that what comes here is the best that is known per look.
//!
//! # What decides
//! Every look votes for its class: the three count as *special*, all others as *not*. A look's weight is its size (full
//! at 80 px) × score × how clearly its class won. `votes_needed` of the newest `votes_window` looks must say special, and
//! among the special ones one class must have 60 % of the weight: which one it is goes into the event. While the three
//! cannot be told apart nothing is decided. One event per vehicle, over when it has left, is unseen, or the votes say
//! that it is none.
//!
//! The vehicle must stand (the middle of the lower edge) in an include zone, and in no exclude zone. A parked one is
//! reported once per place.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote 置信度阈值 |
//! | `min_target_px` | px | 40 | vehicles lower than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 1 | 持续时间 |
//! | `sample_fps` | 1/s | 2 | looks per second 采样频率 |
//! | `cool_down_secs` | s | 600 | quiet time per vehicle 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! The measure of an event: `vehicle_class` (share of the special votes, its label is the class).
//!
//! # How it fails
//! * City management, road rescue and private security cars carry lights and stripes as well: the second stage decides.
//! * A red tipper lorry from the front looks like a fire engine; looks from the side outvote it as it passes.
//! * At night blue lights overexpose the car: little more than `car` is seen.

use std::collections::BTreeMap;

use protocol::{Task, Timestamp};

use super::{
    About, Rule,
    condition::measure,
    decisions, ends,
    vehicle_class::{ClassVotes, clarity, is_special},
};
use crate::{
    decision::Decision,
    numbers::Numbers,
    place::Place,
    scene::Scene,
    subject::{Look, Subjects},
    tracker::Track,
    votes::Vote,
};

/// Share of the special votes that tells one class from the others.
const TOLD_APART: f32 = 0.6;
const MOST_VEHICLES: usize = 512;

/// State of one special vehicle task; subjects are vehicle tracks.
#[derive(Debug, Default)]
pub(crate) struct SpecialVehicle {
    subjects: Subjects,
    classes: BTreeMap<u64, (Timestamp, ClassVotes)>,
}

impl Rule for SpecialVehicle {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        self.classes.retain(|_, (seen_at, _)| scene.at.since(*seen_at).as_secs_f32() <= scene.patience_secs);
        let looks: Vec<Look> = scene.vehicles.iter().map(|track| self.look(track, scene, task)).collect();
        let mut changes = Vec::new();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let about = |key| {
            let track = scene.vehicles.iter().find(|v| v.id == key)?;
            let zone = task.zone_of(track.seen.bbox.foot_point())?.to_owned();
            Some(About { zone, tracks: vec![key], path: track.history.path(key, scene.classes) })
        };
        let before = out.len();
        decisions(scene, task, changes, about, out);
        for decision in &mut out[before..] {
            if let Decision::Raise(raise) = decision
                && let Some((_, votes)) = raise.track.and_then(|t| self.classes.get(&t))
                && let Some((class, share)) = votes.winner(1, scene.classes, is_special)
            {
                raise.why.measures.push(measure("vehicle_class", share, Some(TOLD_APART), Some(class)));
            }
        }
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        self.classes.clear();
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }
}

impl SpecialVehicle {
    fn look(&mut self, track: &Track, scene: &Scene<'_>, task: &Task) -> Look {
        let (seen, params) = (&track.seen, &task.params);
        let inside = task.zone_of(seen.bbox.foot_point()).is_some();
        let clear = seen.score >= params.min_score && scene.pixels(&seen.bbox) >= params.min_target_px as f32;
        let weight = clarity(scene, track);
        let mut vote = None;
        if clear && (self.classes.len() < MOST_VEHICLES || self.classes.contains_key(&track.id)) {
            let (seen_at, votes) = self.classes.entry(track.id).or_default();
            *seen_at = scene.at;
            votes.push(seen.class, weight);
            let special = is_special(scene.classes.name(seen.class));
            let told_apart = votes.winner(1, scene.classes, is_special).is_some_and(|(_, share)| share >= TOLD_APART);
            // Special, but which one is not clear: says nothing.
            vote = (!special || told_apart).then_some(Vote { violation: special, weight, score: seen.score });
        }
        Look {
            key: track.id,
            track: track.id,
            place: Place::of_person(&seen.bbox, scene.aspect),
            moved: track.moved,
            inside,
            vote: vote.filter(|_| inside),
        }
    }
}
