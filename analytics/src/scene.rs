//! What the rules look at: the tracks of one frame, with heads and persons paired.

use protocol::{BoundingBox, ClassId, ClassTable, Detection, Mute, TimedBox, Timestamp};

use crate::{
    look::{Appearance, PictureLook, ReferenceLook},
    pairing::HeadOf,
    tracker::{Observation, Track},
    worn::Worn,
};

/// The newest frame.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) at: Timestamp,
    /// Picture width ÷ picture height.
    pub(crate) aspect: f32,
    /// Picture height in pixels.
    pub(crate) height: u32,
    pub(crate) classes: &'a ClassTable,
    /// Class of a bare head, if the model has it.
    pub(crate) bare_head: Option<ClassId>,
    /// Persons seen on this frame, by track number.
    pub(crate) persons: Vec<&'a Track>,
    /// Heads seen on this frame, by track number.
    pub(crate) heads: Vec<&'a Track>,
    /// Of every head, whose it is.
    pub(crate) heads_of: Vec<HeadOf>,
    /// Vehicles and machines seen on this frame.
    pub(crate) vehicles: Vec<&'a Track>,
    /// Two-wheelers seen on this frame.
    pub(crate) two_wheelers: Vec<&'a Track>,
    /// Everything else the model knows that was seen on this frame: fire, smoke, ponding, segment …
    pub(crate) others: Vec<&'a Track>,
    /// What the detector saw on this frame, untracked: for what is looked at so seldom that no track holds.
    pub(crate) detections: &'a [Detection],
    /// Classes that were looked for on this frame; `None` when that is not known.
    pub(crate) looked_for: Option<&'a [ClassId]>,
    /// What the persons wear, where somebody looked.
    pub(crate) worn: Vec<Worn>,
    /// Persons whose presence another task of this camera explains.
    pub(crate) explained: Vec<Explained>,
    /// Muted places of the task that looks.
    pub(crate) mutes: &'a [Mute],
    /// Whether the camera is to be quiet for the task that looks.
    pub(crate) camera_quiet: bool,
    /// What looks are worth because of the picture's sharpness, 0.25–1; 1 when it was not measured.
    pub(crate) sharpness: f32,
    /// How the picture is, when it was measured.
    pub(crate) picture: Option<&'a PictureLook>,
    /// Comparisons with approved references.
    pub(crate) references: &'a [ReferenceLook],
    /// What things look like.
    pub(crate) appearance: Option<&'a dyn Appearance>,
    /// How long somebody may be unseen and still be there, seconds; more at a low rate of frames.
    pub(crate) patience_secs: f32,
    /// How long after a loss a newcomer at the same place is the same, seconds.
    pub(crate) inherit_secs: f32,
    /// How long a missed detection is bridged, seconds.
    pub(crate) grace_secs: f32,
}

/// Somebody who is there for a reason that another task found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    /// Track of the person.
    pub(crate) track: u64,
    /// The include zone in which the reason was found, `""` for the whole picture.
    pub(crate) zone: String,
    /// Whether the person still is in a zone of that task.
    pub(crate) here: bool,
    /// Whether it is established; else it is worth waiting for.
    pub(crate) sure: bool,
    /// The reason: a key that the console translates.
    pub(crate) reason: &'static str,
}

impl<'a> Scene<'a> {
    /// The tracks of one subject: `track` itself, and the head or person that is paired with it.
    pub(crate) fn together(&self, track: u64) -> Vec<&'a Track> {
        let person = self.persons.iter().position(|p| p.id == track);
        let head = self.heads.iter().position(|h| h.id == track);
        let partner = match (person, head) {
            (Some(p), _) => self.heads_of.iter().position(|h| *h == HeadOf::Person(p)).map(|h| self.heads[h]),
            (None, Some(h)) => match self.heads_of[h] {
                HeadOf::Person(p) => Some(self.persons[p]),
                HeadOf::Unclear | HeadOf::Nobody => None,
            },
            (None, None) => None,
        };
        self.all().find(|t| t.id == track).into_iter().chain(partner).collect()
    }

    /// Every track on the frame.
    fn all(&self) -> impl Iterator<Item = &'a Track> + use<'_, 'a> {
        let (people, things) = (self.persons.iter().chain(&self.heads), self.vehicles.iter().chain(&self.two_wheelers));
        people.chain(things).chain(&self.others).copied()
    }

    /// Height of a box in pixels.
    pub(crate) fn pixels(&self, bbox: &BoundingBox) -> f32 {
        bbox.h * self.height as f32
    }

    /// The head of the person with index `person`.
    pub(crate) fn head_of(&self, person: usize) -> Option<&Track> {
        self.heads_of.iter().position(|h| *h == HeadOf::Person(person)).map(|i| self.heads[i])
    }

    /// The boxes of this frame as they travel in an event: `subjects` (track numbers) first.
    pub(crate) fn boxes(&self, subjects: &[u64]) -> Vec<TimedBox> {
        let mut boxes: Vec<TimedBox> =
            self.all().map(|t| self.timed_box(t.id, &t.seen, subjects.contains(&t.id))).collect();
        boxes.sort_by_key(|b| !b.subject);
        crate::decision::limited(boxes)
    }

    fn timed_box(&self, track: u64, seen: &Observation, subject: bool) -> TimedBox {
        TimedBox {
            at: self.at,
            class: self.classes.name(seen.class).to_owned(),
            score: seen.score,
            bbox: seen.bbox,
            track: Some(track),
            subject,
        }
    }
}
