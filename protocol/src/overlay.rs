//! Boxes drawn over live video; sent beside the video, never stored.

use serde::{Deserialize, Serialize};

use crate::BoundingBox;

/// The tracks of one analysed frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// Presentation time of the frame on the camera's media clock, microseconds; the same clock as the video's.
    pub pts_us: i64,
    /// The tracks.
    pub boxes: Vec<OverlayBox>,
}

/// One tracked object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverlayBox {
    /// Track number, unique per camera run; 0 for an untracked detection.
    pub track: u64,
    /// Class name of the model.
    pub class: String,
    /// Confidence, 0–1.
    pub score: f32,
    /// Where it is.
    pub bbox: BoundingBox,
    /// Whether an event is open for it.
    pub alarm: bool,
}
