//! Replay 回放: the pipeline on a file, faster than real time.
//!
//! The same code as on live cameras samples, detects, analyses and makes events. What differs: nothing is dropped,
//! and time is the clip's own. The same clip, tasks and models therefore give the same lines each time.

mod clock;
mod draw;
mod font;
mod line;
mod render;
mod tasks;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use analytics::Decision;
use protocol::{Algorithm, Subject, Task, TaskId, Timestamp};

pub use self::{
    clock::{NotATime, parse_start},
    line::{BoxLine, Line},
    render::RenderError,
    tasks::{TasksError, Watched, parse_tasks},
};
use self::{
    line::{end_line, escalation_line, raise_line, suppressed_line},
    render::Render,
};
use super::{
    analysis::Analysis,
    decode::{FileDecoder, FileError, FileSettings, Taken},
    event::{Context, event_of},
    lookout::{Failed, Lookout},
    models::Models,
    plan,
};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What is to be replayed.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The video file.
    pub video: PathBuf,
    /// Time of its first picture: schedules and time stamps go by it.
    pub start: Timestamp,
    /// Stops after this much of the clip.
    pub limit: Option<Duration>,
    /// Where to write the clip with boxes, zones and alarms drawn on it, MP4.
    pub render: Option<PathBuf>,
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Time in the clip, seconds.
    pub clip_secs: f64,
    /// Length of the clip, seconds, when known.
    pub of_secs: Option<f64>,
    /// Seconds of the clip per second of work.
    pub speed: f64,
    /// Alarms so far.
    pub alarms: u64,
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Time of the last picture that was decoded, seconds in the clip.
    pub clip_secs: f64,
    /// Pictures that were decoded.
    pub decoded: u64,
    /// Pictures that were looked at.
    pub looked_at: u64,
    /// Runs of each model: pictures for a first stage, pictures with crops for a second.
    pub runs: Vec<(String, u64)>,
    /// Alarms of each algorithm.
    pub alarms: BTreeMap<Algorithm, u64>,
    /// Candidates that were held back.
    pub suppressed: u64,
}

/// Why a clip cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No model for a task.
    #[error("task {task:?} ({algorithm}) cannot run: {reason}")]
    Refused {
        /// Name of the task.
        task: String,
        /// Its algorithm.
        algorithm: Algorithm,
        /// What is missing.
        reason: String,
    },
    /// The video.
    #[error(transparent)]
    Video(#[from] FileError),
    /// A model that does not run.
    #[error("the model {0}")]
    Model(String),
    /// The drawn clip.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The caller could not take a line.
    #[error("the events cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

/// Models that look at one clip after the other.
pub struct Replayer {
    lookout: Lookout,
}

impl Replayer {
    /// Takes models into use.
    pub fn new(models: Models) -> Self {
        Self { lookout: Lookout::new(models) }
    }

    /// The classes that are known.
    pub fn classes(&self) -> &[String] {
        self.lookout.sight().classes().names()
    }

    /// Why `algorithm` cannot run with these models, if so.
    pub fn lacking(&self, algorithm: Algorithm) -> Option<String> {
        self.lookout.sight().lacking(algorithm)
    }

    /// Replays a clip; `lines` takes what is decided, in order, `progress` how far it is.
    ///
    /// # Errors
    /// When a task cannot run with these models, the video cannot be decoded, or something cannot be written.
    pub fn run(
        &mut self,
        clip: &Clip,
        watched: &Watched,
        lines: &mut dyn FnMut(&Line) -> std::io::Result<()>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Summary, ReplayError> {
        let tasks = &watched.tasks[..];
        let mut analysis = Analysis::new(self.lookout.sight().clone(), watched.references.clone());
        analysis.set_tasks(tasks.to_vec(), 0);
        if let Some(refusal) = analysis.refusals().first() {
            let refused = |t: &&Task| Subject::Task(t.id) == refusal.subject;
            let (task, algorithm) = tasks
                .iter()
                .find(refused)
                .map_or_else(|| (String::new(), Algorithm::PictureQuality), |t| (t.name.clone(), t.algorithm));
            return Err(ReplayError::Refused { task, algorithm, reason: refusal.reason.clone() });
        }
        let planned = tasks.to_vec();
        let settings = FileSettings {
            start: clip.start,
            rate_at: Box::new(move |at| plan::needed_fps(&planned, at)),
            all: clip.render.is_some(),
        };
        let mut film = FileDecoder::open(&clip.video, settings)?;
        let mut run = Run {
            lookout: &mut self.lookout,
            analysis,
            tasks,
            start: clip.start,
            render: clip.render.as_deref().map(|path| Render::new(path, tasks)),
            open: BTreeMap::new(),
            newest: clip.start,
            summary: Summary::default(),
            runs: BTreeMap::new(),
            lines,
        };
        let (began, mut told) = (Instant::now(), Instant::now());
        while let Some(taken) = film.next()? {
            if clip.limit.is_some_and(|limit| taken.picture.at.since(clip.start) > limit) {
                break;
            }
            run.take(taken)?;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let clip_secs = run.secs(run.newest);
                progress(Progress {
                    clip_secs,
                    of_secs: film.duration().map(|d| d.as_secs_f64()),
                    speed: clip_secs / began.elapsed().as_secs_f64().max(1e-3),
                    alarms: run.summary.alarms.values().sum(),
                });
            }
        }
        run.summary.decoded = film.decoded();
        run.finish()
    }
}

/// One clip on its way.
struct Run<'a> {
    lookout: &'a mut Lookout,
    analysis: Analysis,
    tasks: &'a [Task],
    start: Timestamp,
    render: Option<Render>,
    /// What was raised and is not over.
    open: BTreeMap<u64, Line>,
    newest: Timestamp,
    summary: Summary,
    runs: BTreeMap<usize, u64>,
    lines: &'a mut dyn FnMut(&Line) -> std::io::Result<()>,
}

