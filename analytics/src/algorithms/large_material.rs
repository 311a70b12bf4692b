//! 携带大型物资出入工地 (requirement A2): explains a person at the gate, and holds the intrusion alarm back.
//!
//! # What is seen
//! Tracked persons inside the task's zones (the gate), and loads: tracked `hand_cart`, `wheelbarrow`,
//! `large_material`, `large_equipment`, `pallet`, and vehicles and machines of any class.
//!
//! A person **has** a load when the gap between the two boxes is at most `reach` statures, the load has moved since it
//! was first seen (a cart that was parked at the gate all day explains nobody), and a person who walks walks with
//! it: over the last second their speeds differ by less than half.
//!
//! # What decides
//! With a load is a vote for, without one a vote against; `votes_needed` of the newest `votes_window`, the first at
//! least `dwell_secs` ago, establish it. That raises an informational event per person, and explains the person to
//! the tasks 人员非法进出 of the same camera: in zones of the same name, and wherever this task's own zones are. They
//! log what they held back with the reason `large_material`. While the votes have begun but are not done they wait, no longer
//! than `dwell_secs` + 3 s. The explanation holds while the person is seen with the load and 30 s after; a cool-down of this
//! task keeps its events back, never its explanations.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `reach` | statures | 0.5 | how near the load is 距物资范围 |
//! | `dwell_secs` | s | 1 | 持续时间 |
//! | `min_score` | 0–1 | 0.4 | persons and loads below it do not count; a zone may have its own 置信度阈值 |
//! | `min_target_px` | px | 40 | persons smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `cool_down_secs` | s | 600 | quiet time per person 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how a person must lie in a zone 重叠方式 |
//!
//! The event says what the load is and how far (`load_distance`, statures).
//!
//! # How it fails
//! * Whoever walks close beside a moving truck is explained by it. Keep the zone to the gate.
//! * Loads on a shoulder (a ladder, a bundle of bars) need a class of the model; a bag is not large.
//! * Where both zones are the whole picture, a person with a cart may go anywhere for 30 s after leaving it.

use std::collections::BTreeMap;

use protocol::{BoundingBox, ClassTable, Measure, Task, Timestamp};

use super::{About, Rule, decisions_with, ends, measure};
use crate::{
    decision::Decision,
    numbers::Numbers,
    place::Place,
    scene::{Explained, Scene},
    subject::{Look, Progress, Subjects},
    tracker::Track,
    trails::Trails,
    votes::Vote,
};

/// A person slower than this, statures per second, stands.
const WALKING: f32 = 0.3;
/// Person and load are together when their speeds differ by less than this share.
const TOGETHER: f32 = 0.5;
/// How long after the last look at the load a person stays explained, seconds.
const EXPLAINED_SECS: f32 = 30.0;
/// How long beyond the dwell others wait for the votes, seconds.
const PATIENCE_SECS: f32 = 3.0;
/// What others log.
const REASON: &str = "large_material";

/// State of one task; subjects are person tracks.
#[derive(Debug, Default)]
pub(crate) struct LargeMaterial {
    subjects: Subjects,
    trails: Trails,
    /// Who has been established: where, and when last with the load in sight.
    established: BTreeMap<u64, (String, Timestamp)>,
    /// What the others are told of this frame.
    explained: Vec<Explained>,
}

/// The load of a person.
struct Load<'a> {
    track: &'a Track,
    /// Gap between the boxes, statures of the person.
    distance: f32,
}

impl Rule for LargeMaterial {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        self.trails.step(scene, scene.persons.iter().chain(&scene.vehicles).chain(&scene.others).copied());
        let looks: Vec<Look> = scene.persons.iter().map(|person| self.look(scene, task, person)).collect();
        let mut changes = Vec::new();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        self.explain(scene, task, &looks);
        let find = |key| scene.persons.iter().find(|p| p.id == key);
        let about = |key| {
            let person = find(key)?;
            let zone = task.zone_of_box(&person.seen.bbox)?.name.to_owned();
            let mut tracks = vec![key];
            tracks.extend(self.load(scene, task, person).map(|l| l.track.id));
            Some(About { zone, tracks, path: person.history.path(key, scene.classes) })
        };
        let measures = |key| {
            let load = find(key).and_then(|person| self.load(scene, task, person));
            let said = load.map(|load| {
                let label = Some(scene.classes.name(load.track.seen.class).to_owned());
                Measure { label, ..measure("load_distance", load.distance, Some(task.params.reach)) }
            });
            said.into_iter().collect()
        };
        decisions_with(scene, task, changes, about, measures, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        self.trails.clear();
        self.established.clear();
        self.explained.clear();
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }

