//! The analysis of one camera: its tasks, its analyzer, and what it says about the picture.

use std::sync::Arc;

use analytics::{Appearance, CameraAnalyzer, Decision, FrameInput, Raise};
use protocol::{
    CameraId, CountRow, HourlyCounts, ModelRef, Overlay, OverlayBox, Refusal, Subject, Task, TaskId, Timestamp,
};
use tracing::debug;

use super::{
    compare::{self, References},
    lookout::{Lookout, Seen},
    picture::Picture,
    plan::{self, Cadence, Due},
    quality::{Defect, Quality},
    sight::Sight,
};
use crate::references::ReferencePictures;

/// How far time may go backwards before it is a jump of the clock, not a late picture.
const CLOCK_JUMP_SECS: u64 = 5;
/// Speed is measured over so many seconds.
const RATE_SECS: f32 = 5.0;
/// Without a picture for so long there is no speed.
const STALE_SECS: f32 = 10.0;

/// State of the analysis.
pub(crate) struct Analysis {
    sight: Arc<Sight>,
    cadence: Cadence,
    analyzer: CameraAnalyzer,
    /// The tasks that the models can serve.
    tasks: Vec<Task>,
    refusals: Vec<Refusal>,
    generation: u64,
    newest: Option<Timestamp>,
    rate: Rate,
    quality: Quality,
    pictures: ReferencePictures,
    references: References,
}

impl Analysis {
    pub(crate) fn new(sight: Arc<Sight>, pictures: ReferencePictures) -> Self {
        Self {
            analyzer: CameraAnalyzer::new(sight.classes().clone()),
            sight,
            cadence: Cadence::default(),
            tasks: Vec::new(),
            refusals: Vec::new(),
            generation: 0,
            newest: None,
            rate: Rate::default(),
            quality: Quality::default(),
            pictures,
            references: References::default(),
        }
    }

    /// Replaces the tasks; what the models cannot serve is refused with the reason.
    pub(crate) fn set_tasks(&mut self, tasks: Vec<Task>, generation: u64) {
        self.generation = generation;
        self.refusals.clear();
        self.tasks.clear();
        for task in tasks {
            match self.lacking(&task) {
                Some(reason) if task.enabled => {
                    self.refusals.push(Refusal { subject: Subject::Task(task.id), reason });
                }
                _ => self.tasks.push(task),
            }
        }
        self.references.keep(&self.tasks);
        self.analyzer.set_tasks(self.tasks.clone());
    }

    /// Why a task cannot run here, if so.
    fn lacking(&self, task: &Task) -> Option<String> {
        if task.algorithm.compares_with_reference() && task.reference.is_none() {
            return Some("no reference picture is approved for it; approve one that shows the right state".into());
        }
        self.sight.lacking(task.algorithm)
    }

    pub(crate) fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The model whose class decided.
    pub(crate) fn model(&self, raise: &Raise) -> ModelRef {
        self.sight.decided(raise.algorithm, &raise.boxes)
    }

    /// The tasks that run now.
    pub(super) fn running(&self, now: Timestamp) -> impl Iterator<Item = TaskId> {
        plan::armed(&self.tasks, now).map(|t| t.id)
    }

    /// Pictures per second that the tasks of now need; `None` when there are none.
    pub(super) fn needed_fps(&self, now: Timestamp) -> Option<f32> {
        plan::needed_fps(&self.tasks, now)
    }

    /// What is due on the next picture; to be asked once.
    pub(crate) fn due(&mut self, picture: &Picture) -> Due {
        self.cadence.due(&self.tasks, &self.sight, picture.pts_us, picture.at)
    }

