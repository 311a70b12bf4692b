//! 工程车辆识别 (requirement A5): machines and lorries that enter the site, each recognised and logged, and counted per
//! class and hour.
//!
//! # What is seen
//! Tracked vehicles: all classes of vehicles share one kind of track, so that a vehicle keeps its number while its class
//! is voted on. A look's weight is its size (full at 80 px) × score × how clearly its class won. 工程车辆 are dump truck
//! 渣土车, mixer 混凝土搅拌车, excavator 挖掘机, loader 装载车, crane 起重运输车, bulldozer 推土机, forklift 叉车, lorry 货车 and
//! other machines; cars, buses and special vehicles are counted, but make no event. A vehicle stands on the middle of
//! its box's lower edge.
//!
//! # What decides
//! **With a drawn line** 进出线: crossing it. A line that counts rightward (seen along its drawing direction) is entered
//! rightward and left leftward; one that counts leftward the other way round; a plain line makes an event either way
//! and counts rightward as in. Standing on the line, or shaking over it, is no crossing: the vehicle must get clear of it
//! on both sides.
//!
//! **Without a line**: coming into the include zone (the whole picture, when none is drawn). Only who comes from
//! outside enters: first seen outside the zone, or at the edge of the picture. A machine that works in the zone all
//! day, and is lost and found again, does not enter each time; a parked one never does. It has left when it is seen
//! outside again, or vanishes at the edge of the picture.
//!
//! Then, as for persons, votes and `dwell_secs`. One event per vehicle, over when it leaves or is unseen. Counts do not
//! depend on events: cool-downs do not hide vehicles from the log.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote 置信度阈值 |
//! | `min_target_px` | px | 40 | vehicles lower than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票; also the looks before a class is believed |
//! | `dwell_secs` | s | 1 | 持续时间 |
//! | `sample_fps` | 1/s | 2 | looks per second 采样频率 |
//! | `cool_down_secs` | s | 600 | quiet time per vehicle 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! Measures of an event: `vehicle_class` (share of the class votes, its label is the class) and, with a line,
//! `crossed` (1 for in, −1 for out; its label is the line's name).
//!
//! # How it fails
//! * A vehicle that is hidden while it crosses, and comes out behind under another number, is not counted.
//! * A convoy, bumper to bumper, may be one box.
//! * A model that knows only `truck` logs lorries; a second stage refines the class before it comes here.

mod gate;

use std::collections::BTreeMap;

use protocol::{BoundingBox, LineKind, Task, Timestamp};

use self::gate::{Gate, Way};
use super::{
    About, Rule,
    condition::measure,
    decisions, ends,
    vehicle_class::{ClassVotes, clarity, is_machine},
};
use crate::{
    counts::Passage,
    decision::Decision,
    numbers::Numbers,
    place::Place,
    scene::Scene,
    subject::{Look, Subjects},
    tracker::Track,
    votes::Vote,
};

/// A box this near to the edge of the picture comes from outside, or goes there; shares of the picture.
const PICTURE_EDGE: f32 = 0.02;
/// Vehicles that are remembered.
const MOST_VEHICLES: usize = 512;

/// State of one construction vehicle task; subjects are vehicle tracks.
#[derive(Debug, Default)]
pub(crate) struct ConstructionVehicle {
    subjects: Subjects,
    vehicles: BTreeMap<u64, Vehicle>,
    passages: Vec<Passage>,
}

/// A vehicle over time.
#[derive(Debug)]
struct Vehicle {
    seen_at: Timestamp,
    bbox: BoundingBox,
    classes: ClassVotes,
    gate: Gate,
    /// Newest crossing that counts: the line's index, and whether inwards.
    crossed: Option<(usize, bool)>,
    /// First seen outside the zone, or at the edge of the picture.
    from_outside: bool,
    /// Looks inside and outside in a row.
    inside: u32,
    outside: u32,
    /// Whether it is in, as far as the zone knows; and whether its entry is counted.
    is_in: bool,
    moved: bool,
    /// Passages whose class is not known yet.
    waiting: Vec<(Timestamp, bool)>,
}

impl Rule for ConstructionVehicle {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let looks: Vec<Look> = scene.vehicles.iter().filter_map(|track| self.look(track, scene, task)).collect();
        let mut changes = Vec::new();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let about = |key| {
            let track = scene.vehicles.iter().find(|v| v.id == key)?;
            let zone = task.zone_of(track.seen.bbox.foot_point()).unwrap_or_default().to_owned();
            Some(About { zone, tracks: vec![key], path: track.history.path(key, scene.classes) })
        };
        let before = out.len();
        decisions(scene, task, changes, about, out);
        for decision in &mut out[before..] {
            let Decision::Raise(raise) = decision else { continue };
            let Some(vehicle) = raise.track.and_then(|t| self.vehicles.get(&t)) else { continue };
            raise.why.measures = vehicle.measures(scene, task);
        }
        self.forget_the_gone(scene, task);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        self.vehicles.clear();
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }

    fn take_passages(&mut self, each: &mut dyn FnMut(Passage)) {
        self.passages.drain(..).for_each(each);
    }
}

/// The lines that are crossed.
fn lines(task: &Task) -> impl Iterator<Item = (usize, &protocol::LineSpec)> {
    task.lines.iter().enumerate().filter(|(_, l)| l.kind != LineKind::Height)
}

