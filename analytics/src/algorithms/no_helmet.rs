//! 未戴安全帽 (requirement A0): a worker's bare head.
//!
//! # What is seen
//! Tracked persons, and tracked heads: boxes of the classes `helmet` (a head with a helmet on 安全帽) and `head`
//! (a bare head) are one kind, so that a head keeps its track when the helmet comes off. Where both classes are
//! seen at one place the better score wins, and the look counts the less, the closer the other one comes; within
//! 20 % it does not accuse at all.
//!
//! A head belongs to the person in whose upper third its centre lies. The subject is the **worker**: a person
//! and its head, together or one of them alone, under one number. Far away, or behind others, the head alone is
//! the worker; when the person's box turns up later it joins, and the two never alarm both. A head lower in a
//! person's box (a helmet in the hand, somebody bent down in front) says nothing.
//!
//! # What decides
//! Each clear look at the head votes. A vote's weight is the head's size (full at 24 px) × score × how clearly
//! one class won. Of the newest `votes_window` votes at least `votes_needed` must show a bare head, and their
//! weight must be that share too, where a look at a helmet never weighs less than one half: slow to accuse. The
//! first such look must be at least `dwell_secs` ago. One event per worker. It ends when the votes clear the
//! worker (the helmet is on) or when the worker is unseen, or outside the zone, for more than 3 s.
//!
//! The worker is where the feet are: the lower edge of the person's box, or 7.5 heads below the crown when only
//! the head is seen.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote 置信度阈值 |
//! | `min_target_px` | px | 40 | workers smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 2 | 持续时间 |
//! | `cool_down_secs` | s | 600 | quiet time per worker 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! # How it fails
//! * Caps and hoods look like helmets, bright hair like a cap: the model decides, the votes only average it.
//! * A camera that looks steeply down makes 7.5 heads too long: a worker seen by the head alone seems to stand
//!   nearer than true. Keep zones of such cameras generous.
//! * Two workers who cross behind a pillar may swap numbers. The votes then clear the one and, after a new
//!   dwell, accuse the other: right people, one event more.

mod workers;

use protocol::{Point, Task, TaskParams, Timestamp};

use self::workers::Workers;
use super::{About, Rule, decisions, ends};
use crate::{
    decision::Decision,
    numbers::Numbers,
    pairing::HeadOf,
    place::{HEADS_PER_STATURE, Place, foot_below_head},
    scene::Scene,
    subject::{Look, Subjects},
    tracker::Track,
    votes::Vote,
};

/// A head of this height in pixels is as good to see as any larger one.
const CLEAR_HEAD_PX: f32 = 24.0;
/// Even the smallest head counts this much.
const SMALLEST_HEAD_WEIGHT: f32 = 0.25;
/// How far, as a share of its score, one class must be ahead of the other to accuse, and to clear.
const CLEAR_ACCUSATION: f32 = 0.2;
const CLEAR_ACQUITTAL: f32 = 0.1;

/// State of one no-helmet task; subjects are workers.
#[derive(Debug, Default)]
pub(crate) struct NoHelmet {
    workers: Workers,
    subjects: Subjects,
}

/// A worker on this frame.
struct Sighting<'a> {
    key: u64,
    person: Option<&'a Track>,
    head: Option<&'a Track>,
    /// Whether what is seen of the head may vote.
    votes: bool,
}

impl Rule for NoHelmet {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        let sightings = self.sightings(scene, &mut changes);
        let looks: Vec<Look> = sightings.iter().filter_map(|s| s.look(scene, task)).collect();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let about = |key| {
            let sighting = sightings.iter().find(|s| s.key == key)?;
            let zone = task.zone_of(sighting.foot()?)?.to_owned();
            let path = sighting.person.or(sighting.head).map(|t| t.history.path(t.id, scene.classes))?;
            let tracks = sighting.person.iter().chain(&sighting.head).map(|t| t.id).collect();
            Some(About { zone, tracks, path })
        };
        decisions(scene, task, changes, about, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        for key in self.subjects.alarmed() {
            out.extend(self.workers.tracks_of(key));
        }
    }
}

impl NoHelmet {
    /// Says who is seen: pairs first, then persons without a head, then heads without a person.
    fn sightings<'a>(&mut self, scene: &Scene<'a>, changes: &mut Vec<crate::subject::Change>) -> Vec<Sighting<'a>> {
        let mut sightings = Vec::new();
        self.workers.begin(scene);
        for (person, head) in pairs(scene) {
            let Some(head) = head else { continue };
            let (key, merged) = self.workers.of_pair(person.id, head.id);
            if let Some(merged) = merged {
                self.subjects.merge(key, merged, scene.at, changes);
            }
            sightings.push(Sighting { key, person: Some(person), head: Some(head), votes: true });
        }
        for (person, head) in pairs(scene) {
            if head.is_none() {
                let key = self.workers.of_person(person.id);
                sightings.push(Sighting { key, person: Some(person), head: None, votes: false });
            }
        }
        for (head, whose) in scene.heads.iter().zip(&scene.heads_of) {
            if matches!(whose, HeadOf::Person(_)) {
                continue;
            }
            let clear = *whose == HeadOf::Nobody;
            if let Some(key) = self.workers.of_lone_head(head.id, clear) {
                sightings.push(Sighting { key, person: None, head: Some(head), votes: clear });
            }
        }
        sightings
    }
}

fn pairs<'s, 'a>(scene: &'s Scene<'a>) -> impl Iterator<Item = (&'a Track, Option<&'a Track>)> + use<'s, 'a> {
    scene.persons.iter().enumerate().map(|(p, person)| {
        let head = scene.heads_of.iter().position(|h| *h == HeadOf::Person(p)).map(|h| scene.heads[h]);
        (*person, head)
    })
}

impl Sighting<'_> {
    fn foot(&self) -> Option<Point> {
        let person = self.person.map(|p| p.seen.bbox.foot_point());
        person.or_else(|| self.head.map(|h| foot_below_head(&h.seen.bbox)))
    }

    fn look(&self, scene: &Scene<'_>, task: &Task) -> Option<Look> {
        let inside = task.zone_of(self.foot()?).is_some();
        let track = self.person.or(self.head)?;
        let (place, pixels) = match (self.person, self.head) {
            (Some(person), _) => (Place::of_person(&person.seen.bbox, scene.aspect), scene.pixels(&person.seen.bbox)),
            (None, head) => {
                let bbox = &head?.seen.bbox;
                (Place::of_head(bbox, scene.aspect), scene.pixels(bbox) * HEADS_PER_STATURE)
            }
        };
        let tall_enough = pixels >= task.params.min_target_px as f32;
        let head = self.head.filter(|_| self.votes && tall_enough && inside);
        Some(Look {
            key: self.key,
            track: track.id,
            place,
            moved: track.moved,
            inside,
            vote: head.and_then(|h| vote(scene, &task.params, h)),
        })
    }
}

fn vote(scene: &Scene<'_>, params: &TaskParams, head: &Track) -> Option<Vote> {
    let seen = &head.seen;
    if seen.score < params.min_score {
        return None;
    }
    let size = (scene.pixels(&seen.bbox) / CLEAR_HEAD_PX).clamp(SMALLEST_HEAD_WEIGHT, 1.0);
    let clarity = (1.0 - seen.rival / seen.score).max(0.0);
    let violation = Some(seen.class) == scene.bare_head;
    let enough = if violation { CLEAR_ACCUSATION } else { CLEAR_ACQUITTAL };
    (clarity >= enough).then_some(Vote { violation, weight: size * seen.score * clarity, score: seen.score })
}
