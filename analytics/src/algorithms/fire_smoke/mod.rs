//! 烟火检测 (requirement A7): fire 明火 or smoke 烟雾 on the site.
//!
//! # What is seen
//! Boxes of the classes `fire` and `smoke`, untracked: at one look per second flames have no identity that a tracker
//! could follow. What burns stays where it burns, so boxes that touch (or nearly) from look to look are one **place**;
//! the smoke above a fire belongs to the fire's place. Boxes smaller than 0.1 % of the picture, mostly inside an
//! exclude zone (a welding place 焊接屏蔽区), inside a person's box (a reflective vest 反光衣) or small within a
//! vehicle's box (head and tail lamps) say nothing.
//!
//! # What decides
//! Per place, `votes_needed` of the newest `votes_window` looks must show it, and it must be **alive**: its area and
//! score flicker 闪烁, or it keeps growing, over the newest 8 (smoke: 16), at least 5 looks. Spread is measured by the median
//! deviation, so that somebody who walks past a lamp does not make it flicker, and against what pixels alone do to a
//! small box. It must also stay at its root: from the older half of the looks to the newer one the middle of the lower
//! edge wanders less than half the box's size (smoke: its size). A work lamp, the low sun on steel, a sodium lamp are constant; a vest on a walking worker wanders.
//!
//! Fire must last `dwell_secs`, smoke alone `smoke_dwell_secs`: dust and steam are gone by then. One alarm per place.
//! Fire is red 重大, smoke alone orange 较大; a task whose grade is not the algorithm's own keeps its grade for both.
//! The alarm **escalates** instead of repeating: when fire shows where only smoke was, and each time the area has
//! doubled (three times at most), the same event gets a higher grade and newer counts. It ends when the votes clear
//! the place, or nothing was seen of it for 30 s (at slow looks: 10 looks). Alarmed places that grow together are one.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | boxes below it do not count 置信度阈值; a zone may have its own |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 3 | how long fire must last 明火持续时间 |
//! | `smoke_dwell_secs` | s | 10 | how long smoke alone must last 烟雾持续时间 |
//! | `sample_fps` | 1/s | 1 | looks per second 采样频率 |
//! | `cool_down_secs` | s | 300 | quiet time per place 单点抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! Measures of an event: `flicker` (1 and more is alive; its label says `fire` or `smoke`), `growth` (area now ÷
//! area then, 1.5 and more is growing), `area` (share of the picture).
//!
//! # How it fails
//! * Welding outside the drawn zone flickers like fire. Draw exclude zones where welding is planned.
//! * A flag, or a tarpaulin in the colour of fire, that waves in one place: the model must tell it apart.
//! * Fog and exhaust that hang for longer than the smoke's dwell and change their shape.
//! * A gas flame that burns without any flicker is taken for a lamp.

mod liveliness;

use std::collections::VecDeque;

use protocol::{BoundingBox, Severity, Task, Timestamp};

use self::liveliness::{Liveliness, Sight};
use super::{
    Rule,
    area::{Found, around, covered, excluded_share, found, inflated, least_score, min_score_in, touched_zone},
    condition::{Condition, Finding, Pace, TaskQuiet, counting, measure, with_context},
};
use crate::{
    decision::{Decision, Escalation},
    numbers::Numbers,
    scene::Scene,
    votes::Counting,
};

/// Smaller boxes say nothing, share of the picture (published practice of the field: 0.1 %).
const SMALLEST: f32 = 0.001;
/// Boxes with this share inside exclude zones are masked.
const MASKED: f32 = 0.5;
/// So much of a box inside a person's box: worn by the person.
const WORN: f32 = 0.7;
/// So much of a box inside a vehicle's, and at most such a share of it: a lamp of the vehicle.
const LAMP: (f32, f32) = (0.9, 0.15);
/// People and vehicles are remembered so long, seconds: their model may run on other frames.
const BYSTANDERS_SECS: f32 = 1.5;
/// Boxes this near, in shares of the place's size, belong to the place.
const NEAR: f32 = 0.3;
/// A place is over, and later forgotten, after so long unseen, seconds; at least so many looks.
const PATIENCE: (f32, f32) = (30.0, 10.0);
const MOST_PLACES: usize = 32;
/// An alarm escalates each time its area has grown by this factor, and at most so often.
const DOUBLED: f32 = 2.0;
const MOST_ESCALATIONS: u32 = 4;

/// State of one fire task.
#[derive(Debug, Default)]
pub(crate) struct FireSmoke {
    pace: Pace,
    places: Vec<Place>,
    bystanders: Vec<Bystander>,
    quiet: TaskQuiet,
}

#[derive(Clone, Copy, Debug)]
struct Bystander {
    at: Timestamp,
    person: bool,
    bbox: BoundingBox,
}

/// Something that burns, or looks like it.
#[derive(Debug)]
struct Place {
    bbox: BoundingBox,
    seen_at: Timestamp,
    fires: VecDeque<Sight>,
    smokes: VecDeque<Sight>,
    /// Fire alone.
    fire: Condition,
    /// Fire or smoke; holds the alarm.
    any: Condition,
    grade: Option<Grade>,
}

