//! The difference between desired and reported, as a pure function.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{DesiredState, ReportedState, StreamState, Subject};

use super::types::{Difference, DifferenceItem, DifferenceKind};

/// Everything that is not as it should be: cameras first, each kind by id.
pub(super) fn difference(desired: &DesiredState, reported: &ReportedState) -> Vec<DifferenceItem> {
    let mut refused: BTreeMap<(DifferenceKind, String), &str> = BTreeMap::new();
    for refusal in &reported.refusals {
        let subject = match refusal.subject {
            Subject::Camera(id) => (DifferenceKind::Camera, id.to_string()),
            Subject::Task(id) => (DifferenceKind::Task, id.to_string()),
        };
        refused.insert(subject, &refusal.reason);
    }
    let mut items = Vec::new();
    let mut add = |kind, id: String, name: &str, found: Option<(Difference, Option<StreamState>, &str)>| {
        let refusal = refused.get(&(kind, id.clone())).map(|reason| (Difference::Refused, None, *reason));
        if let Some((difference, state, reason)) = refusal.or(found) {
            let (name, state, reason) = (name.to_owned(), state.map(Into::into), reason.to_owned());
            items.push(DifferenceItem { kind, id, name, difference, state, reason });
        }
    };
    let states: BTreeMap<_, _> = reported.cameras.iter().map(|c| (c.camera, c)).collect();
    for camera in &desired.cameras {
        let found = match states.get(&camera.id) {
            None => Some((Difference::Missing, None, "")),
            Some(c) if c.state != StreamState::Online => {
                Some((Difference::NotOnline, Some(c.state), c.detail.as_str()))
            }
            Some(_) => None,
        };
        add(DifferenceKind::Camera, camera.id.to_string(), &camera.name, found);
    }
    let wanted: BTreeSet<_> = desired.cameras.iter().map(|c| c.id).collect();
    for (id, camera) in &states {
        if !wanted.contains(id) {
            add(DifferenceKind::Camera, id.to_string(), "", Some((Difference::Surplus, Some(camera.state), "")));
        }
    }
    let running: BTreeSet<_> = reported.running_tasks.iter().copied().collect();
    for task in desired.tasks.iter().filter(|t| t.enabled) {
        let found = (!running.contains(&task.id)).then_some((Difference::Missing, None, ""));
        add(DifferenceKind::Task, task.id.to_string(), &task.name, found);
    }
    let enabled: BTreeSet<_> = desired.tasks.iter().filter(|t| t.enabled).map(|t| t.id).collect();
    for id in running.difference(&enabled) {
        let name = desired.tasks.iter().find(|t| t.id == *id).map_or("", |t| t.name.as_str());
        add(DifferenceKind::Task, id.to_string(), name, Some((Difference::Surplus, None, "")));
    }
    items
}
