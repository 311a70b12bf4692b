//! What comes out of a scene.

use protocol::{Algorithm, BoundingBox, Event, Severity, TaskId, TimedBox, Timestamp, Why};

/// Something a rule decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// A violation began.
    Raise(Box<Raise>),
    /// The violation with this alarm number is over.
    End {
        /// The number that its [`Raise`] had.
        alarm: u64,
        /// When it was over: when the subject was last seen, or when the condition changed.
        at: Timestamp,
    },
    /// The violation with this alarm number got worse: the same event, a higher grade and newer counts.
    Escalate(Box<Escalation>),
    /// A candidate was held back, for the log 已抑制.
    Suppress(Box<Suppressed>),
}

/// A candidate that another rule or a muted place explained away.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// The task that would have raised it.
    pub task: TaskId,
    /// What was looked for.
    pub algorithm: Algorithm,
    /// Track number of the subject.
    pub track: Option<u64>,
    /// Name of the zone.
    pub zone: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub bbox: BoundingBox,
    /// Why it was held back: a key that the console translates, e.g. `large_material`, `muted_place`.
    pub reason: &'static str,
}

/// What is new about an open alarm that got worse.
#[derive(Clone, Debug, PartialEq)]
pub struct Escalation {
    /// The number that its [`Raise`] had.
    pub alarm: u64,
    /// Time of the deciding frame.
    pub at: Timestamp,
    /// Grade from now on, never lower than before.
    pub severity: Severity,
    /// Median of the scores that voted for it, 0–1.
    pub score: f32,
    /// Boxes on the deciding frame: the subject first, then its context.
    pub boxes: Vec<TimedBox>,
    /// The counts that made the decision.
    pub why: Why,
}

/// A violation, with all that explains it.
#[derive(Clone, Debug, PartialEq)]
pub struct Raise {
    /// Number of the alarm, unique per [`crate::CameraAnalyzer`].
    pub alarm: u64,
    /// The task that raised it.
    pub task: TaskId,
    /// What was looked for.
    pub algorithm: Algorithm,
    /// Grade.
    pub severity: Severity,
    /// Name of the zone; `None` when the whole picture counts.
    pub zone: Option<String>,
    /// Track number of the subject; `None` when there is not one subject.
    pub track: Option<u64>,
    /// When the condition began.
    pub started_at: Timestamp,
    /// Time of the deciding frame.
    pub decided_at: Timestamp,
    /// Median of the scores that voted for it, 0–1.
    pub score: f32,
    /// Boxes on the deciding frame: the subject first, then its context.
    pub boxes: Vec<TimedBox>,
    /// Where the subject was before, oldest first, thinned.
    pub path: Vec<TimedBox>,
    /// The counts that made the decision.
    pub why: Why,
}

/// One track on the newest frame, for overlays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackView<'a> {
    /// Track number, unique per [`crate::CameraAnalyzer`].
    pub track: u64,
    /// Class name of the model.
    pub class: &'a str,
    /// Confidence on the newest frame, 0–1.
    pub score: f32,
    /// Where it is.
    pub bbox: BoundingBox,
    /// Whether an alarm is open for it.
    pub alarm: bool,
}

/// Keeps a list of boxes within what an event may carry.
pub(crate) fn limited(mut boxes: Vec<TimedBox>) -> Vec<TimedBox> {
    boxes.truncate(Event::MAX_BOXES);
    boxes
}
