//! 驾乘人员未戴安全帽 (requirement A1): somebody lingers at a vehicle, or drives it, with a bare head.
//!
//! # What is seen
//! Workers as in [未戴安全帽](super::no_helmet): persons and heads, together or one of them alone; and tracked vehicles
//! and machines of any class. A worker belongs to the nearest vehicle when the foot point (of a head that is seen
//! alone, the head) is no further from the vehicle's box than `reach` statures of the worker: the driver in the cab,
//! the mate on the step, the one who loads. A vehicle counts for 1 s after being missed.
//!
//! # What decides
//! Lingering: within reach, and for `dwell_secs` not further than 0.75 statures from one spot, on the ground *or*
//! beside the vehicle. A driver who rides along keeps the place beside the vehicle; somebody who walks past a long
//! truck keeps neither.
//!
//! The bare head is voted as in 未戴安全帽, with looks within reach only: `votes_needed` of the newest
//! `votes_window`, by weight too, over at least `dwell_secs`. The alarm waits for the lingering. One event per
//! worker. It ends when the helmet is on, or when the worker is unseen or out of reach for more than 3 s.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `reach` | statures | 1.0 | how near to a vehicle 距车辆范围 |
//! | `dwell_secs` | s | 3 | how long somebody stays 滞留时间 |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote, vehicles below it do not count 置信度阈值 |
//! | `min_target_px` | px | 40 | workers smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `cool_down_secs` | s | 600 | quiet time per worker 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how a worker must lie in a zone 重叠方式 |
//!
//! The event says how far the vehicle was (`vehicle_distance`, statures, with its class) and how long the worker
//! stayed (`lingered_secs`).
//!
//! # How it fails
//! * Nearness is measured in the picture. Somebody who stands far behind a vehicle, feet hidden by it, seems to be at it.
//! * Behind a reflecting wind-screen no head is seen, and nobody is accused.
//! * A guard who stands beside parked cars all day with a bare head is at a vehicle. Draw a zone.

use std::collections::BTreeMap;

use protocol::{BoundingBox, Measure, Point, Task, Timestamp};

use super::{
    Rule,
    bare_heads::{BareHeads, Sighting},
    decisions_with, ends, measure,
};
use crate::{
    decision::Decision,
    numbers::Numbers,
    place::HEADS_PER_STATURE,
    scene::Scene,
    subject::{Hold, Look},
    tracker::Observation,
};

/// Who stays within this many statures of one spot lingers there.
const LINGER_RADIUS: f32 = 0.75;

/// State of one task; subjects are workers.
#[derive(Debug, Default)]
pub(crate) struct OccupantNoHelmet {
    heads: BareHeads,
    stays: BTreeMap<u64, Stay>,
    vehicles: BTreeMap<u64, Vehicle>,
}

/// A vehicle where it was seen last.
#[derive(Clone, Copy, Debug)]
struct Vehicle {
    track: u64,
    seen_at: Timestamp,
    seen: Observation,
}

/// Somebody's stay at a vehicle.
#[derive(Debug)]
struct Stay {
    since: Timestamp,
    seen_at: Timestamp,
    vehicle: u64,
    /// Where the head was when it began, in the picture and from the vehicle's middle, in picture heights.
    ground: Point,
    beside: Point,
}

/// The nearest vehicle of somebody.
struct Near<'a> {
    vehicle: &'a Vehicle,
    /// In statures of the worker.
    distance: f32,
}

impl Rule for OccupantNoHelmet {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        let sightings = self.heads.sightings(scene, &mut changes);
        self.see_vehicles(scene, task);
        let (vehicles, stays) = (&self.vehicles, &mut self.stays);
        let mut looks: Vec<Look> = Vec::new();
        for sighting in &sightings {
            let near = nearest(vehicles, scene, task, sighting);
            stay(stays, scene, sighting, near.as_ref());
            let zone = sighting.body().and_then(|body| task.zone_of_box(&body)).filter(|_| near.is_some());
            looks.extend(sighting.look(scene, task, zone));
        }
        stays.retain(|_, stay| scene.at.since(stay.seen_at).as_secs_f32() <= scene.patience_secs);
        let lingered = |key: u64| stays.get(&key).map_or(0.0, |stay| scene.at.since(stay.since).as_secs_f32());
        let hold = |look: &Look| if lingered(look.key) >= task.params.dwell_secs { Hold::No } else { Hold::Wait };
        self.heads.subjects.step_unless(scene, &task.params, &looks, hold, alarms, &mut changes);
        let find = |key| sightings.iter().find(|s| s.key == key);
        let about = |key| find(key).and_then(|s| s.about(scene, task.zone_of_box(&s.body()?)?.name));
        let measures = |key| {
            let mut measures = vec![measure("lingered_secs", lingered(key), Some(task.params.dwell_secs))];
            let Some(sighting) = find(key) else { return measures };
            measures.extend(nearest(vehicles, scene, task, sighting).map(|near| near.measure(scene, task)));
            measures.extend(sighting.head_size(scene));
            measures
        };
        decisions_with(scene, task, changes, about, measures, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.heads.subjects.end_all(at, &mut changes);
        self.stays.clear();
        self.vehicles.clear();
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        self.heads.alarmed_tracks(out);
    }
}

