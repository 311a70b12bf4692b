//! How much a look at a part of a body is worth as a vote: its size, what hides it, and how sharp the picture is.

use protocol::BoundingBox;

use crate::{scene::Scene, tracker::Track};

/// A head of this height in pixels is as good to see as any larger one.
const CLEAR_HEAD_PX: f32 = 24.0;
/// Even the smallest head counts this much.
const SMALLEST_WEIGHT: f32 = 0.25;
/// A part hidden by more than this share says nothing.
const MOST_HIDDEN: f32 = 0.6;
/// Variance of the Laplacian (640 columns) from which a picture is sharp; cameras in focus have 100 to 2,000.
const SHARP: f32 = 80.0;

/// Weight of a look at a head, 0–1; 0 when it is too hidden to say anything.
pub(crate) fn of_head(scene: &Scene<'_>, head: &BoundingBox, owner: Option<&Track>) -> f32 {
    let size = (scene.pixels(head) / CLEAR_HEAD_PX).clamp(SMALLEST_WEIGHT, 1.0);
    size * in_the_open(scene, head, owner) * scene.sharpness
}

/// Weight of a look at a person's body, 0–1, that is clear from `clear_px` of height on.
pub(crate) fn of_body(scene: &Scene<'_>, person: &Track, clear_px: f32) -> f32 {
    let size = (scene.pixels(&person.seen.bbox) / clear_px).clamp(SMALLEST_WEIGHT, 1.0);
    size * in_the_open(scene, &person.seen.bbox, Some(person)) * scene.sharpness
}

/// What is left of a box beside the persons who stand in front of it; 0 when it is too little.
fn in_the_open(scene: &Scene<'_>, part: &BoundingBox, owner: Option<&Track>) -> f32 {
    let own_foot = owner.map_or(part.y + part.h, |o| o.seen.bbox.y + o.seen.bbox.h);
    let hidden = scene.persons.iter().filter(|p| owner.is_none_or(|o| o.id != p.id)).map(|p| {
        // Who stands lower in the picture stands nearer. A head without a person may be that person's own.
        let nearer = p.seen.bbox.y + p.seen.bbox.h > own_foot + 0.02 * p.seen.bbox.h;
        let other = owner.is_some() || !p.seen.bbox.contains(part.center());
        if nearer && other { p.seen.bbox.intersection(part) / part.area().max(1e-9) } else { 0.0 }
    });
    let open = 1.0 - hidden.fold(0.0, f32::max);
    if open < 1.0 - MOST_HIDDEN { 0.0 } else { open }
}

/// What a picture with this variance of the Laplacian is worth, 0.25–1.
pub(crate) fn of_picture(sharpness: f32) -> f32 {
    if sharpness.is_finite() { (sharpness / SHARP).clamp(SMALLEST_WEIGHT, 1.0) } else { 1.0 }
}
