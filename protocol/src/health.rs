//! How the edge and its cameras are.

use serde::{Deserialize, Serialize};

use crate::{CameraId, Timestamp};

/// State of a camera's stream, each a different thing to do for the installer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// Being connected for the first time.
    #[default]
    Connecting,
    /// Frames arrive.
    Online,
    /// The host does not answer, or refuses the connection.
    Unreachable,
    /// User or password is wrong.
    Unauthorised,
    /// The camera has no such path.
    NotFound,
    /// Connected, but no frame arrives.
    NoFrames,
    /// Frames arrive, but cannot be decoded.
    DecodeError,
    /// The stream has no video, or of a codec that cannot be decoded.
    Unsupported,
    /// The camera closed the stream.
    Interrupted,
}

/// State of one camera at the edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraState {
    /// Which camera.
    pub camera: CameraId,
    /// Its state.
    pub state: StreamState,
    /// The reason in words, without credentials; empty when online.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    /// Frames per second that arrive.
    pub fps: f32,
    /// Kilobits per second that arrive.
    pub kbps: f32,
    /// Frames per second that are analysed.
    pub analysed_fps: f32,
    /// Connections made after the first.
    pub reconnects: u32,
    /// RTP packets lost.
    pub lost_packets: u64,
    /// Picture width, 0 when unknown.
    pub width: u32,
    /// Picture height, 0 when unknown.
    pub height: u32,
    /// `h264`, `h265`, or empty.
    pub codec: String,
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthWarning {
    /// Stable code, e.g. `outbox_full`, `model_refused`, `disk_full`.
    pub code: String,
    /// A sentence that says what to do.
    pub message: String,
}

/// How inference runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InferenceHealth {
    /// Model name and version; empty when none is loaded.
    pub model: String,
    /// Execution provider that was chosen, e.g. `cpu`.
    pub provider: String,
    /// Precision that ran, e.g. `fp32`.
    pub precision: String,
    /// Frames per second through the detector.
    pub fps: f32,
    /// Mean time per frame, milliseconds.
    pub latency_ms: f32,
}

/// Health of an edge. Its last will is the same message with `online = false`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgeHealth {
    /// Whether the edge is connected.
    pub online: bool,
    /// When this was measured.
    pub at: Timestamp,
    /// Version of the agent.
    pub version: String,
    /// Seconds since the agent started.
    pub uptime_secs: u64,
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// Free space where the outbox lives, bytes.
    pub disk_free_bytes: u64,
    /// Event revisions that wait for a receipt.
    pub outbox_events: u64,
    /// Evidence bytes that wait for upload.
    pub outbox_evidence_bytes: u64,
    /// Evidence that had to be dropped since the start.
    pub dropped_evidence: u64,
    /// How inference runs.
    pub inference: InferenceHealth,
    /// What needs a person.
    pub warnings: Vec<HealthWarning>,
}
