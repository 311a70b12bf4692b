//! 积水检测 (requirement A8): standing water in a zone.
//!
//! # What is seen
//! Boxes of the class `ponding`. Each include zone is covered with a grid of cells, and a cell is under water when a
//! box covers its middle: overlapping boxes count once. Cells under people and vehicles say nothing; when more than
//! half the zone is hidden the look says nothing. Without an include zone the whole picture is one.
//!
//! Where the task has a reference picture of the **dry** zone 干燥参考, the comparison is heard as well: what the
//! detector takes for water, but what looked the same when it was dry (a dark stain, fresh tarmac, a shadow on
//! concrete), is no water.
//!
//! # What decides
//! A look votes *wet* when at least `share_needed` of the zone is under water, and *dry* when less than 70 % of that
//! is; in between it says nothing, so that a pond that shrinks and grows around the limit is one event. At least 3
//! looks (`votes_needed` of `votes_window`) over `dwell_secs` must agree. Then the cells vote, too: only those that
//! were wet on most of the looks count, and their share must reach `share_needed`. A pond stays where it is; the
//! shine on wet asphalt 路面反光, headlights on it and passing shadows wander. One event per zone; it ends when the
//! looks say dry, or when there was no look for 60 looks' time.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `share_needed` | 0–1 | 0.1 | share of the zone under water 积水占比 |
//! | `min_score` | 0–1 | 0.4 | boxes below it do not count 置信度阈值; a zone may have its own |
//! | `votes_needed` of `votes_window` | looks | 3 of 3 | 投票 |
//! | `dwell_secs` | s | 20 | 持续时间 |
//! | `sample_fps` | 1/s | 0.1 | looks per second 采样频率 |
//! | `cool_down_secs` | s | 3600 | quiet time per zone 区域抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! Measures of an event: `share_under_water` (share of the zone, limit `share_needed`) and, with a dry reference,
//! `changed` (share of the zone that differs from it).
//!
//! # How it fails
//! * Wet asphalt during rain is the field's worst false alarm (a published vendor test: every second one). What keeps
//!   it out here is that it wanders and that it dries: in rainy places set `dwell_secs` to 600 and approve a
//!   reference taken while the ground was wet but drained.
//! * A box is larger than the pond in it: irregular ponds read up to a third too large.
//! * A wheel-washing basin, or a drain that always holds water: draw an exclude zone.

use std::collections::VecDeque;

use protocol::{BoundingBox, Point, Polygon, Task, Timestamp};

use super::{
    Rule,
    area::{Found, found, includes, is_excluded, least_score, min_score_in},
    condition::{Condition, Finding, Pace, TaskQuiet, counting, measure, with_context},
};
use crate::{decision::Decision, numbers::Numbers, scene::Scene};

/// Cells along the longer side of a zone's surrounding box.
const CELLS: usize = 40;
/// Below this share of the limit a look says dry.
const DRY: f32 = 0.7;
/// More of the zone hidden than this: the look says nothing.
const MOST_HIDDEN: f32 = 0.5;
/// A comparison with the dry reference is heard so long, in looks.
const REFERENCE_LOOKS: f32 = 6.0;
/// Water must have changed the reference at least by this share of what is under water.
const CHANGED_BY_WATER: f32 = 0.5;
/// An alarm without looks ends after so many looks' time.
const PATIENCE_LOOKS: f32 = 60.0;

/// State of one ponding task.
#[derive(Debug, Default)]
pub(crate) struct Ponding {
    pace: Pace,
    zones: Vec<ZoneWater>,
    quiet: TaskQuiet,
}

#[derive(Debug, Default)]
struct ZoneWater {
    condition: Condition,
    /// The newest looks: of every cell of the zone, whether it was wet.
    looks: VecDeque<Vec<bool>>,
    looked_at: Option<Timestamp>,
    /// Newest usable comparison with the dry reference.
    reference: Option<(Timestamp, f32)>,
}

/// What a look says of a zone.
struct Look {
    wet: Vec<bool>,
    hidden: usize,
}

impl Rule for Ponding {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let zones = includes(task);
        self.zones.resize_with(zones.len(), ZoneWater::default);
        for look in scene.references.iter().filter(|r| r.task == task.id && r.aligned && r.masked <= MOST_HIDDEN) {
            if let Some(zone) = self.zones.get_mut(look.zone) {
                zone.reference = Some((scene.at, look.changed));
            }
        }
        let class = [scene.classes.id("ponding")];
        let boxes = found(scene, &class, least_score(task));
        if self.pace.is_look(scene, task, &class, !boxes.is_empty()) {
            for (index, (name, outline)) in zones.into_iter().enumerate() {
                let own: Vec<Found> = boxes.iter().filter(|b| b.score >= min_score_in(task, name)).copied().collect();
                self.look(index, name, outline, &own, scene, task, alarms, out);
            }
        }
        let patience_secs = PATIENCE_LOOKS / task.params.sample_fps;
        for zone in &mut self.zones {
            let looked_at = zone.looked_at.unwrap_or(scene.at);
            if scene.at.since(looked_at).as_secs_f32() > patience_secs
                && let Some(alarm) = zone.condition.end()
            {
                zone.looks.clear();
                out.push(Decision::End { alarm, at: looked_at });
            }
        }
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let ends = self.zones.drain(..).filter_map(|mut z| z.condition.end());
        out.extend(ends.map(|alarm| Decision::End { alarm, at }));
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}

