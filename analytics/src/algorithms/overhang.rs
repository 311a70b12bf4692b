//! 脚手架上物件悬挑 (requirement A10): something juts out from a scaffold, or lies on its edge.
//!
//! # What is seen
//! What juts out can be anything: planks, tubes, nets, bundles. So this is no detector either, but a comparison with the
//! approved picture (reference picture 参考画面). Draw the zone **beside** the scaffold, as a strip along its outline where
//! nothing may be; the background there is building or sky. Narrow strips make small objects large shares: of a strip of
//! 30 cm along one storey a plank that sticks out is some 5–10 %.
//!
//! # What decides
//! At least `share_needed` of the strip differs, on at least 3 looks over `dwell_secs`, at one place: a load that a
//! crane carries past, a bird, a hoist that stops for a moment, a person who leans out (masked) are gone by then, and
//! leaves and nets that blow about change places. One event per strip; it ends when the strip is as approved again.
//! How looks are counted is said in the module `reference`.
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
//!
//! # How it fails
//! * A scaffold that grows leaves its approved outline: approve a new reference with each storey.
//! * A loose net that hangs out for hours differs at one place: it is reported, and it should be.
//! * Low sun that throws the shadow of the scaffold onto the wall behind the strip: comparison on structure rather than
//!   brightness keeps most of it out; the rest moves on within the dwell of some minutes.
//! * A turned camera compares nothing; that is said once as a suppression `view_moved` 视角偏移, not as an alarm.

use protocol::{Task, Timestamp};

use super::{
    Rule,
    reference::{Comparison, Terms},
};
use crate::{decision::Decision, numbers::Numbers, scene::Scene};

/// State of one task.
#[derive(Debug, Default)]
pub(crate) struct Overhang {
    comparison: Comparison,
}

impl Rule for Overhang {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let terms = Terms {
            severity: task.severity,
            dwell_secs: task.params.dwell_secs,
            class: "overhang",
            patient_because: None,
        };
        self.comparison.step(scene, task, &terms, alarms, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        self.comparison.end_all(at, out);
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}
