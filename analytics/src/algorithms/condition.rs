//! A condition of a place that is looked at now and then, rather than of a subject that moves: a pond, a stack, a
//! gap in a fence. Votes, dwell, alarm and quiet time of one such condition, and when a frame is a look at all.

use std::time::Duration;

use protocol::{BoundingBox, ClassId, Measure, Severity, Task, TaskParams, TimedBox, Timestamp, Why};

use crate::{
    decision::{Decision, Raise, Suppressed, limited},
    numbers::Numbers,
    scene::Scene,
    votes::{Counting, Verdict, Vote, Votes},
};

/// Boxes of one thing overlap at least this much, from look to look and from day to day.
const SAME_PLACE_IOU: f32 = 0.3;
/// Cosine from which two embeddings show one thing.
const SAME_LOOK: f32 = 0.8;
/// Shortest time between two notes that the same thing was held back.
const SHORTEST_NOTE: Duration = Duration::from_mins(1);

/// Votes for slow looks: the looks are spaced by [`Pace`], so that votes need no spacing of their own.
pub(super) fn counting(params: &TaskParams) -> Counting {
    let needed = params.votes_needed.max(1);
    Counting { needed, window: params.votes_window.max(needed), spacing_secs: 0.0 }
}

/// Tells which frames are looks. Frames may come more often than a slow model runs, and a frame without its
/// classes does not say whether it ran, unless [`Scene::looked_for`] does.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Timestamp>,
}

impl Pace {
    /// Whether to take this frame as a look; `found` says whether any of `classes` is on it.
    pub(super) fn is_look(&mut self, scene: &Scene<'_>, task: &Task, classes: &[Option<ClassId>], found: bool) -> bool {
        if scene.height == 0 {
            return false;
        }
        let ran = scene.looked_for.map(|ran| classes.iter().flatten().any(|c| ran.contains(c)));
        let interval = 1.0 / task.params.sample_fps;
        // Not knowing whether anybody looked, "nothing there" is believed only when a look is overdue.
        let after = match (ran, found) {
            (Some(false), _) => return false,
            (Some(true), _) | (None, true) => 0.9 * interval,
            (None, false) => 1.2 * interval,
        };
        let since = self.last.map_or(f32::INFINITY, |last| scene.at.since(last).as_secs_f32());
        let due = since >= after;
        if due {
            self.last = Some(scene.at);
        }
        due
    }
}

/// Votes and alarm of one condition.
#[derive(Debug, Default)]
pub(super) struct Condition {
    votes: Votes,
    since: Option<Timestamp>,
    alarm: Option<u64>,
    quiet_until: Option<Timestamp>,
    /// Until when nobody is told again that it was held back.
    noted_until: Option<Timestamp>,
}

impl Condition {
    /// Takes a look; gives the alarm that it ends.
    pub(super) fn look(&mut self, at: Timestamp, violation: bool, score: f32, counting: &Counting) -> Option<u64> {
        self.votes.push(at, Vote { violation, weight: 1.0, score }, counting);
        if violation {
            self.since.get_or_insert(at);
        }
        if self.votes.verdict(counting) == Verdict::Cleared {
            self.since = None;
            return self.alarm.take();
        }
        None
    }

    /// Since when the condition is established: voted for, and lasting for `dwell_secs`.
    pub(super) fn established(&self, at: Timestamp, dwell_secs: f32, counting: &Counting) -> Option<Timestamp> {
        let lasted = |since: &Timestamp| at.since(*since).as_secs_f32() >= dwell_secs;
        self.since.filter(lasted).filter(|_| self.votes.verdict(counting) == Verdict::Accused)
    }

    /// Whether an alarm may be raised: none is open, and no quiet time runs.
    pub(super) fn is_free(&self, at: Timestamp) -> bool {
        self.alarm.is_none() && !self.is_quiet(at)
    }

    pub(super) fn is_quiet(&self, at: Timestamp) -> bool {
        self.quiet_until.is_some_and(|until| until > at)
    }

    pub(super) fn alarm(&self) -> Option<u64> {
        self.alarm
    }

    fn raise(&mut self, at: Timestamp, alarm: u64, cool_down_secs: f32) {
        self.alarm = Some(alarm);
        self.quiet_until = Some(at + Duration::from_secs_f32(cool_down_secs));
    }

    /// Starts over, without an alarm; the quiet time stays. Gives the alarm that was open.
    pub(super) fn end(&mut self) -> Option<u64> {
        self.votes.clear();
        self.since = None;
        self.alarm.take()
    }

    pub(super) fn score(&self) -> f32 {
        self.votes.median_score()
    }

    pub(super) fn why(
        &self,
        at: Timestamp,
        since: Timestamp,
        dwell_secs: f32,
        counting: &Counting,
        measures: Vec<Measure>,
    ) -> Why {
        let (votes_for, votes_against) = self.votes.counts();
        Why {
            votes_for,
            votes_against,
            votes_needed: counting.needed,
            votes_window: counting.window,
            lasted_secs: at.since(since).as_secs_f32(),
            dwell_secs,
            measures,
            ..Why::default()
        }
    }
}

