//! What the rules look at: the tracks of one frame, with heads and persons paired.

use protocol::{BoundingBox, ClassId, ClassTable, Detection, TimedBox, Timestamp};

use crate::{
    look::{Appearance, PictureLook, ReferenceLook},
    pairing::HeadOf,
    tracker::{Observation, Track},
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

impl Scene<'_> {
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
        let all =
            self.persons.iter().chain(&self.heads).chain(&self.vehicles).chain(&self.two_wheelers).chain(&self.others);
        let mut boxes: Vec<TimedBox> = all.map(|t| self.timed_box(t.id, &t.seen, subjects.contains(&t.id))).collect();
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
