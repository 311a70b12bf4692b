//! 驾驶电瓶车进入作业区 (requirement A4): somebody rides an e-bike or scooter inside the work zone.
//!
//! # What is seen
//! Tracked two-wheelers (`motorcycle`, `bicycle`, `e_bike`: detectors of general use take an e-bike for either of the
//! first two) and tracked persons. The subject is the two-wheeler; it is where the middle of its lower edge is.
//!
//! A two-wheeler is **ridden** when it moves, by at least 0.4 of its own length a second (2.5 km/h) over the last
//! second, and a person is on it: the hips (45 % up the person's box) above or in its box, the feet within its
//! box and not below it, of a size that fits, and moving together with it (their speeds differ by less than half).
//!
//! # What decides
//! Ridden is a vote for, standing still a vote against; moving without a rider in sight is no vote, because riders are
//! missed now and then. `votes_needed` of the newest `votes_window` looks, the first at least `dwell_secs` ago.
//! Parked two-wheelers never vote for, whoever stands beside them or walks past. One event per two-wheeler. It ends
//! when it stands, or when it is unseen or outside the zone for more than 3 s.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | two-wheelers below it do not vote; a zone may have its own 置信度阈值 |
//! | `min_target_px` | px | 40 | riders smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 1 | 持续时间 |
//! | `cool_down_secs` | s | 600 | quiet time per two-wheeler 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how the two-wheeler must lie in a zone 重叠方式 |
//!
//! The event says how fast it was (`lengths_per_second`) and of which class.
//!
//! # How it fails
//! * Somebody who pushes the bike on its far side, with the feet higher in the picture than its wheels, seems to ride.
//! * Straight towards the camera the box grows more than it moves: slow riders are found late.
//! * Below 2 frames per second nothing moves "during the last second" often enough for the votes.
//! * Bicycles without a motor count as well: from a distance no model tells them apart.

use protocol::{Measure, Task, Timestamp};

use super::{About, Rule, decisions_with, ends, measure};
use crate::{
    decision::Decision,
    numbers::Numbers,
    place::Place,
    scene::Scene,
    subject::{Look, Subjects},
    tracker::Track,
    trails::{Trails, Velocity},
    votes::Vote,
};

/// Slower than this, own lengths per second, a two-wheeler stands.
const MOVING: f32 = 0.4;
/// Rider and two-wheeler are together when their speeds differ by less than this share.
const TOGETHER: f32 = 0.5;
/// Where a person's hips are, share of the box from above.
const HIPS: f32 = 0.55;
/// Height of a rider's box ÷ the larger side of the two-wheeler's box, from children on long bikes to front views.
const FITTING_SIZE: std::ops::RangeInclusive<f32> = 0.4..=2.5;

/// State of one task; subjects are tracks of two-wheelers.
#[derive(Debug, Default)]
pub(crate) struct EBike {
    subjects: Subjects,
    trails: Trails,
}

impl Rule for EBike {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        self.trails.step(scene, scene.persons.iter().chain(&scene.two_wheelers).copied());
        let looks: Vec<Look> = scene.two_wheelers.iter().map(|bike| self.look(scene, task, bike)).collect();
        let mut changes = Vec::new();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let find = |key| scene.two_wheelers.iter().find(|b| b.id == key);
        let about = |key| {
            let bike = find(key)?;
            let zone = task.zone_of_box(&bike.seen.bbox)?.name.to_owned();
            let mut tracks = vec![key];
            tracks.extend(self.rider(scene, bike).map(|r| r.id));
            Some(About { zone, tracks, path: bike.history.path(key, scene.classes) })
        };
        let measures = |key| {
            let Some((bike, velocity)) = find(key).zip(self.trails.velocity(key)) else { return Vec::new() };
            let label = Some(scene.classes.name(bike.seen.class).to_owned());
            let speed = velocity.length() / length(bike, scene.aspect);
            vec![Measure { label, ..measure("lengths_per_second", speed, Some(MOVING)) }]
        };
        decisions_with(scene, task, changes, about, measures, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        self.trails.clear();
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }
}

impl EBike {
    fn look(&self, scene: &Scene<'_>, task: &Task, bike: &Track) -> Look {
        let zone = task.zone_of_box(&bike.seen.bbox);
        let clear = zone.is_some_and(|z| bike.seen.score >= z.min_score);
        let vote = |violation| Vote { violation, weight: 1.0, score: bike.seen.score };
        let seen = self.trails.velocity(bike.id).filter(|_| clear).and_then(|velocity| {
            if !moves(bike, velocity, scene.aspect) {
                return Some(vote(false));
            }
            let rider = self.rider(scene, bike)?;
            (scene.pixels(&rider.seen.bbox) >= task.params.min_target_px as f32).then(|| vote(true))
        });
        Look {
            key: bike.id,
            track: bike.id,
            place: Place::of_person(&bike.seen.bbox, scene.aspect),
            moved: bike.moved,
            inside: zone.is_some(),
            vote: seen,
        }
    }

    /// Who sits on it and moves with it.
    fn rider<'a>(&self, scene: &Scene<'a>, bike: &Track) -> Option<&'a Track> {
        let velocity = self.trails.velocity(bike.id)?;
        let fits = |p: &&&Track| {
            let together =
                self.trails.velocity(p.id).is_some_and(|v| v.apart(velocity) <= TOGETHER * velocity.length());
            together && sits_on(p, bike, scene.aspect)
        };
        let shared = |p: &Track| p.seen.bbox.intersection(&bike.seen.bbox);
        let riders = scene.persons.iter().filter(fits);
        riders.max_by(|a, b| shared(a).total_cmp(&shared(b)).then(b.id.cmp(&a.id))).copied()
    }
}

fn moves(bike: &Track, velocity: Velocity, aspect: f32) -> bool {
    bike.moved && velocity.length() >= MOVING * length(bike, aspect)
}

/// The longer side of a two-wheeler's box, in picture heights: its length, or its height from the front.
fn length(bike: &Track, aspect: f32) -> f32 {
    bike.seen.bbox.h.max(bike.seen.bbox.w * aspect).max(1e-4)
}

fn sits_on(person: &Track, bike: &Track, aspect: f32) -> bool {
    let (p, b) = (&person.seen.bbox, &bike.seen.bbox);
    let (hips_x, hips_y, feet) = (p.center().x, p.y + HIPS * p.h, p.y + p.h);
    let across = (b.x..=b.x + b.w).contains(&hips_x);
    let above = (b.y - 0.4 * b.h..=b.y + 0.8 * b.h).contains(&hips_y);
    let on_it = (b.y + 0.2 * b.h..=b.y + 1.04 * b.h).contains(&feet);
    across && above && on_it && FITTING_SIZE.contains(&(p.h / length(bike, aspect)))
}