impl OccupantNoHelmet {
    fn see_vehicles(&mut self, scene: &Scene<'_>, task: &Task) {
        self.vehicles.retain(|_, v| scene.at.since(v.seen_at).as_secs_f32() <= scene.grace_secs);
        for vehicle in scene.vehicles.iter().filter(|v| v.seen.score >= task.params.min_score) {
            let seen = Vehicle { track: vehicle.id, seen_at: scene.at, seen: vehicle.seen };
            self.vehicles.insert(vehicle.id, seen);
        }
    }
}

/// Goes on with somebody's stay, or begins it anew where the worker is now.
fn stay(stays: &mut BTreeMap<u64, Stay>, scene: &Scene<'_>, sighting: &Sighting<'_>, near: Option<&Near<'_>>) {
    let (Some(near), Some((head, stature))) = (near, head(sighting)) else { return };
    let ground = Point::new(head.x * scene.aspect, head.y);
    let center = near.vehicle.seen.bbox.center();
    let beside = Point::new(ground.x - center.x * scene.aspect, ground.y - center.y);
    let fresh = || Stay { since: scene.at, seen_at: scene.at, vehicle: near.vehicle.track, ground, beside };
    let stay = stays.entry(sighting.key).or_insert_with(fresh);
    let away = |from: Point, to: Point| (from.x - to.x).hypot(from.y - to.y) / stature;
    let rides_along = stay.vehicle == near.vehicle.track && away(stay.beside, beside) <= LINGER_RADIUS;
    if rides_along || away(stay.ground, ground) <= LINGER_RADIUS {
        stay.seen_at = scene.at;
    } else {
        *stay = fresh();
    }
}

impl Near<'_> {
    fn measure(&self, scene: &Scene<'_>, task: &Task) -> Measure {
        let label = Some(scene.classes.name(self.vehicle.seen.class).to_owned());
        Measure { label, ..measure("vehicle_distance", self.distance, Some(task.params.reach)) }
    }
}

/// Where a worker stands (of a head that is seen alone: where it is), and the height of the body in picture heights.
fn standpoint(sighting: &Sighting<'_>) -> Option<(Point, f32)> {
    match (sighting.person, sighting.head) {
        (Some(person), _) => Some((person.seen.bbox.foot_point(), person.seen.bbox.h)),
        (None, Some(head)) => Some((head.seen.bbox.center(), head.seen.bbox.h * HEADS_PER_STATURE)),
        (None, None) => None,
    }
}

/// Where a worker's head is, whether the person is seen or only the head, and the height of the body.
fn head(sighting: &Sighting<'_>) -> Option<(Point, f32)> {
    let (point, stature) = standpoint(sighting)?;
    let up = if sighting.person.is_some() { stature * (1.0 - 0.5 / HEADS_PER_STATURE) } else { 0.0 };
    Some((Point::new(point.x, point.y - up), stature))
}

/// The nearest vehicle within reach.
fn nearest<'v>(
    vehicles: &'v BTreeMap<u64, Vehicle>,
    scene: &Scene<'_>,
    task: &Task,
    sighting: &Sighting<'_>,
) -> Option<Near<'v>> {
    let (point, stature) = standpoint(sighting)?;
    let near = vehicles.values().map(|vehicle| Near {
        vehicle,
        distance: distance(point, &vehicle.seen.bbox, scene.aspect) / stature.max(1e-4),
    });
    near.filter(|n| n.distance <= task.params.reach).min_by(|a, b| a.distance.total_cmp(&b.distance))
}

/// Distance of a point from a box in picture heights; 0 inside.
fn distance(point: Point, bbox: &BoundingBox, aspect: f32) -> f32 {
    let dx = (bbox.x - point.x).max(point.x - bbox.x - bbox.w).max(0.0) * aspect;
    let dy = (bbox.y - point.y).max(point.y - bbox.y - bbox.h).max(0.0);
    dx.hypot(dy)
}