/// What an open alarm has said so far.
#[derive(Clone, Copy, Debug)]
struct Grade {
    severity: Severity,
    fire: bool,
    area: f32,
    escalations: u32,
}

/// A place that is established on this look.
struct Established {
    fire: bool,
    since: Timestamp,
    dwell_secs: f32,
    alive: Liveliness,
}

impl Rule for FireSmoke {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        self.remember_bystanders(scene);
        let classes = [scene.classes.id("fire"), scene.classes.id("smoke")];
        let mut boxes = found(scene, &classes, least_score(task));
        boxes.retain(|f| self.counts(task, f));
        if self.pace.is_look(scene, task, &classes, !boxes.is_empty()) {
            let counting = counting(&task.params);
            let of_place = self.assign(scene, &boxes);
            for (index, own) in of_place.iter().enumerate() {
                let place = &mut self.places[index];
                let (fires, smokes): (Vec<Found>, Vec<Found>) = own.iter().partition(|f| Some(f.class) == classes[0]);
                if let Some(alarm) = place.look(scene, &fires, &smokes, &counting) {
                    place.grade = None;
                    out.push(Decision::End { alarm, at: scene.at });
                }
                if !own.is_empty() {
                    self.judge(index, own, scene, task, &counting, alarms, out);
                }
            }
            self.grow_together(scene, out);
        }
        let patience_secs = PATIENCE.0.max(PATIENCE.1 / task.params.sample_fps);
        self.end_for_the_absent(scene, patience_secs, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let ends = self.places.drain(..).filter_map(|mut p| p.any.end());
        out.extend(ends.map(|alarm| Decision::End { alarm, at }));
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}

impl FireSmoke {
    fn remember_bystanders(&mut self, scene: &Scene<'_>) {
        let (at, persons, vehicles) = (scene.at, !scene.persons.is_empty(), !scene.vehicles.is_empty());
        self.bystanders.retain(|b| {
            let seen_again = if b.person { persons } else { vehicles };
            !seen_again && at.since(b.at).as_secs_f32() <= BYSTANDERS_SECS
        });
        let now = |person: bool, bbox: BoundingBox| Bystander { at, person, bbox };
        self.bystanders.extend(scene.persons.iter().map(|t| now(true, t.seen.bbox)));
        self.bystanders.extend(scene.vehicles.iter().map(|t| now(false, t.seen.bbox)));
    }

    fn counts(&self, task: &Task, found: &Found) -> bool {
        let bbox = &found.bbox;
        let worn = |b: &Bystander| {
            let inside = covered(bbox, &b.bbox);
            if b.person { inside >= WORN } else { inside >= LAMP.0 && bbox.area() <= LAMP.1 * b.bbox.area() }
        };
        bbox.area() >= SMALLEST
            && touched_zone(task, bbox).is_some_and(|zone| found.score >= min_score_in(task, zone))
            && excluded_share(task, bbox) < MASKED
            && !self.bystanders.iter().any(worn)
    }

    /// Gives each box to its place, and makes places for the boxes that have none.
    fn assign(&mut self, scene: &Scene<'_>, boxes: &[Found]) -> Vec<Vec<Found>> {
        let mut of_place = vec![Vec::new(); self.places.len()];
        for found in boxes {
            let reach = |place: &Place| inflated(&place.bbox, NEAR).intersection(&found.bbox);
            let nearest = (0..self.places.len())
                .filter(|&i| reach(&self.places[i]) > 0.0)
                .max_by(|&a, &b| reach(&self.places[a]).total_cmp(&reach(&self.places[b])));
            match nearest {
                Some(index) => {
                    if self.places[index].seen_at == scene.at {
                        // Found on this very look: its other boxes are near one another.
                        self.places[index].bbox = around(&self.places[index].bbox, &found.bbox);
                    }
                    of_place[index].push(*found);
                }
                None if self.places.len() < MOST_PLACES => {
                    self.places.push(Place::new(found.bbox, scene.at));
                    of_place.push(vec![*found]);
                }
                None => {}
            }
        }
        of_place
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a look has a place, a scene, a task and two places for what comes out"
    )]
    fn judge(
        &mut self,
        index: usize,
        own: &[Found],
        scene: &Scene<'_>,
        task: &Task,
        counting: &Counting,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) {
        let place = &mut self.places[index];
        let Some(found) = place.established(scene, task, counting) else { return };
        let severity = grade(task, found.fire);
        let area = place.bbox.area();
        let kind = if found.fire { "fire" } else { "smoke" };
        let measures = || {
            vec![
                measure("flicker", found.alive.flicker, Some(1.0), Some(kind)),
                measure("growth", found.alive.growth, Some(liveliness::GROWING), None),
                measure("area", area, Some(SMALLEST), None),
            ]
        };
        let condition = if found.fire { &place.fire } else { &place.any };
        let why = condition.why(scene.at, found.since, found.dwell_secs, counting, measures());
        let score = condition.score();
        let boxes = || with_context(scene, own.iter().map(|f| f.boxed(scene)).collect());
        if let (Some(alarm), Some(before)) = (place.any.alarm(), place.grade) {
            let worse = (found.fire && !before.fire) || area >= DOUBLED * before.area;
            if worse && before.escalations < MOST_ESCALATIONS {
                let severity = severity.max(before.severity);
                let fire = found.fire || before.fire;
                place.grade =
                    Some(Grade { severity, fire, area: area.max(before.area), escalations: before.escalations + 1 });
                out.push(Decision::Escalate(Box::new(Escalation {
                    alarm,
                    at: scene.at,
                    severity,
                    score,
                    boxes: boxes(),
                    why,
                })));
            }
        } else if place.any.is_free(scene.at) && self.quiet.is_over(scene) {
            let zone = touched_zone(task, &place.bbox).unwrap_or_default().to_owned();
            let finding = Finding { severity, zone, since: found.since, score, boxes: boxes(), why };
            if finding.conclude(scene, task, &mut place.any, &mut self.quiet, alarms, out) {
                place.grade = Some(Grade { severity, fire: found.fire, area, escalations: 0 });
            }
        }
    }

