//! Events 事件: what a rule decided, why, and the evidence for it.

use serde::{Deserialize, Serialize};

use crate::{Algorithm, BoundingBox, CameraId, ContentHash, EventId, TaskId, Timestamp};

/// Grade of an event 告警级别 (three-colour warning of J160).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 一般, yellow.
    Yellow,
    /// 较大, orange.
    Orange,
    /// 重大, red.
    Red,
}

impl Severity {
    /// The grade an algorithm's events have unless the task says otherwise.
    pub const fn default_of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Intrusion | Algorithm::FireSmoke | Algorithm::NoLifeJacket | Algorithm::NoHarness => Self::Red,
            Algorithm::NoHelmet
            | Algorithm::OccupantNoHelmet
            | Algorithm::FenceMissing
            | Algorithm::EdgeProtection
            | Algorithm::SegmentStack
            | Algorithm::Overhang
            | Algorithm::EBike => Self::Orange,
            Algorithm::Crowd
            | Algorithm::LargeMaterial
            | Algorithm::ConstructionVehicle
            | Algorithm::Ponding
            | Algorithm::SpecialVehicle
            | Algorithm::PictureQuality => Self::Yellow,
        }
    }

    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }
}

/// Where an event is in its life: `New`, any number of `Update`s, `End`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventPhase {
    /// Just decided.
    New,
    /// More is known: a clip, a better snapshot.
    Update,
    /// The subject left or the condition is over.
    End,
}

/// What a piece of evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// The picture that decided, JPEG, without drawings on it.
    Snapshot,
    /// From 5 s before to 5 s after, fragmented MP4.
    Clip,
}

/// A reference to a picture or clip, which travels by HTTP and is addressed by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// SHA-256 of the bytes.
    pub hash: ContentHash,
    /// Size in bytes.
    pub bytes: u64,
    /// `image/jpeg` or `video/mp4`.
    pub media_type: String,
    /// For a clip: time of its first frame. For a snapshot: time of the frame.
    pub starts_at: Timestamp,
    /// For a clip: its length in milliseconds; 0 for a snapshot.
    pub duration_ms: u32,
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
}

/// Which model saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// Name of the model package.
    pub name: String,
    /// Version of the model package.
    pub version: String,
}

/// A box at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedBox {
    /// When.
    pub at: Timestamp,
    /// Class name of the model.
    pub class: String,
    /// Confidence, 0–1.
    pub score: f32,
    /// Where.
    pub bbox: BoundingBox,
    /// Track number, when tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Whether this is the subject of the event (else context).
    #[serde(default)]
    pub subject: bool,
}

/// The counts that made the decision, so that the console can explain it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// Votes for the violation among the newest `votes_window`.
    pub votes_for: u32,
    /// Votes against it.
    pub votes_against: u32,
    /// Votes that were needed.
    pub votes_needed: u32,
    /// Size of the voting window.
    pub votes_window: u32,
    /// How long the condition had lasted, seconds.
    pub lasted_secs: f32,
    /// How long it had to last, seconds.
    pub dwell_secs: f32,
    /// 人员聚集: people counted in the zone; 0 elsewhere.
    #[serde(default)]
    pub people: u32,
    /// 人员聚集: people that make a crowd; 0 elsewhere.
    #[serde(default)]
    pub people_needed: u32,
    /// What else was measured: a share under water, layers of a stack, a change against the reference …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
}

/// One measured value and the limit that it broke or kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What was measured: a key that the console translates, e.g. `share_under_water`, `layers`, `changed`.
    pub name: String,
    /// The value; its unit belongs to the name (shares are 0–1, times seconds, lengths pixels).
    pub value: f32,
    /// The limit it was held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f32>,
    /// A word that goes with it, e.g. the class or the kind of defect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// One revision of an event. Revisions of one id count up from 1; a later one replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, the same through all revisions.
    pub id: EventId,
    /// 1, 2, 3 …
    pub revision: u32,
    /// Where it is in its life.
    pub phase: EventPhase,
    /// What was looked for.
    pub algorithm: Algorithm,
    /// Where.
    pub camera: CameraId,
    /// By which task.
    pub task: TaskId,
    /// Generation of the desired state that the task came from.
    pub generation: u64,
    /// Which model saw it.
    pub model: ModelRef,
    /// Name of the zone; `None` when the whole picture counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Track number of the subject; `None` for events without one subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Grade.
    pub severity: Severity,
    /// When the condition began.
    pub started_at: Timestamp,
    /// When the rule decided.
    pub decided_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Median of the scores that voted for it, 0–1.
    pub score: f32,
    /// Boxes on the deciding frame: the subject and its context; at most [`Event::MAX_BOXES`].
    pub boxes: Vec<TimedBox>,
    /// Where the subject was before, oldest first, thinned; at most [`Event::MAX_BOXES`].
    #[serde(default)]
    pub path: Vec<TimedBox>,
    /// Why it was raised.
    pub why: Why,
    /// Pictures and clips.
    pub evidence: Vec<Evidence>,
}

impl Event {
    /// The most boxes one list of an event carries.
    pub const MAX_BOXES: usize = 64;
}