    fn explains(&self, out: &mut Vec<Explained>) {
        out.extend(self.explained.iter().cloned());
    }
}

impl LargeMaterial {
    fn look(&self, scene: &Scene<'_>, task: &Task, person: &Track) -> Look {
        let bbox = &person.seen.bbox;
        let zone = task.zone_of_box(bbox);
        let tall_enough = scene.pixels(bbox) >= task.params.min_target_px as f32;
        let clear = zone.is_some_and(|z| person.seen.score >= z.min_score) && tall_enough;
        let violation = self.load(scene, task, person).is_some();
        Look {
            key: person.id,
            track: person.id,
            place: Place::of_person(bbox, scene.aspect),
            moved: person.moved,
            inside: zone.is_some(),
            vote: clear.then_some(Vote { violation, weight: 1.0, score: person.seen.score }),
        }
    }

    /// The nearest load that goes where the person goes.
    fn load<'a>(&self, scene: &Scene<'a>, task: &Task, person: &Track) -> Option<Load<'a>> {
        let stature = person.seen.bbox.h.max(1e-4);
        let walk = self.trails.velocity(person.id).filter(|v| v.length() >= WALKING * stature);
        let things = scene.others.iter().filter(|t| ClassTable::LOADS.contains(&scene.classes.name(t.seen.class)));
        let with_it = |load: &&Track| {
            let way = self.trails.velocity(load.id);
            let together = walk.is_none_or(|w| way.is_none_or(|v| v.apart(w) <= TOGETHER * w.length()));
            load.seen.score >= task.params.min_score && load.moved && together
        };
        let loads = things.chain(&scene.vehicles).copied().filter(with_it);
        let near = loads
            .map(|track| Load { track, distance: gap(&person.seen.bbox, &track.seen.bbox, scene.aspect) / stature });
        let nearest = |a: &Load<'_>, b: &Load<'_>| a.distance.total_cmp(&b.distance).then(a.track.id.cmp(&b.track.id));
        near.filter(|l| l.distance <= task.params.reach).min_by(nearest)
    }

    fn explain(&mut self, scene: &Scene<'_>, task: &Task, looks: &[Look]) {
        self.explained.clear();
        self.established.retain(|_, (_, last)| scene.at.since(*last).as_secs_f32() <= EXPLAINED_SECS);
        for (look, person) in looks.iter().zip(&scene.persons) {
            let zone = task.zone_of_box(&person.seen.bbox).map(|z| z.name.to_owned());
            let progress = self.subjects.progress(look.key, scene.at, &task.params);
            let with_load = look.vote.is_some_and(|v| v.violation);
            if progress == Progress::Established
                && with_load
                && let Some(zone) = &zone
            {
                self.established.insert(look.key, (zone.clone(), scene.at));
            }
            let patience_secs = task.params.dwell_secs + PATIENCE_SECS;
            let begun =
                matches!(progress, Progress::Begun(since) if scene.at.since(since).as_secs_f32() <= patience_secs);
            let where_found = match self.established.get(&look.key) {
                Some((zone, _)) => Some((zone.clone(), true)),
                None => zone.clone().filter(|_| begun).map(|zone| (zone, false)),
            };
            if let Some((found_in, sure)) = where_found {
                let here = zone.is_some();
                self.explained.push(Explained { track: look.track, zone: found_in, here, sure, reason: REASON });
            }
        }
    }
}

/// Gap between two boxes in picture heights; 0 when they touch.
fn gap(a: &BoundingBox, b: &BoundingBox, aspect: f32) -> f32 {
    let dx = (b.x - a.x - a.w).max(a.x - b.x - b.w).max(0.0) * aspect;
    let dy = (b.y - a.y - a.h).max(a.y - b.y - b.h).max(0.0);
    dx.hypot(dy)
}
