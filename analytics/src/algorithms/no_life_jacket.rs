//! 救生衣未穿戴 (requirement A3): somebody at the water's edge without a life jacket.
//!
//! # What is seen
//! Tracked persons inside a water-edge zone 临水区域, and what a second stage says of each of them: `life_jacket` or
//! `no_life_jacket`, with the person's own box. Where no zone is drawn nobody needs a life jacket, and nothing is
//! ever raised: unlike elsewhere, the whole picture is not the zone.
//!
//! # What decides
//! Each clear look votes; its weight is the person's size (full at 160 px) × what of the person is not hidden by
//! somebody nearer × the picture's sharpness × score × how clearly one class won. Within 20 % of each other the two
//! classes accuse nobody. A look on which the second stage said nothing is no vote. Of the newest `votes_window`
//! votes at least `votes_needed` must show a body without a jacket, by weight too, and the first of them must be
//! `dwell_secs` ago. One event per person. It ends when the votes clear the person (the jacket is on), or when the
//! person is unseen or away from the water for more than 3 s.
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
//! * Orange reflective vests look like life jackets, and inflatable jackets look like a strap: the model decides.
//! * From behind, under a rucksack or a rain coat, a jacket is not to be seen: such looks come out unsure and do not
//!   vote, or wrong and are outvoted when the person turns round.
//! * On a boat the feet are hidden below the rail; draw the zone over the deck, or take 目标占比.

use super::missing_gear::{MissingGear, pair};

/// A fresh rule.
pub(super) fn rule() -> MissingGear {
    MissingGear::new(pair("no_life_jacket"), |task, bbox| {
        let zone = task.zone_of_box(bbox).filter(|_| !task.counts_everywhere())?;
        Some((zone.name.to_owned(), zone.min_score))
    })
}
