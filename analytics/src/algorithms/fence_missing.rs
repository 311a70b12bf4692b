//! 围挡缺失 (requirement A0): the fence around the site is gone or open, told by comparison with its approved picture.
//!
//! # What is seen
//! No detector knows every fence: painted board, brick, mesh, water barriers. What is known is how *this* fence looked
//! when somebody approved it. Draw a zone along the fence, a little higher than the fence, narrow enough that a
//! missing panel 围挡板 is a tenth of it; several zones for a long fence. Each look compares the zone with the approved
//! picture (reference picture 参考画面), robustly to light, with people and vehicles masked out.
//!
//! # What decides
//! At least `share_needed` of the zone differs, on at least 3 looks over `dwell_secs`, at one place. A person or a
//! lorry in front of the fence hides a part and says nothing about it; while more than half is hidden nothing is
//! decided. One event per zone; it ends when the fence is back, or when a new picture is approved.
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
//! * Something stored in front of the fence for good (a container) differs like a gap. Approve a new reference.
//! * A gate that opens all day: draw it as an exclude zone, or task it with a schedule.
//! * Snow, new paint and new banners on the fence differ: approve a new reference.
//! * A turned camera compares nothing; that is said once as a suppression `view_moved` 视角偏移, not as an alarm.

use protocol::{Task, Timestamp};

use super::{
    Rule,
    reference::{Comparison, Terms},
};
use crate::{decision::Decision, numbers::Numbers, scene::Scene};

/// State of one task.
#[derive(Debug, Default)]
pub(crate) struct FenceMissing {
    comparison: Comparison,
}

impl Rule for FenceMissing {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let terms = Terms {
            severity: task.severity,
            dwell_secs: task.params.dwell_secs,
            class: "fence_gap",
            patient_because: None,
        };
        self.comparison.step(scene, task, &terms, alarms, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        self.comparison.end_all(at, out);
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}
