//! Comparison with an approved state 参考画面, which 围挡缺失, 临边防护 and 脚手架悬挑 share.
//!
//! An operator approves a picture of the right state inside a drawn zone. The edge compares the picture of now with
//! it, without what people, vehicles, glare and darkness hide, and says per zone which share has changed, how much
//! was hidden, and whether the view still fits. This decides:
//!
//! * a look votes only while the view fits and at most half of the zone is hidden;
//! * at least `share_needed` changed votes *changed*, less than 60 % of that *as approved*, in between nothing;
//! * two looks that changed at different places are no common change (shadows, rain, birds): the votes start over,
//!   unless the change is three times what is needed;
//! * three looks that do not fit in a row are said once, as a suppression with reason `view_moved`: the camera was
//!   turned, and the reference has to be approved again;
//! * a new version of the reference ends the alarm and starts over; so does the restored state.

use protocol::{BoundingBox, Severity, Task, TimedBox, Timestamp};

use super::{
    area::{includes, inflated},
    condition::{Condition, Finding, TaskQuiet, counting, measure, suppressed, with_context},
};
use crate::{decision::Decision, look::ReferenceLook, numbers::Numbers, scene::Scene};

/// More of the zone hidden than this: the look says nothing.
const MOST_MASKED: f32 = 0.5;
/// Below this share of what is needed the zone is as approved.
const RESTORED: f32 = 0.6;
/// A change this many times what is needed is one, wherever its centre is.
const LARGE: f32 = 3.0;
/// Looks in a row that do not fit before it is said.
const LOOKS_TO_SAY: u32 = 3;
/// An alarm without looks ends after so many looks' time.
const PATIENCE_LOOKS: f32 = 60.0;

/// How an algorithm differs from the plain comparison, on this frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) severity: Severity,
    /// How long the change must last, seconds.
    pub(super) dwell_secs: f32,
    /// What changed, as the class of the box: `fence_gap` …
    pub(super) class: &'static str,
    /// Why the dwell is longer than the task's: said, once per change, when the task's own dwell has passed.
    pub(super) patient_because: Option<&'static str>,
}

/// State of one task; one entry per include zone.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    zones: Vec<ZoneState>,
    quiet: TaskQuiet,
}

#[derive(Debug, Default)]
struct ZoneState {
    condition: Condition,
    version: Option<u32>,
    looked_at: Option<Timestamp>,
    /// Where the newest look saw the change.
    at: Option<BoundingBox>,
    misfits: u32,
    said_patient: bool,
}

impl Comparison {
    pub(super) fn step(
        &mut self,
        scene: &Scene<'_>,
        task: &Task,
        terms: &Terms,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) {
        let names: Vec<&str> = includes(task).into_iter().map(|(name, _)| name).collect();
        self.zones.resize_with(names.len(), ZoneState::default);
        for look in scene.references.iter().filter(|r| r.task == task.id) {
            if let Some(name) = names.get(look.zone) {
                self.look(name, look, scene, task, terms, alarms, out);
            }
        }
        let patience_secs = PATIENCE_LOOKS / task.params.sample_fps;
        for zone in &mut self.zones {
            let looked_at = zone.looked_at.unwrap_or(scene.at);
            if scene.at.since(looked_at).as_secs_f32() > patience_secs
                && let Some(alarm) = zone.condition.end()
            {
                out.push(Decision::End { alarm, at: looked_at });
            }
        }
    }

    pub(super) fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let ends = self.zones.drain(..).filter_map(|mut z| z.condition.end());
        out.extend(ends.map(|alarm| Decision::End { alarm, at }));
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a look has a zone, a scene, a task and two places for what comes out"
    )]
    fn look(
        &mut self,
        name: &str,
        look: &ReferenceLook,
        scene: &Scene<'_>,
        task: &Task,
        terms: &Terms,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) {
        let zone = &mut self.zones[look.zone];
        let held_back = |reason| suppressed(scene, task, name, look.at, reason);
        if zone.version != Some(look.version) {
            if let Some(alarm) = zone.condition.end() {
                out.push(Decision::End { alarm, at: scene.at });
            }
            *zone = ZoneState { version: Some(look.version), ..ZoneState::default() };
        }
        if !look.aligned {
            zone.misfits += 1;
            if zone.misfits == LOOKS_TO_SAY {
                out.push(held_back("view_moved"));
            }
            return;
        }
        zone.misfits = 0;
        let readable = look.changed.is_finite() && look.masked <= MOST_MASKED;
        let needed = task.params.share_needed;
        if !readable || (RESTORED * needed..needed).contains(&look.changed) {
            return;
        }
        zone.looked_at = Some(scene.at);
        let counting = counting(&task.params);
        let changed = look.changed >= needed;
        if changed && zone.is_elsewhere(look, needed) {
            zone.condition.end();
        }
        if let Some(alarm) = zone.condition.look(scene.at, changed, look.changed.min(1.0), &counting) {
            out.push(Decision::End { alarm, at: scene.at });
        }
        if !changed {
            (zone.at, zone.said_patient) = (None, false);
            return;
        }
        zone.at = Some(look.at);
        let Some(own) = zone.condition.established(scene.at, task.params.dwell_secs, &counting) else { return };
        if !zone.condition.is_free(scene.at) || !self.quiet.is_over(scene) {
            return;
        }
        if (scene.at.since(own).as_secs_f32()) < terms.dwell_secs {
            if let Some(reason) = terms.patient_because.filter(|_| !zone.said_patient) {
                zone.said_patient = true;
                out.push(held_back(reason));
            }
            return;
        }
        let measures = vec![
            measure("changed", look.changed, Some(needed), None),
            measure("masked", look.masked, Some(MOST_MASKED), None),
            measure("reference_version", look.version as f32, None, None),
        ];
        let subject = TimedBox {
            at: scene.at,
            class: terms.class.to_owned(),
            score: look.changed.clamp(0.0, 1.0),
            bbox: look.at,
            track: None,
            subject: true,
        };
        let finding = Finding {
            severity: terms.severity,
            zone: name.to_owned(),
            since: own,
            score: zone.condition.score(),
            boxes: with_context(scene, vec![subject]),
            why: zone.condition.why(scene.at, own, terms.dwell_secs, &counting, measures),
        };
        finding.conclude(scene, task, &mut zone.condition, &mut self.quiet, alarms, out);
    }
}

impl ZoneState {
    /// Whether this change is not the one that was being voted on. An open alarm stays what it is.
    fn is_elsewhere(&self, look: &ReferenceLook, needed: f32) -> bool {
        let away = self.at.is_some_and(|at| inflated(&at, 0.5).intersection(&inflated(&look.at, 0.5)) <= 0.0);
        away && look.changed < LARGE * needed && self.condition.alarm().is_none()
    }
}
