//! 盾构管片及预制构件堆叠过高 (requirement A9): more lining segments, or precast elements, on top of each other than
//! allowed.
//!
//! # What is seen
//! Boxes of the class `segment`, one per element, untracked: they lie still. Elements whose boxes overlap across by
//! half of the narrower one, are of like width, and follow each other upwards are one **stack** 堆. Where an element
//! is hidden (a person, a hook, the shadow of a beam) the gap is as high as one element; it counts as one hidden
//! layer, and makes the count unsure. So do boxes of very unequal height, low scores, people or vehicles in front,
//! and a stack that is seen as a single box.
//!
//! # What decides
//! A look at a stack votes *too high* when it shows more than `layers_max` layers, and *not* when it shows no more,
//! hidden ones included. When the hidden layers alone would make it too high, the look says nothing, unless a drawn
//! height line 高度线 decides: where the count is unsure and the top of the stack reaches above the line, the look votes
//! *too high*. A sure count is never overruled by the line. Votes over looks, `dwell_secs`; one event per stack,
//! however long it stands; it ends when the stack is lower, or unseen for 20 looks' time. A stack is where it stands:
//! another one at the same place within the cool-down is the same.
//!
//! The stack must stand in an include zone (the middle of its lower edge) and in no exclude zone.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `layers_max` | layers | 4 | most layers allowed 最大层数 |
//! | `min_score` | 0–1 | 0.4 | elements below it do not count 置信度阈值; a zone may have its own |
//! | `min_target_px` | px | 40 | stacks lower than this say nothing 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 20 | 持续时间 |
//! | `sample_fps` | 1/s | 0.1 | looks per second 采样频率 |
//! | `cool_down_secs` | s | 3600 | quiet time per stack 单堆抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! Measures of an event: `layers` (seen on the deciding look, limit `layers_max`, label `sure` or `unsure`),
//! `layers_hidden`, and with a line `above_line` (how far the top is above it, share of the picture's height; its
//! label is the line's name).
//!
//! # How it fails
//! * A stack right behind another one looks like more layers of it. Like width (75 %) keeps most of them apart; from
//!   a camera that looks along the rows draw one zone per row.
//! * A whole stack in the shadow is one box: only a height line can judge it.
//! * Stacks on wagons and cranes are stacks. Draw zones where elements are stored.

mod columns;

use protocol::{BoundingBox, LineKind, Point, Task, TimedBox, Timestamp};

use self::columns::{Stack, columns};
use super::{
    Rule,
    area::{covered, found, least_score, min_score_in},
    condition::{Condition, Finding, Pace, TaskQuiet, counting, measure, with_context},
};
use crate::{decision::Decision, numbers::Numbers, scene::Scene, votes::Counting};

/// A stack that overlaps so much with a known one is that one.
const SAME_STACK_IOU: f32 = 0.2;
/// So far, in shares of the width, the foot of a stack may be from where it was.
const SAME_FOOT: f32 = 0.4;
/// More of a stack than this behind people or vehicles: the count is unsure.
const HIDDEN: f32 = 0.2;
/// The top must be above the line by this share of a layer's height, at most by that share of the picture's.
const ABOVE_LINE: (f32, f32) = (0.2, 0.02);
/// Stacks without looks end after so many looks' time.
const PATIENCE_LOOKS: f32 = 20.0;
const MOST_STACKS: usize = 64;

/// State of one stacking task.
#[derive(Debug, Default)]
pub(crate) struct SegmentStack {
    pace: Pace,
    known: Vec<Known>,
    quiet: TaskQuiet,
}

/// A stack over time.
#[derive(Debug)]
struct Known {
    bbox: BoundingBox,
    seen_at: Timestamp,
    condition: Condition,
}

/// What a look says of a stack.
struct Verdict<'t> {
    /// `None`: nothing.
    too_high: Option<bool>,
    sure: bool,
    /// The highest line it reaches above, and how far.
    above: Option<(&'t str, f32)>,
}

impl Rule for SegmentStack {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let class = [scene.classes.id("segment")];
        let mut boxes = found(scene, &class, least_score(task));
        boxes.retain(|f| {
            let zone = task.zone_of(foot(&f.bbox));
            zone.is_none_or(|z| f.score >= min_score_in(task, z))
        });
        if self.pace.is_look(scene, task, &class, !boxes.is_empty()) {
            let counting = counting(&task.params);
            for stack in columns(&boxes) {
                let tall_enough = scene.pixels(&stack.bbox) >= task.params.min_target_px as f32;
                let Some(zone) = task.zone_of(foot(&stack.bbox)).filter(|_| tall_enough) else { continue };
                let Some(index) = self.find(&stack.bbox, scene.at) else { continue };
                self.look(index, zone, &stack, scene, task, &counting, alarms, out);
            }
        }
        let patience_secs = PATIENCE_LOOKS / task.params.sample_fps;
        self.known.retain_mut(|known| {
            if scene.at.since(known.seen_at).as_secs_f32() <= patience_secs {
                return true;
            }
            if let Some(alarm) = known.condition.end() {
                out.push(Decision::End { alarm, at: known.seen_at });
            }
            known.condition.is_quiet(scene.at)
        });
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let ends = self.known.drain(..).filter_map(|mut k| k.condition.end());
        out.extend(ends.map(|alarm| Decision::End { alarm, at }));
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}