impl ConstructionVehicle {
    fn look(&mut self, track: &Track, scene: &Scene<'_>, task: &Task) -> Option<Look> {
        let (seen, params) = (&track.seen, &task.params);
        let foot = seen.bbox.foot_point();
        let inside = task.zone_of(foot).is_some();
        if !self.vehicles.contains_key(&track.id) {
            if self.vehicles.len() >= MOST_VEHICLES {
                return None;
            }
            let from_outside = !inside || touches_edge(&seen.bbox);
            self.vehicles.insert(track.id, Vehicle::new(scene.at, seen.bbox, from_outside));
        }
        let vehicle = self.vehicles.get_mut(&track.id)?;
        let clear = seen.score >= params.min_score && scene.pixels(&seen.bbox) >= params.min_target_px as f32;
        (vehicle.seen_at, vehicle.bbox, vehicle.moved) = (scene.at, seen.bbox, track.moved);
        if clear {
            vehicle.classes.push(seen.class, clarity(scene, track));
            (vehicle.inside, vehicle.outside) = if inside { (vehicle.inside + 1, 0) } else { (0, vehicle.outside + 1) };
        }
        let has_lines = lines(task).next().is_some();
        if has_lines {
            vehicle.cross(task, scene);
        } else {
            vehicle.enter(params.votes_needed, scene.at);
        }
        let class = vehicle.classes.winner(params.votes_needed, scene.classes, |_| true).map(|(class, _)| class);
        if let Some(class) = class {
            let passed = vehicle.waiting.drain(..);
            self.passages.extend(passed.map(|(at, entered)| Passage { at, kind: class.to_owned(), entered }));
        }
        let came = if has_lines {
            vehicle.crossed.map(|(line, inwards)| inwards || task.lines[line].kind == LineKind::Crossing)
        } else {
            came_in(vehicle, inside)
        };
        let vote = class.zip(came).filter(|_| clear).map(|(class, came)| Vote {
            violation: came && is_machine(class),
            weight: clarity(scene, track),
            score: seen.score,
        });
        Some(Look {
            key: track.id,
            track: track.id,
            place: Place::of_person(&seen.bbox, scene.aspect),
            moved: track.moved,
            inside: has_lines || inside,
            vote,
        })
    }

    /// Who vanished at the edge of the picture has left; passages of unknown class are counted as the likeliest.
    fn forget_the_gone(&mut self, scene: &Scene<'_>, task: &Task) {
        let has_lines = lines(task).next().is_some();
        let passages = &mut self.passages;
        self.vehicles.retain(|_, vehicle| {
            if scene.at.since(vehicle.seen_at).as_secs_f32() <= scene.patience_secs {
                return true;
            }
            if !has_lines && vehicle.is_in && vehicle.moved && touches_edge(&vehicle.bbox) {
                vehicle.waiting.push((vehicle.seen_at, false));
            }
            let class = vehicle.classes.winner(1, scene.classes, |_| true);
            if let Some((class, _)) = class {
                let passed = vehicle.waiting.drain(..);
                passages.extend(passed.map(|(at, entered)| Passage { at, kind: class.to_owned(), entered }));
            }
            false
        });
    }
}

/// What a look inside or outside the zone says; `None` when it says nothing.
fn came_in(vehicle: &Vehicle, inside: bool) -> Option<bool> {
    if inside { (vehicle.moved && vehicle.from_outside).then_some(true) } else { Some(false) }
}

impl Vehicle {
    fn new(at: Timestamp, bbox: BoundingBox, from_outside: bool) -> Self {
        Self {
            seen_at: at,
            bbox,
            classes: ClassVotes::default(),
            gate: Gate::default(),
            crossed: None,
            from_outside,
            inside: 0,
            outside: 0,
            is_in: !from_outside,
            moved: false,
            waiting: Vec::new(),
        }
    }

    fn cross(&mut self, task: &Task, scene: &Scene<'_>) {
        for (index, line) in lines(task) {
            let Some(way) = self.gate.step(index, &line.points, &self.bbox, scene.aspect) else { continue };
            let inwards = (way == Way::Rightward) != (line.kind == LineKind::CrossingLeftward);
            self.crossed = Some((index, inwards));
            self.waiting.push((scene.at, inwards));
        }
    }

    fn enter(&mut self, looks_needed: u32, at: Timestamp) {
        if !self.is_in && self.moved && self.from_outside && self.inside >= looks_needed {
            self.is_in = true;
            self.waiting.push((at, true));
        } else if self.is_in && self.moved && self.outside >= looks_needed {
            self.is_in = false;
            self.from_outside = true;
            self.waiting.push((at, false));
        }
    }

    fn measures(&self, scene: &Scene<'_>, task: &Task) -> Vec<protocol::Measure> {
        let class = self.classes.winner(1, scene.classes, |_| true);
        let mut measures: Vec<_> =
            class.into_iter().map(|(class, share)| measure("vehicle_class", share, None, Some(class))).collect();
        if let Some((line, inwards)) = self.crossed {
            let way = if inwards { 1.0 } else { -1.0 };
            measures.push(measure("crossed", way, None, task.lines.get(line).map(|l| l.name.as_str())));
        }
        measures
    }
}

fn touches_edge(bbox: &BoundingBox) -> bool {
    bbox.x <= PICTURE_EDGE
        || bbox.y <= PICTURE_EDGE
        || bbox.x + bbox.w >= 1.0 - PICTURE_EDGE
        || bbox.y + bbox.h >= 1.0 - PICTURE_EDGE
}
