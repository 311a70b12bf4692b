//! What persons wear, as a second stage or a user's own model says it: 救生衣, 安全带.
//!
//! Such a detection belongs to a person, not to itself: it is not tracked, but attached to the tracked person on
//! whom it lies, and votes there.

use protocol::{ClassId, ClassTable, Detection};

use crate::tracker::Track;

/// This share of a detection must lie on the person.
const ON_THE_PERSON: f32 = 0.7;

/// One look at what a person wears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Worn {
    /// Track number of the person.
    pub(crate) person: u64,
    pub(crate) class: ClassId,
    /// Confidence, 0–1.
    pub(crate) score: f32,
}

/// Whether `name` is a class of this kind.
pub(crate) fn is_worn(name: &str) -> bool {
    ClassTable::WORN.iter().flatten().any(|worn| *worn == name)
}

/// Gives each detection to the person on whom it lies best; per person and class the best score is kept.
pub(crate) fn attach(classes: &ClassTable, detections: &[Detection], persons: &[&Track]) -> Vec<Worn> {
    let mut worn: Vec<Worn> = Vec::new();
    for detection in detections.iter().filter(|d| d.score.is_finite() && is_worn(classes.name(d.class))) {
        let area = detection.bbox.area();
        let lies_on = |p: &&&Track| area > 0.0 && p.seen.bbox.intersection(&detection.bbox) >= ON_THE_PERSON * area;
        // Two people behind each other share the place: the one with the same outline, then the older track.
        let best = persons.iter().filter(lies_on).max_by(|a, b| {
            let fit = |t: &Track| t.seen.bbox.iou(&detection.bbox);
            fit(a).total_cmp(&fit(b)).then(b.id.cmp(&a.id))
        });
        let Some(person) = best else { continue };
        let seen = Worn { person: person.id, class: detection.class, score: detection.score.clamp(0.0, 1.0) };
        match worn.iter_mut().find(|w| w.person == seen.person && w.class == seen.class) {
            Some(known) => known.score = known.score.max(seen.score),
            None => worn.push(seen),
        }
    }
    worn
}