impl Ponding {
    #[expect(
        clippy::too_many_arguments,
        reason = "a look has a zone, a scene, a task and two places for what comes out"
    )]
    fn look(
        &mut self,
        index: usize,
        name: &str,
        outline: Option<&Polygon>,
        boxes: &[Found],
        scene: &Scene<'_>,
        task: &Task,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) {
        let zone = &mut self.zones[index];
        let params = &task.params;
        let counting = counting(params);
        let look = grid(outline, boxes, scene, task);
        if look.wet.is_empty() || look.hidden as f32 > MOST_HIDDEN * look.wet.len() as f32 {
            return;
        }
        zone.looked_at = Some(scene.at);
        let seen = (look.wet.len() - look.hidden).max(1);
        let share = look.wet.iter().filter(|w| **w).count() as f32 / seen as f32;
        let as_when_dry = zone.is_as_when_dry(scene, task, share);
        zone.looks.push_back(look.wet);
        while zone.looks.len() > counting.window as usize {
            zone.looks.pop_front();
        }
        let wet = share >= params.share_needed && !as_when_dry;
        if !wet && !as_when_dry && share >= DRY * params.share_needed {
            return;
        }
        let inside = |f: &&Found| outline.is_none_or(|o| covers_any(o, &f.bbox));
        let own: Vec<Found> = boxes.iter().filter(inside).copied().collect();
        let score = own.iter().map(|f| f.score).fold(0.0, f32::max);
        if let Some(alarm) = zone.condition.look(scene.at, wet, score, &counting) {
            out.push(Decision::End { alarm, at: scene.at });
        }
        let steady = zone.steady_share();
        let free = wet && zone.condition.is_free(scene.at) && self.quiet.is_over(scene);
        let since = zone.condition.established(scene.at, params.dwell_secs, &counting);
        let Some(since) = since.filter(|_| free && steady >= params.share_needed) else { return };

        let mut measures = vec![measure("share_under_water", steady, Some(params.share_needed), None)];
        if let Some((_, changed)) = zone.reference {
            measures.push(measure("changed", changed, Some(CHANGED_BY_WATER * steady), None));
        }
        let finding = Finding {
            severity: task.severity,
            zone: name.to_owned(),
            since,
            score: zone.condition.score(),
            boxes: with_context(scene, own.iter().map(|f| f.boxed(scene)).collect()),
            why: zone.condition.why(scene.at, since, params.dwell_secs, &counting, measures),
        };
        finding.conclude(scene, task, &mut zone.condition, &mut self.quiet, alarms, out);
    }
}

impl ZoneWater {
    /// Whether the dry reference says that nothing has changed where water is seen.
    fn is_as_when_dry(&mut self, scene: &Scene<'_>, task: &Task, share: f32) -> bool {
        let too_old = REFERENCE_LOOKS / task.params.sample_fps;
        self.reference = self.reference.filter(|(at, _)| scene.at.since(*at).as_secs_f32() <= too_old);
        self.reference.is_some_and(|(_, changed)| changed < CHANGED_BY_WATER * share)
    }

    /// Share of the cells that were wet on more than half of the newest looks.
    fn steady_share(&self) -> f32 {
        let cells = self.looks.back().map_or(0, Vec::len);
        let wet = |cell: usize| self.looks.iter().filter(|l| l.get(cell) == Some(&true)).count() * 2 > self.looks.len();
        let steady = (0..cells).filter(|&c| wet(c)).count();
        steady as f32 / cells.max(1) as f32
    }
}

/// Looks at the cells of a zone.
fn grid(outline: Option<&Polygon>, boxes: &[Found], scene: &Scene<'_>, task: &Task) -> Look {
    let whole = [Point::new(0.0, 0.0), Point::new(1.0, 1.0)];
    let corners = outline.map_or(&whole[..], Polygon::points);
    let least = |of: fn(&Point) -> f32| corners.iter().map(of).fold(1.0, f32::min);
    let most = |of: fn(&Point) -> f32| corners.iter().map(of).fold(0.0, f32::max);
    let (left, top) = (least(|p| p.x), least(|p| p.y));
    let (width, height) = (most(|p| p.x) - left, most(|p| p.y) - top);
    let hidden_by: Vec<BoundingBox> = scene.persons.iter().chain(&scene.vehicles).map(|t| t.seen.bbox).collect();
    let mut look = Look { wet: Vec::new(), hidden: 0 };
    for i in 0..CELLS * CELLS {
        let (column, row) = ((i % CELLS) as f32 + 0.5, (i / CELLS) as f32 + 0.5);
        let point = Point::new(left + width * column / CELLS as f32, top + height * row / CELLS as f32);
        if outline.is_some_and(|o| !o.contains(point)) || is_excluded(task, point) {
            continue;
        }
        let hidden = hidden_by.iter().any(|b| b.contains(point));
        look.hidden += usize::from(hidden);
        look.wet.push(!hidden && boxes.iter().any(|f| f.bbox.contains(point)));
    }
    look
}

fn covers_any(outline: &Polygon, bbox: &BoundingBox) -> bool {
    (0..36).any(|i| {
        let at = |n: i32| (n as f32 + 0.5) / 6.0;
        outline.contains(Point::new(bbox.x + bbox.w * at(i % 6), bbox.y + bbox.h * at(i / 6)))
    })
}
