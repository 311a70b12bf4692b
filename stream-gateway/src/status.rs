//! How a camera's stream is.

use protocol::{CameraId, StreamState, Timestamp};

/// A camera's stream at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamStatus {
    /// Which camera.
    pub camera: CameraId,
    /// Its state.
    pub state: StreamState,
    /// The reason in words, without credentials; empty when online.
    pub detail: String,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// Pictures per second over the last seconds.
    pub fps: f32,
    /// Kilobits per second over the last seconds.
    pub kbps: f32,
    /// Connections made after the first.
    pub reconnects: u32,
    /// Packets lost.
    pub lost_packets: u64,
    /// Picture width, 0 when unknown.
    pub width: u32,
    /// Picture height, 0 when unknown.
    pub height: u32,
    /// `h264`, `h265`, or empty when unknown.
    pub codec: String,
}

/// State in words, as it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) state: StreamState,
    pub(crate) detail: String,
    pub(crate) since: Timestamp,
}
