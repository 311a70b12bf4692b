//! The analysis of one camera: its tasks, its analyzer, and what it says about the picture.

use analytics::{CameraAnalyzer, Decision, FrameInput};
use protocol::{
    Algorithm, ClassTable, Detection, ModelRef, Overlay, OverlayBox, Refusal, Subject, Task, TaskId, Timestamp,
};

use super::{picture::Picture, quality::Quality};

/// How far time may go backwards before it is a jump of the clock, not a late picture.
const CLOCK_JUMP_SECS: u64 = 5;
/// Speed is measured over so many seconds.
const RATE_SECS: f32 = 5.0;
/// Without a picture for so long there is no speed.
const STALE_SECS: f32 = 10.0;

/// What the model can see.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) classes: ClassTable,
    pub(super) model: ModelRef,
}

/// State of the analysis.
pub(super) struct Analysis {
    /// `Err` says why there is no model.
    sight: Result<Sight, String>,
    analyzer: CameraAnalyzer,
    /// The tasks that the model can serve.
    tasks: Vec<Task>,
    refusals: Vec<Refusal>,
    generation: u64,
    newest: Option<Timestamp>,
    rate: Rate,
    pub(super) quality: Quality,
}

impl Analysis {
    pub(super) fn new(sight: Result<Sight, String>) -> Self {
        let classes = sight.as_ref().map(|s| s.classes.clone()).unwrap_or_default();
        Self {
            sight,
            analyzer: CameraAnalyzer::new(classes),
            tasks: Vec::new(),
            refusals: Vec::new(),
            generation: 0,
            newest: None,
            rate: Rate::default(),
            quality: Quality::default(),
        }
    }

    /// Replaces the tasks; what the model cannot serve is refused with the reason.
    pub(super) fn set_tasks(&mut self, tasks: Vec<Task>, generation: u64) {
        self.generation = generation;
        self.refusals.clear();
        self.tasks.clear();
        for task in tasks {
            match lacking(&self.sight, task.algorithm) {
                Some(reason) if task.enabled => {
                    self.refusals.push(Refusal { subject: Subject::Task(task.id), reason });
                }
                _ => self.tasks.push(task),
            }
        }
        self.analyzer.set_tasks(self.tasks.clone());
    }

    pub(super) fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The model that looks; empty without one.
    pub(super) fn model(&self) -> ModelRef {
        let none = || ModelRef { name: String::new(), version: String::new() };
        self.sight.as_ref().map_or_else(|_| none(), |s| s.model.clone())
    }

    /// The tasks that run now.
    pub(super) fn running(&self, now: Timestamp) -> impl Iterator<Item = TaskId> {
        self.armed(now).map(|t| t.id)
    }

    /// Pictures per second that the tasks of now need; `None` when there are none.
    pub(super) fn needed_fps(&self, now: Timestamp) -> Option<f32> {
        self.armed(now).map(|t| t.params.sample_fps).reduce(f32::max)
    }

    fn armed(&self, now: Timestamp) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(move |t| t.enabled && t.schedule.is_armed(now))
    }

    /// Takes what was seen on a picture; gives what to draw over it.
    pub(super) fn step(&mut self, picture: &Picture, detections: &[Detection], out: &mut Vec<Decision>) -> Overlay {
        let (width, height) = picture.size();
        if self.newest.is_some_and(|newest| newest.since(picture.at).as_secs() >= CLOCK_JUMP_SECS) {
            self.analyzer.restart(picture.at, out);
            self.rate = Rate::default();
        }
        self.newest = Some(picture.at);
        self.rate.count(picture.at);
        self.analyzer.step(&FrameInput::new(picture.at, (width, height), detections), out);
        let boxes = self.analyzer.tracks().map(|t| OverlayBox {
            track: t.track,
            class: t.class.to_owned(),
            score: t.score,
            bbox: t.bbox,
            alarm: t.alarm,
        });
        Overlay { pts_us: picture.pts_us, boxes: boxes.collect() }
    }

    /// Lets time pass without a picture.
    pub(super) fn idle(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        self.analyzer.idle(at, out);
    }

    /// Ends everything that is open.
    pub(super) fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
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

/// Why the model cannot serve an algorithm, if so.
fn lacking(sight: &Result<Sight, String>, algorithm: Algorithm) -> Option<String> {
    match sight {
        Err(reason) => Some(format!("no model is loaded on this edge: {reason}")),
        Ok(sight) => {
            let missing = algorithm.needed_classes().iter().find(|class| sight.classes.id(class).is_none())?;
            Some(format!(
                "the model {} {} does not know the class `{missing}`, which {} needs",
                sight.model.name,
                sight.model.version,
                algorithm.name_zh()
            ))
        }
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
    fn what_the_model_lacks_is_said() {
        let sight = |names: &[&str]| {
            let model = ModelRef { name: "site-ppe".into(), version: "1".into() };
            Ok(Sight { classes: ClassTable::new(names.iter().copied()), model })
        };
        assert_eq!(lacking(&sight(&["person", "helmet", "head"]), Algorithm::NoHelmet), None);
        assert_eq!(
            lacking(&sight(&["person"]), Algorithm::NoHelmet).as_deref(),
            Some("the model site-ppe 1 does not know the class `helmet`, which 未戴安全帽 needs")
        );
        assert_eq!(
            lacking(&Err("the file is damaged".into()), Algorithm::Crowd).as_deref(),
            Some("no model is loaded on this edge: the file is damaged")
        );
    }

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
