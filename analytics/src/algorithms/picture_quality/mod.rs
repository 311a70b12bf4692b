//! 摄像头画面质量异常 (requirement A12): a camera whose picture is of no use. Part (b), the state of the picture; part
//! (a), too few people in a whole week, is computed from hourly counts by [`crate::judge_week`].
//!
//! # What is seen
//! A measured look at the picture every ten seconds or so (brightness, contrast, sharpness, noise, colours, texture,
//! difference to the look before, shift of the view, clock), and the frames themselves: none for 30 s is a lost signal.
//! What is usual differs from camera to camera and from hour to hour, so each camera learns its own: a running robust
//! middle of its measures for every hour of the day, from looks without any defect.
//!
//! | defect | 中文 | decided by |
//! | --- | --- | --- |
//! | `black` | 黑屏 | dark and flat, and neither usual at this hour nor come slowly like the night |
//! | `white` | 过曝 | very bright, and flat or mostly pure white |
//! | `blurred` | 模糊 | edges weak for the contrast there is (below 1/4 of the hour's usual, or hardly any) |
//! | `frozen` | 画面冻结 | three looks in a row without even noise between them |
//! | `covered` | 镜头遮挡 | hardly a block with texture, come suddenly |
//! | `colour_cast` | 偏色 | colours far from grey, and far from what is usual at this hour |
//! | `noise` | 噪声 | far more noise than usual at this hour |
//! | `shifted` | 视角偏移 | the view is 8 % of the picture or more away from the usual one |
//! | `signal_lost` | 信号丢失 | no frames |
//! | `wrong_clock` | 时钟错误 | more than a minute from the edge's clock |
//!
//! # What decides
//! The picture is abnormal while any defect is seen; three good looks in a row make it well. Abnormal for longer than
//! `dwell_secs` raises one event that names the defects and what was measured, however they take turns (a failing
//! camera goes from noisy to frozen to lost). It ends with the first of the three good looks.
//!
//! What is no defect: **night** comes slowly (at least 5 min from light to black) and is learned per hour;
//! **fog** takes contrast and sharpness alike, and comes slowly; **headlights** and the low sun pass within the
//! dwell; a still scene still has noise.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `dwell_secs` | s | 3600 | abnormal for longer than this 异常持续时间 |
//! | `cool_down_secs` | s | 14400 | quiet time after an event 单目标抑制 |
//!
//! Measures of an event: one per defect, named by what was measured (`mean_luma`, `acuity`, `seconds_lost` …) with its
//! limit; its label is the defect. Zones do not matter.
//!
//! # How it fails
//! * An unlit camera whose edge starts at night is black until morning: nothing says that it was not covered.
//!   A schedule of daylight hours avoids it. What was learned is lost when the edge starts anew.
//! * Dirt that collects over weeks is learned as usual until edges are hardly there at all.
//! * A camera that was turned on purpose stays `shifted` until its usual view is taken anew.
//! * Strong noise reduction on a still scene at night leaves no noise: `frozen`. The limit follows the camera's
//!   own usual difference to keep it rare.

mod baseline;
mod defects;

use std::{collections::BTreeMap, time::Duration};

use protocol::{BoundingBox, Measure, Task, TimedBox, Timestamp, Why};

use self::{
    baseline::Baseline,
    defects::{Defect, Onsets, Symptom},
};
use super::{
    Rule,
    condition::{Finding, measure},
};
use crate::{decision::Decision, numbers::Numbers, scene::Scene};

/// Without a frame for so long, or three sampling intervals, the signal is lost, seconds.
const LOST_SECS: f32 = 30.0;
/// While nothing is measured, frames (or their absence) are a look every so often, seconds.
const LOOK_SECS: f32 = 10.0;
/// After so long without a measured look the frames alone say that the picture is there, seconds.
const UNMEASURED_SECS: f32 = 60.0;
/// Good looks in a row that make the picture well.
const GOOD_LOOKS: u32 = 3;

/// State of one picture quality task.
#[derive(Debug, Default)]
pub(crate) struct PictureQuality {
    baseline: Baseline,
    onsets: Onsets,
    frame_at: Option<Timestamp>,
    measured_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    run: Option<Run>,
    quiet_until: Option<Timestamp>,
}

/// An abnormal time.
#[derive(Debug)]
struct Run {
    since: Timestamp,
    bad_looks: u32,
    good_looks: u32,
    /// Since when it is well, and for how many looks.
    well: Option<(Timestamp, u32)>,
    /// The worst of each defect, and on how many looks it was seen.
    symptoms: BTreeMap<Defect, (Symptom, u32)>,
    alarm: Option<u64>,
}

