//! Who is seen with which head, and what a look at it says: the part that 未戴安全帽 and 驾乘人员未戴安全帽 share.

mod workers;

use protocol::{BoundingBox, InZone, Measure, Task};

use self::workers::Workers;
use super::About;
use crate::{
    clarity,
    pairing::HeadOf,
    place::{HEADS_PER_STATURE, Place, foot_below_head},
    scene::Scene,
    subject::{Change, Look, Subjects},
    tracker::Track,
    votes::Vote,
};

/// How far, as a share of its score, one class must be ahead of the other to accuse, and to clear.
const CLEAR_ACCUSATION: f32 = 0.2;
const CLEAR_ACQUITTAL: f32 = 0.1;
/// A body is about this many heads wide.
const HEADS_PER_SHOULDERS: f32 = 2.5;

/// The workers of one task, and what is held against them.
#[derive(Debug, Default)]
pub(super) struct BareHeads {
    workers: Workers,
    pub(super) subjects: Subjects,
}

/// A worker on this frame.
pub(super) struct Sighting<'a> {
    pub(super) key: u64,
    pub(super) person: Option<&'a Track>,
    pub(super) head: Option<&'a Track>,
    /// Whether what is seen of the head may vote.
    votes: bool,
}

impl BareHeads {
    /// Says who is seen: pairs first, then persons without a head, then heads without a person.
    pub(super) fn sightings<'a>(&mut self, scene: &Scene<'a>, changes: &mut Vec<Change>) -> Vec<Sighting<'a>> {
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

    /// The tracks of everybody with an open alarm.
    pub(super) fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        for key in self.subjects.alarmed() {
            out.extend(self.workers.tracks_of(key));
        }
    }
}

fn pairs<'s, 'a>(scene: &'s Scene<'a>) -> impl Iterator<Item = (&'a Track, Option<&'a Track>)> + use<'s, 'a> {
    scene.persons.iter().enumerate().map(|(p, person)| {
        let head = scene.heads_of.iter().position(|h| *h == HeadOf::Person(p)).map(|h| scene.heads[h]);
        (*person, head)
    })
}

impl Sighting<'_> {
    /// The person's box, or the body that belongs below a head that is seen alone.
    pub(super) fn body(&self) -> Option<BoundingBox> {
        if let Some(person) = self.person {
            return Some(person.seen.bbox);
        }
        let head = &self.head?.seen.bbox;
        let (foot, width) = (foot_below_head(head), head.w * HEADS_PER_SHOULDERS);
        Some(BoundingBox::new(foot.x - width / 2.0, head.y, width, foot.y - head.y))
    }

    /// Height of the body in pixels.
    fn pixels(&self, scene: &Scene<'_>) -> f32 {
        let head = self.head.map_or(0.0, |h| scene.pixels(&h.seen.bbox) * HEADS_PER_STATURE);
        self.person.map_or(head, |p| scene.pixels(&p.seen.bbox))
    }

    /// What is seen of a worker who stands in `zone`; `None` for the zone when the place does not count.
    pub(super) fn look(&self, scene: &Scene<'_>, task: &Task, zone: Option<InZone<'_>>) -> Option<Look> {
        let track = self.person.or(self.head)?;
        let place = match (self.person, self.head) {
            (Some(person), _) => Place::of_person(&person.seen.bbox, scene.aspect),
            (None, head) => Place::of_head(&head?.seen.bbox, scene.aspect),
        };
        let tall_enough = self.pixels(scene) >= task.params.min_target_px as f32;
        let head = self.head.filter(|_| self.votes && tall_enough);
        let vote = head.zip(zone).and_then(|(head, zone)| self.vote(scene, zone.min_score, head));
        Some(Look { key: self.key, track: track.id, place, moved: track.moved, inside: zone.is_some(), vote })
    }

    fn vote(&self, scene: &Scene<'_>, min_score: f32, head: &Track) -> Option<Vote> {
        let seen = &head.seen;
        if seen.score < min_score {
            return None;
        }
        let clarity = (1.0 - seen.rival / seen.score).max(0.0);
        let violation = Some(seen.class) == scene.bare_head;
        let enough = if violation { CLEAR_ACCUSATION } else { CLEAR_ACQUITTAL };
        let weight = clarity::of_head(scene, &seen.bbox, self.person) * seen.score * clarity;
        (clarity >= enough && weight > 0.0).then_some(Vote { violation, weight, score: seen.score })
    }

    /// What an alarm says of this worker.
    pub(super) fn about(&self, scene: &Scene<'_>, zone: &str) -> Option<About> {
        let path = self.person.or(self.head).map(|t| t.history.path(t.id, scene.classes))?;
        let tracks = self.person.iter().chain(&self.head).map(|t| t.id).collect();
        Some(About { zone: zone.to_owned(), tracks, path })
    }

    /// How large the head is, pixels.
    pub(super) fn head_size(&self, scene: &Scene<'_>) -> Option<Measure> {
        self.head.map(|h| super::measure("head_px", scene.pixels(&h.seen.bbox), None))
    }
}