    /// Takes what was seen on a picture; gives what to draw over it.
    pub(crate) fn step(
        &mut self,
        picture: &Picture,
        due: &Due,
        seen: &Seen,
        lookout: &Lookout,
        out: &mut Vec<Decision>,
    ) -> Overlay {
        if self.newest.is_some_and(|newest| newest.since(picture.at).as_secs() >= CLOCK_JUMP_SECS) {
            self.analyzer.restart(picture.at, out);
            self.rate = Rate::default();
        }
        self.newest = Some(picture.at);
        if !due.tasks.is_empty() {
            self.rate.count(picture.at);
        }
        let looks = lookout.looks(picture.frame());
        let quality = self.quality.look(picture).unwrap_or_else(|e| {
            debug!(reason = %e, "a picture could not be measured");
            None
        });
        let comparing =
            self.tasks.iter().filter(|t| t.algorithm.compares_with_reference() && due.tasks.contains(&t.id));
        let masks = compare::masks(self.sight.classes(), &seen.detections);
        let references = self.references.look(&self.pictures, comparing, &picture.frame(), &masks);
        let frame = FrameInput {
            picture: quality.as_ref(),
            references: &references,
            looked_for: Some(&seen.looked),
            appearance: looks.as_ref().map(|looks| looks as &dyn Appearance),
            ..FrameInput::new(picture.at, picture.size(), &seen.detections)
        };
        self.analyzer.step(&frame, out);
        Overlay { pts_us: picture.pts_us, boxes: self.boxes() }
    }

    /// What to draw over the newest picture.
    pub(crate) fn boxes(&self) -> Vec<OverlayBox> {
        let boxes = self.analyzer.tracks().map(|t| OverlayBox {
            track: t.track,
            class: t.class.to_owned(),
            score: t.score,
            bbox: t.bbox,
            alarm: t.alarm,
        });
        boxes.collect()
    }

    /// What makes the picture useless, if anything.
    pub(super) fn defect(&self) -> Option<Defect> {
        self.quality.defect()
    }

    /// Takes the counts of the hours that are over.
    pub(super) fn take_counts(&mut self, camera: CameraId, now: Timestamp) -> Vec<HourlyCounts> {
        let row = |r: analytics::CountRow| CountRow { kind: r.kind, entered: r.entered, left: r.left, seen: r.seen };
        let counts = self.analyzer.take_counts(now).into_iter().map(|hour| HourlyCounts {
            hour_start: hour.hour_start,
            camera,
            analysed_secs: hour.analysed_secs,
            rows: hour.rows.into_iter().map(row).collect(),
        });
        counts.collect()
    }

    /// Lets time pass without a picture.
    pub(crate) fn idle(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        self.analyzer.idle(at, out);
    }

    /// Ends everything that is open.
    pub(crate) fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        self.analyzer.restart(at, out);
    }

    /// When the newest picture was taken.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Pictures per second that are looked at.
    pub(super) fn analysed_fps(&self, now: Timestamp) -> f32 {
        let stale = self.newest.is_none_or(|newest| now.since(newest).as_secs_f32() > STALE_SECS);
        if stale { 0.0 } else { self.rate.fps }
    }
}

/// Pictures per second.
#[derive(Debug, Default)]
struct Rate {
    since: Option<Timestamp>,
    count: u32,
    fps: f32,
}

impl Rate {
    fn count(&mut self, at: Timestamp) {
        let since = *self.since.get_or_insert(at);
        let secs = at.since(since).as_secs_f32();
        if secs > 0.0 && (self.fps == 0.0 || secs >= RATE_SECS) {
            self.fps = self.count as f32 / secs;
        }
        if secs >= RATE_SECS {
            *self = Self { since: Some(at), count: 0, fps: self.fps };
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        for i in 0..100 {
            rate.count(Timestamp::from_micros(i * 200_000));
        }
        assert!((rate.fps - 5.0).abs() < 0.01, "{}", rate.fps);
        for i in 0..20 {
            rate.count(Timestamp::from_micros(20_000_000 + i * 1_000_000));
        }
        assert!((rate.fps - 1.0).abs() < 0.3, "{}", rate.fps);
    }
}