impl SegmentStack {
    /// The known stack at this place that no stack of this look has taken, or a new one; `None` when there are too
    /// many.
    fn find(&mut self, bbox: &BoundingBox, at: Timestamp) -> Option<usize> {
        let likeness = |k: &Known| {
            let (a, b) = (foot(&k.bbox), foot(bbox));
            let width = k.bbox.w.max(bbox.w).max(1e-6);
            let at_foot = (a.x - b.x).abs() <= SAME_FOOT * width && (a.y - b.y).abs() <= SAME_FOOT * width;
            let overlap = k.bbox.iou(bbox);
            (at_foot || overlap >= SAME_STACK_IOU).then_some(overlap + if at_foot { 1.0 } else { 0.0 })
        };
        let free = self.known.iter().enumerate().filter(|(_, k)| k.seen_at < at);
        let best = free.filter_map(|(i, k)| likeness(k).map(|l| (i, l))).max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((index, _)) = best {
            (self.known[index].bbox, self.known[index].seen_at) = (*bbox, at);
            return Some(index);
        }
        if self.known.len() >= MOST_STACKS {
            return None;
        }
        self.known.push(Known { bbox: *bbox, seen_at: at, condition: Condition::default() });
        Some(self.known.len() - 1)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a look has a stack, a scene, a task and two places for what comes out"
    )]
    fn look(
        &mut self,
        index: usize,
        zone: &str,
        stack: &Stack,
        scene: &Scene<'_>,
        task: &Task,
        counting: &Counting,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) {
        let (known, params) = (&mut self.known[index], &task.params);
        let verdict = judge(stack, scene, task);
        let Some(too_high) = verdict.too_high else { return };
        if let Some(alarm) = known.condition.look(scene.at, too_high, stack.score, counting) {
            out.push(Decision::End { alarm, at: scene.at });
        }
        let free = too_high && known.condition.is_free(scene.at) && self.quiet.is_over(scene);
        let since = known.condition.established(scene.at, params.dwell_secs, counting);
        let Some(since) = since.filter(|_| free) else { return };

        let sure = if verdict.sure { "sure" } else { "unsure" };
        let mut measures = vec![
            measure("layers", stack.layers() as f32, Some(params.layers_max as f32), Some(sure)),
            measure("layers_hidden", stack.hidden as f32, None, None),
        ];
        if let Some((line, above)) = verdict.above {
            measures.push(measure("above_line", above, Some(0.0), Some(line)));
        }
        let whole = TimedBox {
            at: scene.at,
            class: "stack".to_owned(),
            score: stack.score,
            bbox: stack.bbox,
            track: None,
            subject: true,
        };
        let elements = stack.elements.iter().map(|f| f.boxed(scene));
        let finding = Finding {
            severity: task.severity,
            zone: zone.to_owned(),
            since,
            score: known.condition.score(),
            boxes: with_context(scene, std::iter::once(whole).chain(elements).collect()),
            why: known.condition.why(scene.at, since, params.dwell_secs, counting, measures),
        };
        finding.conclude(scene, task, &mut known.condition, &mut self.quiet, alarms, out);
    }
}

fn foot(bbox: &BoundingBox) -> Point {
    let foot = bbox.foot_point();
    // The lower edge of the picture belongs to the picture.
    Point::new(foot.x, foot.y.min(0.999))
}

fn judge<'t>(stack: &Stack, scene: &Scene<'_>, task: &'t Task) -> Verdict<'t> {
    let in_front = scene.persons.iter().chain(&scene.vehicles).any(|t| covered(&stack.bbox, &t.seen.bbox) > HIDDEN);
    let sure = stack.is_sure() && !in_front;
    let above = above_line(stack, task);
    let max = task.params.layers_max as usize;
    let too_high = if stack.layers() > max || (!sure && above.is_some()) {
        Some(true)
    } else if stack.layers() + stack.hidden > max || (!sure && stack.layers() == max) {
        None
    } else {
        Some(false)
    };
    Verdict { too_high, sure, above }
}

/// The height line that the stack's top reaches furthest above, while its foot is below it.
fn above_line<'t>(stack: &Stack, task: &'t Task) -> Option<(&'t str, f32)> {
    let x = stack.bbox.center().x;
    let margin = (ABOVE_LINE.0 * stack.layer_height()).min(ABOVE_LINE.1);
    let lines = task.lines.iter().filter(|l| l.kind == LineKind::Height);
    let reached = lines.filter_map(|line| {
        let y = height_at(&line.points, x)?;
        let above = y - stack.bbox.y;
        (above > margin && stack.bbox.y + stack.bbox.h > y).then_some((line.name.as_str(), above))
    });
    reached.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Where the line passes above or below `x`; `None` beside its ends.
fn height_at(points: &[Point], x: f32) -> Option<f32> {
    points.windows(2).find_map(|pair| {
        let (a, b) = if pair[0].x <= pair[1].x { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
        let across = b.x - a.x;
        ((a.x..=b.x).contains(&x))
            .then(|| if across < 1e-6 { a.y.min(b.y) } else { a.y + (b.y - a.y) * (x - a.x) / across })
    })
}
