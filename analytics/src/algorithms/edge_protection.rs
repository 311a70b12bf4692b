//! 临边防护缺失 (requirement A6): the guard rail at an edge 临边 (slab, pit, stairwell) is gone or open, told by comparison
//! with its approved picture, with working vehicles anywhere in the frame taken into account.
//!
//! # What is seen
//! A zone along the edge, compared with the approved picture of the protected edge (reference picture 参考画面), with
//! people and vehicles masked out of the comparison. And, on the same camera, **working vehicles** 作业车辆 anywhere in the
//! frame: machines and lorries (excavator, loader, crane, dump truck, mixer …), not cars.
//!
//! # What decides
//! At least `share_needed` of the zone differs, on at least 3 looks, at one place. How long it may stay open depends on
//! whether work goes on, because that is what the requirement's "taken into account" means here:
//!
//! * **no working vehicle in the frame**: nobody needs the gap. Alarm after `dwell_secs`.
//! * **a working vehicle anywhere in the frame** (seen within the last 30 s): the rail may have been opened to lift or
//!   unload. Alarm only after five times `dwell_secs`; in between it is said once, as a suppression with reason
//!   `working_vehicle`. But an edge that stays open beside a working machine is the worse danger, people and machine
//!   may fall: the event has the next higher grade.
//! * the vehicle leaves and the edge stays open: alarm after `dwell_secs` from its leaving, counted from when the edge
//!   was opened at the latest.
//!
//! One event per zone; it ends when the rail is back, or when a new picture is approved. How looks are counted is said
//! in the module `reference`.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `share_needed` | 0–1 | 0.1 | share of the zone that must have changed 变化占比 |
//! | `votes_needed` of `votes_window` | looks | 3 of 3 | 投票 |
//! | `dwell_secs` | s | 60 | 持续时间 |
//! | `sample_fps` | 1/s | 0.1 | looks per second 采样频率 |
//! | `cool_down_secs` | s | 3600 | quiet time per zone 区域抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! Measures of an event: `changed` (share of what could be compared, limit `share_needed`), `masked` (share of the
//! zone that was hidden, limit 0.5), `reference_version` (which approval it was compared with).
//! With a working vehicle in the frame `working_vehicle` is added: seconds since it was seen, limit 30.
//!
//! # How it fails
//! * A parked machine counts as working for as long as it is seen: alarms come after five times the dwell.
//! * A vehicle that no model of this camera knows does not make the rule patient.
//! * Nets and flags on the rail that blow about differ now here, now there; only what differs at one place counts.
//! * A turned camera compares nothing; that is said once as a suppression `view_moved` 视角偏移, not as an alarm.

use protocol::{Severity, Task, Timestamp};

use super::{
    Rule,
    condition::measure,
    reference::{Comparison, Terms},
    vehicle_class::is_machine,
};
use crate::{decision::Decision, numbers::Numbers, scene::Scene};

/// A vehicle is in the frame for so long after it was last seen, seconds: it may be hidden, or its model slow.
const IN_FRAME_SECS: f32 = 30.0;
/// So much longer an edge may be open while a vehicle works.
const WORK_FACTOR: f32 = 5.0;

/// State of one edge protection task.
#[derive(Debug, Default)]
pub(crate) struct EdgeProtection {
    comparison: Comparison,
    vehicle_at: Option<Timestamp>,
}

impl Rule for EdgeProtection {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        if scene.vehicles.iter().any(|v| is_machine(scene.classes.name(v.seen.class))) {
            self.vehicle_at = Some(scene.at);
        }
        let unseen_secs = self.vehicle_at.map(|at| scene.at.since(at).as_secs_f32());
        let own = task.params.dwell_secs;
        let plain =
            Terms { severity: task.severity, dwell_secs: own, class: "unprotected_edge", patient_because: None };
        let terms = match unseen_secs {
            Some(secs) if secs <= IN_FRAME_SECS => Terms {
                severity: higher(task.severity),
                dwell_secs: WORK_FACTOR * own,
                patient_because: Some("working_vehicle"),
                ..plain
            },
            // It has left: the excuse lasts for one dwell.
            Some(secs) if secs < own => {
                Terms { dwell_secs: WORK_FACTOR * own, patient_because: Some("working_vehicle"), ..plain }
            }
            _ => plain,
        };
        let before = out.len();
        self.comparison.step(scene, task, &terms, alarms, out);
        if let Some(secs) = unseen_secs.filter(|s| *s <= IN_FRAME_SECS) {
            for decision in &mut out[before..] {
                if let Decision::Raise(raise) = decision {
                    raise.why.measures.push(measure("working_vehicle", secs, Some(IN_FRAME_SECS), None));
                }
            }
        }
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        self.comparison.end_all(at, out);
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}

fn higher(severity: Severity) -> Severity {
    match severity {
        Severity::Yellow => Severity::Orange,
        Severity::Orange | Severity::Red => Severity::Red,
    }
}