    /// Places that were seen on this look and overlap are one; the older one stays.
    fn grow_together(&mut self, scene: &Scene<'_>, out: &mut Vec<Decision>) {
        let mut kept: Vec<Place> = Vec::with_capacity(self.places.len());
        for mut place in self.places.drain(..) {
            let same = |k: &&mut Place| {
                k.seen_at == scene.at && place.seen_at == scene.at && k.bbox.intersection(&place.bbox) > 0.0
            };
            let Some(older) = kept.iter_mut().find(same) else {
                kept.push(place);
                continue;
            };
            older.bbox = around(&older.bbox, &place.bbox);
            if older.any.alarm().is_none() && place.any.alarm().is_some() {
                std::mem::swap(older, &mut place);
                older.bbox = around(&older.bbox, &place.bbox);
            }
            if let Some(alarm) = place.any.end() {
                out.push(Decision::End { alarm, at: scene.at });
            }
        }
        self.places = kept;
    }

    fn end_for_the_absent(&mut self, scene: &Scene<'_>, patience_secs: f32, out: &mut Vec<Decision>) {
        self.places.retain_mut(|place| {
            if scene.at.since(place.seen_at).as_secs_f32() <= patience_secs {
                return true;
            }
            place.grade = None;
            place.fire.end();
            (place.fires, place.smokes) = (VecDeque::new(), VecDeque::new());
            if let Some(alarm) = place.any.end() {
                out.push(Decision::End { alarm, at: place.seen_at });
            }
            place.any.is_quiet(scene.at)
        });
    }
}

impl Place {
    fn new(bbox: BoundingBox, at: Timestamp) -> Self {
        Self {
            bbox,
            seen_at: at,
            fires: VecDeque::new(),
            smokes: VecDeque::new(),
            fire: Condition::default(),
            any: Condition::default(),
            grade: None,
        }
    }

    /// Takes a look; gives the alarm that it ends.
    fn look(&mut self, scene: &Scene<'_>, fires: &[Found], smokes: &[Found], counting: &Counting) -> Option<u64> {
        let best = |found: &[Found]| found.iter().map(|f| f.score).fold(0.0, f32::max);
        let (fire, smoke) = (best(fires), best(smokes));
        let all = fires.iter().chain(smokes).map(|f| f.bbox).reduce(|a, b| around(&a, &b));
        if let Some(bbox) = all {
            (self.bbox, self.seen_at) = (bbox, scene.at);
        }
        liveliness::remember(&mut self.fires, scene, fires);
        liveliness::remember(&mut self.smokes, scene, smokes);
        self.fire.look(scene.at, fire > 0.0, fire, counting);
        self.any.look(scene.at, all.is_some(), fire.max(smoke), counting)
    }

    fn established(&self, scene: &Scene<'_>, task: &Task, counting: &Counting) -> Option<Established> {
        let of = |fire: bool| {
            let (condition, dwell_secs, alive) = if fire {
                (&self.fire, task.params.dwell_secs, liveliness::of_fire(&self.fires, scene))
            } else {
                let alive = liveliness::of_smoke(&self.smokes, scene);
                (&self.any, task.params.smoke_dwell_secs, alive.or(liveliness::of_fire(&self.fires, scene)))
            };
            let since = condition.established(scene.at, dwell_secs, counting)?;
            Some(Established { fire, since, dwell_secs, alive: alive? })
        };
        of(true).or_else(|| of(false))
    }
}

/// Fire as the task says; smoke alone one grade lower, unless somebody chose another grade than the algorithm's own.
fn grade(task: &Task, fire: bool) -> Severity {
    let own = Severity::default_of(task.algorithm);
    if fire || task.severity != own { task.severity } else { Severity::Orange }
}
