//! 未系安全带 (requirement A0): somebody at height without a safety harness.
//!
//! A declared slot: no model of ours tells harnesses, so the algorithm runs on an edge whose model package has the
//! classes `harness` and `no_harness`, as a second stage on persons or as boxes of a detector.
//!
//! # What is seen
//! Tracked persons at height 高处作业: inside an include zone, or with the feet above a drawn height line 高度线. Where
//! neither is drawn, nothing is ever raised. Of each of them what the model says, `harness` or `no_harness`; a box of
//! either class belongs to the person on whom it lies (70 % of it).
//!
//! # What decides
//! As for 未穿救生衣: each clear look votes with the person's size (full at 160 px) × what of the person is in the open
//! × the picture's sharpness × score × how clearly one class won; `votes_needed` of the newest `votes_window`, by
//! weight too, over at least `dwell_secs`. One event per person. It ends when the votes clear the person, or when
//! the person is unseen or down again for more than 3 s.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote; a zone may have its own 置信度阈值 |
//! | `min_target_px` | px | 80 | persons smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 4 of 6 | 投票 |
//! | `dwell_secs` | s | 3 | 持续时间 |
//! | `cool_down_secs` | s | 600 | quiet time per person 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how a person must lie in the zone 重叠方式 |
//!
//! # How it fails
//! * A worn harness is not a hooked one: whether the rope is fastened is not seen.
//! * Straps are few pixels wide. Below 160 px of body the votes are weak, and come slowly.
//! * A height line is drawn in the picture, not in the world: with a tilted view somebody far away on the ground has
//!   the feet above it too. Take a zone there.

use super::missing_gear::{MissingGear, pair};
use crate::lines::height_at;
use protocol::LineKind;

/// A fresh rule.
pub(super) fn rule() -> MissingGear {
    MissingGear::new(pair("no_harness"), |task, bbox| {
        if task.is_excluded(bbox) {
            return None;
        }
        let foot = bbox.foot_point();
        let mut lines = task.lines.iter().filter(|l| l.kind == LineKind::Height);
        let above = lines.find(|l| height_at(&l.points, foot.x).is_some_and(|level| foot.y < level));
        let by_line = || above.map(|line| (line.name.clone(), task.params.min_score));
        let zone = task.zone_of_box(bbox).filter(|_| !task.counts_everywhere());
        zone.map(|z| (z.name.to_owned(), z.min_score)).or_else(by_line)
    })
}
