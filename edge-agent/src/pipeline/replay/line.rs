//! The lines that a replay writes, one JSON object each.

use analytics::{Escalation, Suppressed};
use protocol::{Algorithm, Event, ModelRef, Severity, TimedBox, Timestamp, Why};
use serde::Serialize;

/// One line. Times are seconds in the clip; boxes are shares of the picture, origin top-left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// `new` when an alarm was raised, `update` when it got worse, `end` when it was over, `suppressed` for a candidate that was held back.
    pub phase: &'static str,
    /// Time of the decision; of an end, when the subject was last seen or the condition changed.
    pub clip_secs: f64,
    /// The same as microseconds since 1970, from the start that was given.
    pub at_us: i64,
    /// Number of the alarm, counted from 1 within the clip; the end has that of its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<u64>,
    /// What was looked for.
    pub algorithm: Algorithm,
    /// Name of the task.
    pub task: String,
    /// Name of the zone; left out when the whole picture counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Track number of the subject; left out when there is not one subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Median of the scores that voted for it, 0–1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// When the condition began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_secs: Option<f64>,
    /// Of an end: how long the alarm was open, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_secs: Option<f64>,
    /// Of an end: the clip ended while the alarm was open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_off: bool,
    /// Of a candidate that was held back: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The model whose class decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// Boxes on the deciding picture: the subject first, then its context.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<BoxLine>,
    /// Where the subject was before, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<BoxLine>,
    /// Votes, counts and measures that made the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// A box at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoxLine {
    /// When, seconds in the clip.
    pub clip_secs: f64,
    /// Class name; left out for a candidate that was held back.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// Confidence, 0–1.
    pub score: f32,
    /// Left, top, width, height, shares of the picture.
    pub bbox: [f32; 4],
    /// Track number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Whether it is the subject of the event.
    pub subject: bool,
}

fn secs(at: Timestamp, start: Timestamp) -> f64 {
    (at.as_micros() - start.as_micros()) as f64 / 1e6
}

fn boxes(boxes: &[TimedBox], start: Timestamp) -> Vec<BoxLine> {
    let line = |b: &TimedBox| BoxLine {
        clip_secs: secs(b.at, start),
        class: b.class.clone(),
        score: b.score,
        bbox: [b.bbox.x, b.bbox.y, b.bbox.w, b.bbox.h],
        track: b.track,
        subject: b.subject,
    };
    boxes.iter().map(line).collect()
}

/// The line of revision 1 of an event.
pub(super) fn raise_line(alarm: u64, task: String, event: &Event, start: Timestamp) -> Line {
    Line {
        phase: "new",
        clip_secs: secs(event.decided_at, start),
        at_us: event.decided_at.as_micros(),
        alarm: Some(alarm),
        algorithm: event.algorithm,
        task,
        zone: event.zone.clone(),
        track: event.track,
        severity: Some(event.severity),
        score: Some(event.score),
        started_secs: Some(secs(event.started_at, start)),
        open_secs: None,
        cut_off: false,
        reason: None,
        model: Some(event.model.clone()),
        boxes: boxes(&event.boxes, start),
        path: boxes(&event.path, start),
        why: Some(event.why.clone()),
    }
}

/// The line of an open alarm that got worse.
pub(super) fn escalation_line(raised: &Line, worse: &Escalation, start: Timestamp) -> Line {
    Line {
        phase: "update",
        clip_secs: secs(worse.at, start),
        at_us: worse.at.as_micros(),
        severity: raised.severity.max(Some(worse.severity)),
        score: Some(worse.score),
        boxes: boxes(&worse.boxes, start),
        path: Vec::new(),
        why: Some(worse.why.clone()),
        ..raised.clone()
    }
}

/// The line of the end of what `raised` began.
pub(super) fn end_line(raised: &Line, at: Timestamp, cut_off: bool, start: Timestamp) -> Line {
    let clip_secs = secs(at, start).max(raised.clip_secs);
    Line {
        phase: "end",
        clip_secs,
        at_us: at.as_micros().max(raised.at_us),
        open_secs: Some(((clip_secs - raised.clip_secs) * 1e6).round() / 1e6),
        cut_off,
        model: None,
        boxes: Vec::new(),
        path: Vec::new(),
        why: None,
        ..raised.clone()
    }
}

/// The line of a candidate that was held back.
pub(super) fn suppressed_line(task: String, held: &Suppressed, start: Timestamp) -> Line {
    let seen = BoxLine {
        clip_secs: secs(held.at, start),
        class: String::new(),
        score: 0.0,
        bbox: [held.bbox.x, held.bbox.y, held.bbox.w, held.bbox.h],
        track: held.track,
        subject: true,
    };
    Line {
        phase: "suppressed",
        clip_secs: secs(held.at, start),
        at_us: held.at.as_micros(),
        alarm: None,
        algorithm: held.algorithm,
        task,
        zone: held.zone.clone(),
        track: held.track,
        severity: None,
        score: None,
        started_secs: None,
        open_secs: None,
        cut_off: false,
        reason: Some(held.reason),
        model: None,
        boxes: vec![seen],
        path: Vec::new(),
        why: None,
    }
}
