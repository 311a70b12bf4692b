//! One file per site algorithm 算法. Each file's head says what is seen, what decides, which parameters there
//! are, and how it fails.

mod area;
mod bare_heads;
mod condition;
pub mod construction_vehicle;
pub mod crowd;
pub mod e_bike;
pub mod edge_protection;
pub mod fence_missing;
pub mod fire_smoke;
pub mod intrusion;
pub mod large_material;
mod missing_gear;
pub mod no_harness;
pub mod no_helmet;
pub mod no_life_jacket;
pub mod occupant_no_helmet;
pub mod overhang;
pub mod picture_quality;
pub mod ponding;
mod reference;
pub mod segment_stack;
pub mod special_vehicle;
mod vehicle_class;

use std::fmt;

use protocol::{Algorithm, Measure, Task, TimedBox, Timestamp};

use crate::{
    counts::Passage,
    decision::{Decision, Raise, Suppressed},
    numbers::Numbers,
    scene::{Explained, Scene},
    subject::Change,
};

/// The state of one task.
pub(crate) trait Rule: fmt::Debug + Send {
    /// Looks at a frame while the task is armed.
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>);

    /// Ends every alarm and starts over.
    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>);

    /// Adds the tracks for which an alarm is open.
    fn alarmed_tracks(&self, out: &mut Vec<u64>);

    /// Hands out who went in or out since the last call.
    fn take_passages(&mut self, _each: &mut dyn FnMut(Passage)) {}

    /// Adds the persons whose presence this rule explains to the tasks that look after it.
    fn explains(&self, _out: &mut Vec<Explained>) {}
}

/// A fresh rule.
pub(crate) fn rule_for(algorithm: Algorithm) -> Box<dyn Rule> {
    match algorithm {
        Algorithm::NoHelmet => Box::<no_helmet::NoHelmet>::default(),
        Algorithm::Intrusion => Box::<intrusion::Intrusion>::default(),
        Algorithm::Crowd => Box::<crowd::Crowd>::default(),
        Algorithm::NoHarness => Box::new(no_harness::rule()),
        Algorithm::OccupantNoHelmet => Box::<occupant_no_helmet::OccupantNoHelmet>::default(),
        Algorithm::LargeMaterial => Box::<large_material::LargeMaterial>::default(),
        Algorithm::NoLifeJacket => Box::new(no_life_jacket::rule()),
        Algorithm::EBike => Box::<e_bike::EBike>::default(),
        Algorithm::FenceMissing => Box::<fence_missing::FenceMissing>::default(),
        Algorithm::ConstructionVehicle => Box::<construction_vehicle::ConstructionVehicle>::default(),
        Algorithm::EdgeProtection => Box::<edge_protection::EdgeProtection>::default(),
        Algorithm::FireSmoke => Box::<fire_smoke::FireSmoke>::default(),
        Algorithm::Ponding => Box::<ponding::Ponding>::default(),
        Algorithm::SegmentStack => Box::<segment_stack::SegmentStack>::default(),
        Algorithm::Overhang => Box::<overhang::Overhang>::default(),
        Algorithm::SpecialVehicle => Box::<special_vehicle::SpecialVehicle>::default(),
        Algorithm::PictureQuality => Box::<picture_quality::PictureQuality>::default(),
    }
}

/// Who an alarm is about.
struct About {
    /// The include zone, `""` for the whole picture.
    zone: String,
    /// The subject's track; its other tracks follow.
    tracks: Vec<u64>,
    path: Vec<TimedBox>,
}

/// A measured value for an event.
fn measure(name: &str, value: f32, limit: Option<f32>) -> Measure {
    Measure { name: name.to_owned(), value, limit, label: None }
}

/// Turns what changed for subjects into decisions.
fn decisions(
    scene: &Scene<'_>,
    task: &Task,
    changes: Vec<Change>,
    about: impl Fn(u64) -> Option<About>,
    out: &mut Vec<Decision>,
) {
    decisions_with(scene, task, changes, about, |_| Vec::new(), out);
}

/// Turns what changed for subjects into decisions, with what was measured of each subject that is raised.
fn decisions_with(
    scene: &Scene<'_>,
    task: &Task,
    changes: Vec<Change>,
    about: impl Fn(u64) -> Option<About>,
    measures: impl Fn(u64) -> Vec<Measure>,
    out: &mut Vec<Decision>,
) {
    for change in changes {
        match change {
            Change::End { alarm, at } => out.push(Decision::End { alarm, at }),
            Change::Suppress { key, reason } => {
                let about = about(key).expect("a subject is held back on a frame where it was seen");
                let track = about.tracks.first().copied();
                let seen = track.map(|t| scene.together(t)).unwrap_or_default();
                out.push(Decision::Suppress(Box::new(Suppressed {
                    task: task.id,
                    algorithm: task.algorithm,
                    track,
                    zone: (!about.zone.is_empty()).then_some(about.zone),
                    at: scene.at,
                    bbox: seen.first().map(|t| t.seen.bbox).unwrap_or_default(),
                    reason,
                })));
            }
            Change::Raise { key, alarm, started_at, score, mut why } => {
                let about = about(key).expect("a subject is raised on a frame where it was seen");
                why.measures.extend(measures(key));
                out.push(Decision::Raise(Box::new(Raise {
                    alarm,
                    task: task.id,
                    algorithm: task.algorithm,
                    severity: task.severity,
                    zone: (!about.zone.is_empty()).then_some(about.zone),
                    track: about.tracks.first().copied(),
                    started_at,
                    decided_at: scene.at,
                    score,
                    boxes: scene.boxes(&about.tracks),
                    path: about.path,
                    why,
                })));
            }
        }
    }
}

/// Ends without a scene.
fn ends(changes: Vec<Change>, out: &mut Vec<Decision>) {
    out.extend(changes.into_iter().filter_map(|c| match c {
        Change::End { alarm, at } => Some(Decision::End { alarm, at }),
        Change::Raise { .. } | Change::Suppress { .. } => None,
    }));
}
