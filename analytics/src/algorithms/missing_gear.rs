//! Gear on the body that is missing: the part that 未穿救生衣 and 未系安全带 share.

use protocol::{BoundingBox, ClassTable, Task, Timestamp};

use super::{About, Rule, decisions_with, ends, measure};
use crate::{
    clarity,
    decision::Decision,
    numbers::Numbers,
    place::Place,
    scene::Scene,
    subject::{Look, Subjects},
    tracker::Track,
    votes::Vote,
};

/// A body of this height in pixels is as good to see as any larger one.
const CLEAR_BODY_PX: f32 = 160.0;
/// How far, as a share of its score, one class must be ahead of the other to accuse, and to clear.
const CLEAR_ACCUSATION: f32 = 0.2;
const CLEAR_ACQUITTAL: f32 = 0.1;

/// Where somebody must wear it: the name of the place and the smallest confidence there.
pub(super) type Where = fn(&Task, &BoundingBox) -> Option<(String, f32)>;

/// State of one task; subjects are person tracks.
#[derive(Debug)]
pub(crate) struct MissingGear {
    /// The class of a person with the gear, and without it.
    pair: [&'static str; 2],
    must_wear: Where,
    subjects: Subjects,
}

impl MissingGear {
    pub(super) fn new(pair: [&'static str; 2], must_wear: Where) -> Self {
        Self { pair, must_wear, subjects: Subjects::default() }
    }

    fn look(&self, scene: &Scene<'_>, task: &Task, person: &Track) -> Look {
        let bbox = &person.seen.bbox;
        let place = (self.must_wear)(task, bbox);
        let tall_enough = scene.pixels(bbox) >= task.params.min_target_px as f32;
        let vote = place.as_ref().filter(|_| tall_enough);
        Look {
            key: person.id,
            track: person.id,
            place: Place::of_person(bbox, scene.aspect),
            moved: person.moved,
            inside: place.is_some(),
            vote: vote.and_then(|(_, min_score)| self.vote(scene, *min_score, person)),
        }
    }

    fn vote(&self, scene: &Scene<'_>, min_score: f32, person: &Track) -> Option<Vote> {
        let score_of = |name: &str| {
            let class = scene.classes.id(name)?;
            scene.worn.iter().find(|w| w.person == person.id && w.class == class).map(|w| w.score)
        };
        let [worn, missing] = self.pair.map(|name| score_of(name).unwrap_or(0.0));
        let violation = missing > worn;
        let (score, rival) = if violation { (missing, worn) } else { (worn, missing) };
        if score < min_score {
            return None;
        }
        let clear = 1.0 - rival / score;
        let enough = if violation { CLEAR_ACCUSATION } else { CLEAR_ACQUITTAL };
        let weight = clarity::of_body(scene, person, CLEAR_BODY_PX) * score * clear;
        (clear >= enough && weight > 0.0).then_some(Vote { violation, weight, score })
    }
}

impl Rule for MissingGear {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let looks: Vec<Look> = scene.persons.iter().map(|person| self.look(scene, task, person)).collect();
        let mut changes = Vec::new();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let find = |key| scene.persons.iter().find(|p| p.id == key);
        let about = |key| {
            let person = find(key)?;
            let (zone, _) = (self.must_wear)(task, &person.seen.bbox)?;
            let tracks = scene.together(key).iter().map(|t| t.id).collect();
            Some(About { zone, tracks, path: person.history.path(key, scene.classes) })
        };
        let measures = |key| {
            let limit = Some(task.params.min_target_px as f32);
            let pixels = find(key).map(|p| measure("person_px", scene.pixels(&p.seen.bbox), limit));
            pixels.into_iter().collect()
        };
        decisions_with(scene, task, changes, about, measures, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }
}

/// The pair of classes to which `missing` belongs.
pub(super) fn pair(missing: &str) -> [&'static str; 2] {
    let found = ClassTable::WORN.into_iter().find(|pair| pair[1] == missing);
    found.expect("the rules name classes of the table")
}