impl Rule for PictureQuality {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let Some((began, symptoms)) = self.symptoms(scene, task) else { return };
        if symptoms.is_empty() {
            self.good(scene.at, out);
        } else {
            self.bad(began, &symptoms);
            self.raise_if_due(scene, task, alarms, out);
        }
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        (self.frame_at, self.measured_at, self.looked_at) = (None, None, None);
        let alarm = self.run.take().and_then(|run| run.alarm);
        out.extend(alarm.map(|alarm| Decision::End { alarm, at }));
    }

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}

impl PictureQuality {
    /// What is wrong on this look, and since when; `None` when this is no look.
    fn symptoms(&mut self, scene: &Scene<'_>, task: &Task) -> Option<(Timestamp, Vec<Symptom>)> {
        if let Some(look) = scene.picture {
            (self.frame_at, self.measured_at, self.looked_at) = (Some(scene.at), Some(scene.at), Some(scene.at));
            let usual = self.baseline.usual(scene.at);
            let symptoms = self.onsets.symptoms(scene.at, look, usual.as_ref());
            if symptoms.is_empty() && self.run.is_none() {
                self.baseline.learn(scene.at, look);
            }
            return Some((scene.at, symptoms));
        }
        let has_frame = scene.height > 0;
        let frame_at = if has_frame { scene.at } else { self.frame_at.unwrap_or(scene.at) };
        self.frame_at = Some(frame_at);
        let lost_secs = scene.at.since(frame_at).as_secs_f32();
        let limit = LOST_SECS.max(3.0 / task.params.sample_fps);
        let lost = lost_secs > limit;
        let unmeasured = self.measured_at.is_none_or(|at| scene.at.since(at).as_secs_f32() > UNMEASURED_SECS);
        let due = self.looked_at.is_none_or(|at| scene.at.since(at).as_secs_f32() >= LOOK_SECS);
        if !due || !(lost || (has_frame && unmeasured)) {
            return None;
        }
        self.looked_at = Some(scene.at);
        let symptom = Symptom { defect: Defect::SignalLost, measured: "seconds_lost", value: lost_secs, limit };
        Some(if lost { (frame_at, vec![symptom]) } else { (scene.at, Vec::new()) })
    }

    fn good(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let Some(run) = &mut self.run else { return };
        run.good_looks = run.good_looks.saturating_add(1);
        let (since, looks) = run.well.map_or((at, 1), |(since, looks)| (since, looks + 1));
        run.well = Some((since, looks));
        if looks >= GOOD_LOOKS {
            out.extend(run.alarm.map(|alarm| Decision::End { alarm, at: since }));
            self.run = None;
        }
    }

    fn bad(&mut self, began: Timestamp, symptoms: &[Symptom]) {
        let run = self.run.get_or_insert_with(|| Run::new(began));
        run.bad_looks = run.bad_looks.saturating_add(1);
        run.well = None;
        for symptom in symptoms {
            let (worst, looks) = run.symptoms.entry(symptom.defect).or_insert((*symptom, 0));
            (*worst, *looks) = (*symptom, looks.saturating_add(1));
        }
    }

    fn raise_if_due(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let Some(run) = &mut self.run else { return };
        let dwell_secs = task.params.dwell_secs;
        let lasted_secs = scene.at.since(run.since).as_secs_f32();
        let quiet = self.quiet_until.is_some_and(|until| until > scene.at);
        if run.alarm.is_some() || quiet || lasted_secs < dwell_secs {
            return;
        }
        let alarm = alarms.next();
        run.alarm = Some(alarm);
        let cool_down_secs = task.params.cool_down_secs.max(task.params.task_cool_down_secs);
        self.quiet_until = Some(scene.at + Duration::from_secs_f32(cool_down_secs));
        let score = run.bad_looks as f32 / (run.bad_looks + run.good_looks) as f32;
        let whole = TimedBox {
            at: scene.at,
            class: "picture".to_owned(),
            score,
            bbox: BoundingBox::new(0.0, 0.0, 1.0, 1.0),
            track: None,
            subject: true,
        };
        let why = Why {
            votes_for: run.bad_looks,
            votes_against: run.good_looks,
            lasted_secs,
            dwell_secs,
            measures: run.measures(),
            ..Why::default()
        };
        let finding =
            Finding { severity: task.severity, zone: String::new(), since: run.since, score, boxes: vec![whole], why };
        out.push(finding.raise(scene, task, alarm));
    }
}

impl Run {
    fn new(since: Timestamp) -> Self {
        Self { since, bad_looks: 0, good_looks: 0, well: None, symptoms: BTreeMap::new(), alarm: None }
    }

    /// The defects, the most frequent first; those that were seen only now and then are left out.
    fn measures(&self) -> Vec<Measure> {
        let mut seen: Vec<_> = self.symptoms.values().filter(|(_, looks)| looks * 10 >= self.bad_looks).collect();
        seen.sort_by_key(|(symptom, looks)| (std::cmp::Reverse(*looks), symptom.defect));
        seen.iter().map(|(s, _)| measure(s.measured, s.value, Some(s.limit), Some(s.defect.as_str()))).collect()
    }
}
