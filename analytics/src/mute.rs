//! Muted places 误报屏蔽: where somebody said "no violation, never again here".
//!
//! A mute holds for what stays: a poster, a helmet on a table, a post that looks like a person. Whoever walked up to
//! the place is not muted there. When both the mute and the camera know what the thing looks like, it must look
//! the same as well, so that a new guard on the old chair is seen.

use protocol::{ClassTable, Mute, Timestamp};

use crate::{scene::Scene, tracker::Track};

/// Boxes of one thing overlap at least this much, from detector to detector and from day to day.
const SAME_PLACE_IOU: f32 = 0.4;
/// Cosine from which two embeddings show one thing. Pictures of one object under changing light stay above it,
/// different people fall below; to be set anew with another embedding model.
const SAME_LOOK: f32 = 0.8;

/// Whether any of the tracks that make up a subject is a muted thing.
pub(crate) fn is_muted(mutes: &[Mute], scene: &Scene<'_>, tracks: &[&Track]) -> bool {
    mutes.iter().any(|mute| tracks.iter().any(|track| fits(mute, scene, track)))
}

fn fits(mute: &Mute, scene: &Scene<'_>, track: &Track) -> bool {
    in_force(mute, scene.at)
        && !track.moved
        && same_kind(&mute.class, scene.classes.name(track.seen.class))
        && mute.bbox.iou(&track.seen.bbox) >= SAME_PLACE_IOU
        && looks_the_same(mute, scene, track)
}

fn in_force(mute: &Mute, at: Timestamp) -> bool {
    mute.until.is_none_or(|until| at < until)
}

/// A head is one thing, whichever way the detector takes it today.
fn same_kind(a: &str, b: &str) -> bool {
    let head = |name: &str| name == ClassTable::HEAD || name == ClassTable::HELMET;
    a == b || (head(a) && head(b))
}

fn looks_the_same(mute: &Mute, scene: &Scene<'_>, track: &Track) -> bool {
    if mute.embedding.is_empty() {
        return true;
    }
    let Some(now) = scene.appearance.and_then(|a| a.embedding(&track.seen.bbox)) else { return true };
    // Embeddings of another model cannot be compared: the place alone decides.
    now.len() != mute.embedding.len() || cosine(&now, &mute.embedding) >= SAME_LOOK
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 1e-12 { dot(a, b) / length } else { 0.0 }
}