impl Run<'_> {
    fn secs(&self, at: Timestamp) -> f64 {
        (at.as_micros() - self.start.as_micros()) as f64 / 1e6
    }

    fn take(&mut self, Taken { picture, due: is_due }: Taken) -> Result<(), ReplayError> {
        self.newest = self.newest.max(picture.at);
        let due = if is_due { self.analysis.due(&picture) } else { plan::Due::default() };
        if is_due && !due.tasks.is_empty() {
            let mut seen = Vec::new();
            let failed = self.lookout.look(&[(picture.frame(), &due)], &mut seen);
            if let Some(failed) = failed.first() {
                return Err(ReplayError::Model(Failed::to_string(failed)));
            }
            self.summary.looked_at += 1;
            for model in (0..super::models::MAX_MODELS).filter(|m| due.models.contains(*m)) {
                *self.runs.entry(model).or_default() += 1;
            }
            let mut decisions = Vec::new();
            for seen in &seen {
                self.analysis.step(&picture, &due, seen, self.lookout, &mut decisions);
            }
            self.tell(decisions, false)?;
        }
        if let Some(render) = &mut self.render {
            let boxes = self.analysis.boxes();
            render.picture(&picture, &boxes, self.open.values())?;
        }
        Ok(())
    }

    fn tell(&mut self, decisions: Vec<Decision>, cut_off: bool) -> std::io::Result<()> {
        for decision in decisions {
            let line = match decision {
                Decision::Raise(raise) => {
                    *self.summary.alarms.entry(raise.algorithm).or_default() += 1;
                    let alarm = raise.alarm;
                    let name = self.name(raise.task);
                    let camera = self.tasks.first().map(|t| t.camera);
                    let Some(camera) = camera else { continue };
                    let context = Context { camera, generation: 0, model: self.analysis.model(&raise) };
                    let line = raise_line(alarm, name, &event_of(*raise, context), self.start);
                    self.open.insert(alarm, line.clone());
                    line
                }
                Decision::End { alarm, at } => match self.open.remove(&alarm) {
                    Some(raised) => end_line(&raised, at, cut_off, self.start),
                    None => continue,
                },
                Decision::Escalate(worse) => match self.open.get_mut(&worse.alarm) {
                    Some(raised) => {
                        let line = escalation_line(raised, &worse, self.start);
                        raised.severity = line.severity;
                        line
                    }
                    None => continue,
                },
                Decision::Suppress(held) => {
                    self.summary.suppressed += 1;
                    suppressed_line(self.name(held.task), &held, self.start)
                }
            };
            (self.lines)(&line)?;
        }
        Ok(())
    }

    fn name(&self, task: TaskId) -> String {
        self.tasks.iter().find(|t| t.id == task).map(|t| t.name.clone()).unwrap_or_default()
    }

    /// Ends what is open: the clip says no more about it.
    fn finish(mut self) -> Result<Summary, ReplayError> {
        let mut decisions = Vec::new();
        let end = self.newest;
        self.analysis.end_all(end, &mut decisions);
        self.tell(decisions, true)?;
        if let Some(render) = self.render.take() {
            render.finish()?;
        }
        let sight = self.lookout.sight();
        let named = self.runs.iter().filter_map(|(model, count)| {
            let model = sight.model(*model)?;
            Some((format!("{} {}", model.name, model.version), *count))
        });
        self.summary.runs = named.collect();
        self.summary.clip_secs = (end.as_micros() - self.start.as_micros()) as f64 / 1e6;
        Ok(self.summary)
    }
}

#[cfg(test)]
mod tests;
