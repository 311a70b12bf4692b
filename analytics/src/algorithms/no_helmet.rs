//! 未戴安全帽 (requirement A0): a worker's bare head.
//!
//! # What is seen
//! Tracked persons, and tracked heads: boxes of the classes `helmet` (a head with a helmet on 安全帽) and `head`
//! (a bare head) are one kind, so that a head keeps its track when the helmet comes off. Where both classes are
//! seen at one place the better score wins, and the look counts the less, the closer the other one comes; within
//! 20 % it does not accuse at all.
//!
//! A head belongs to the person in whose upper third its centre lies. The subject is the **worker**: a person
//! and its head, together or one of them alone, under one number. Far away, or behind others, the head alone is
//! the worker; when the person's box turns up later it joins, and the two never alarm both. A head lower in a
//! person's box (a helmet in the hand, somebody bent down in front) says nothing.
//!
//! # What decides
//! Each clear look at the head votes. A vote's weight is the head's size (full at 24 px) × what of it is not hidden by
//! somebody nearer (below 40 % it does not vote) × the picture's sharpness × score × how clearly one class won. Of the newest `votes_window` votes at least `votes_needed` must show a bare head, and their
//! weight must be that share too, where a look at a helmet never weighs less than one half: slow to accuse. The
//! first such look must be at least `dwell_secs` ago. One event per worker. It ends when the votes clear the
//! worker (the helmet is on) or when the worker is unseen, or outside the zone, for more than 3 s.
//!
//! The worker is where the feet are: the lower edge of the person's box, or 7.5 heads below the crown when only
//! the head is seen.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote 置信度阈值 |
//! | `min_target_px` | px | 40 | workers smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 2 | 持续时间 |
//! | `cool_down_secs` | s | 600 | quiet time per worker 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how the worker must lie in a zone 重叠方式 |
//!
//! A zone may have its own `min_score`. The event says how large the head was (`head_px`).
//!
//! # How it fails
//! * Caps and hoods look like helmets, bright hair like a cap: the model decides, the votes only average it.
//! * A camera that looks steeply down makes 7.5 heads too long: a worker seen by the head alone seems to stand
//!   nearer than true. Keep zones of such cameras generous.
//! * Two workers who cross behind a pillar may swap numbers. The votes then clear the one and, after a new
//!   dwell, accuse the other: right people, one event more.

use protocol::{Task, Timestamp};

use super::{Rule, bare_heads::BareHeads, decisions_with, ends};
use crate::{decision::Decision, numbers::Numbers, scene::Scene, subject::Look};

/// State of one no-helmet task; subjects are workers.
#[derive(Debug, Default)]
pub(crate) struct NoHelmet(BareHeads);

impl Rule for NoHelmet {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        let sightings = self.0.sightings(scene, &mut changes);
        let zone_of = |body| task.zone_of_box(&body);
        let look = |s: &super::bare_heads::Sighting<'_>| s.look(scene, task, s.body().and_then(zone_of));
        let looks: Vec<Look> = sightings.iter().filter_map(look).collect();
        self.0.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let find = |key| sightings.iter().find(|s| s.key == key);
        let about = |key| find(key).and_then(|s| s.about(scene, s.body().and_then(zone_of)?.name));
        let measures = |key| find(key).and_then(|s| s.head_size(scene)).into_iter().collect();
        decisions_with(scene, task, changes, about, measures, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.0.subjects.end_all(at, &mut changes);
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        self.0.alarmed_tracks(out);
    }
}
