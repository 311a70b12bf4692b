//! One file per site algorithm 算法. Each file's head says what is seen, what decides, which parameters there
//! are, and how it fails.

mod area;
mod condition;
pub mod construction_vehicle;
pub mod crowd;
pub mod edge_protection;
pub mod fence_missing;
pub mod fire_smoke;
pub mod intrusion;
mod later;
pub mod no_helmet;
pub mod overhang;
pub mod picture_quality;
pub mod ponding;
mod reference;
pub mod segment_stack;
pub mod special_vehicle;
mod vehicle_class;

use std::fmt;

use protocol::{Algorithm, Task, TimedBox, Timestamp};

use crate::{
    counts::Passage,
    decision::{Decision, Raise},
    numbers::Numbers,
    scene::Scene,
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
}

/// A fresh rule.
pub(crate) fn rule_for(algorithm: Algorithm) -> Box<dyn Rule> {
    match algorithm {
        Algorithm::NoHelmet => Box::<no_helmet::NoHelmet>::default(),
        Algorithm::Intrusion => Box::<intrusion::Intrusion>::default(),
        Algorithm::Crowd => Box::<crowd::Crowd>::default(),
        Algorithm::NoHarness
        | Algorithm::OccupantNoHelmet
        | Algorithm::LargeMaterial
        | Algorithm::NoLifeJacket
        | Algorithm::EBike => Box::<later::Later>::default(),
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

/// Turns what changed for subjects into decisions.
fn decisions(
    scene: &Scene<'_>,
    task: &Task,
    changes: Vec<Change>,
    about: impl Fn(u64) -> Option<About>,
    out: &mut Vec<Decision>,
) {
    for change in changes {
        match change {
            Change::End { alarm, at } => out.push(Decision::End { alarm, at }),
            Change::Raise { key, alarm, started_at, score, why } => {
                let about = about(key).expect("a subject is raised on a frame where it was seen");
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
        Change::Raise { .. } => None,
    }));
}