/// Quiet time of a whole task, and of its camera.
#[derive(Debug, Default)]
pub(super) struct TaskQuiet(Option<Timestamp>);

impl TaskQuiet {
    pub(super) fn is_over(&self, scene: &Scene<'_>) -> bool {
        self.0.is_none_or(|until| until <= scene.at)
    }

    fn begin(&mut self, at: Timestamp, params: &TaskParams) {
        self.0 = Some(at + Duration::from_secs_f32(params.task_cool_down_secs.max(params.camera_cool_down_secs)));
    }
}

/// What a rule of this kind found, beside the task and the scene.
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// The include zone, `""` for the whole picture.
    pub(super) zone: String,
    pub(super) since: Timestamp,
    pub(super) score: f32,
    /// The subject first: a muted place is told by its first box.
    pub(super) boxes: Vec<TimedBox>,
    pub(super) why: Why,
}

impl Finding {
    /// Raises it; or, at a muted place 误报屏蔽, says once per cool-down that it was held back. Tells whether it was
    /// raised.
    pub(super) fn conclude(
        self,
        scene: &Scene<'_>,
        task: &Task,
        condition: &mut Condition,
        quiet: &mut TaskQuiet,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) -> bool {
        let subject = self.boxes.iter().find(|b| b.subject);
        if let Some(bbox) = subject.filter(|b| is_muted(scene, task, b)).map(|b| b.bbox) {
            if condition.noted_until.is_none_or(|until| until <= scene.at) {
                let cool_down = Duration::from_secs_f32(task.params.cool_down_secs).max(SHORTEST_NOTE);
                condition.noted_until = Some(scene.at + cool_down);
                out.push(suppressed(scene, task, &self.zone, bbox, "muted_place"));
            }
            return false;
        }
        let alarm = alarms.next();
        condition.raise(scene.at, alarm, task.params.cool_down_secs);
        quiet.begin(scene.at, &task.params);
        out.push(self.raise(scene, task, alarm));
        true
    }

    pub(super) fn raise(self, scene: &Scene<'_>, task: &Task, alarm: u64) -> Decision {
        Decision::Raise(Box::new(Raise {
            alarm,
            task: task.id,
            algorithm: task.algorithm,
            severity: self.severity,
            zone: (!self.zone.is_empty()).then_some(self.zone),
            track: None,
            started_at: self.since,
            decided_at: scene.at,
            score: self.score.clamp(0.0, 1.0),
            boxes: self.boxes,
            path: Vec::new(),
            why: self.why,
        }))
    }
}

/// Something without a track that was held back.
pub(super) fn suppressed(
    scene: &Scene<'_>,
    task: &Task,
    zone: &str,
    bbox: BoundingBox,
    reason: &'static str,
) -> Decision {
    Decision::Suppress(Box::new(Suppressed {
        task: task.id,
        algorithm: task.algorithm,
        track: None,
        zone: (!zone.is_empty()).then(|| zone.to_owned()),
        at: scene.at,
        bbox,
        reason,
    }))
}

/// Whether somebody said of this thing at this place: no violation, never again here.
fn is_muted(scene: &Scene<'_>, task: &Task, subject: &TimedBox) -> bool {
    let looks_the_same = |embedding: &[f32]| {
        let now = scene.appearance.filter(|_| !embedding.is_empty()).and_then(|a| a.embedding(&subject.bbox));
        // Embeddings of another model cannot be compared: the place alone decides.
        now.filter(|now| now.len() == embedding.len())
            .is_none_or(|now| now.iter().zip(embedding).map(|(a, b)| a * b).sum::<f32>() >= SAME_LOOK)
    };
    task.mutes.iter().any(|mute| {
        mute.until.is_none_or(|until| scene.at < until)
            && mute.class == subject.class
            && mute.bbox.iou(&subject.bbox) >= SAME_PLACE_IOU
            && looks_the_same(&mute.embedding)
    })
}

/// A measure of an event.
pub(super) fn measure(name: &str, value: f32, limit: Option<f32>, label: Option<&str>) -> Measure {
    Measure { name: name.to_owned(), value, limit, label: label.map(str::to_owned) }
}

/// Subjects first, then the tracks of the frame that are none of them.
pub(super) fn with_context(scene: &Scene<'_>, subjects: Vec<TimedBox>) -> Vec<TimedBox> {
    let context = scene.boxes(&[]);
    let known = |b: &TimedBox| subjects.iter().any(|s| s.class == b.class && s.bbox.iou(&b.bbox) > 0.9);
    let context: Vec<TimedBox> = context.into_iter().filter(|b| !known(b)).collect();
    limited(subjects.into_iter().chain(context).collect())
}
