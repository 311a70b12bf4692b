//! Looks that are not detections: how the picture is, how a region compares with its approved state, and what
//! things look like. They are made where pictures are known and come in beside the detections.

use std::fmt;

use protocol::{BoundingBox, TaskId};

/// How a picture is 画面质量, measured on a grey or NV12 frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PictureLook {
    /// Mean grey level, 0–255.
    pub mean_luma: f32,
    /// Standard deviation of the grey levels.
    pub contrast: f32,
    /// Variance of the Laplacian on a picture scaled to 640 columns.
    pub sharpness: f32,
    /// Standard deviation of the noise, grey levels.
    pub noise: f32,
    /// Mean distance of the colours from grey, 0–128.
    pub saturation: f32,
    /// Mean of U and V less 128: a cast of the whole picture.
    pub cast: [f32; 2],
    /// Share of pixels that are pure white.
    pub white_share: f32,
    /// Share of pixels that are black.
    pub black_share: f32,
    /// Share of the blocks (16×9) that have any texture: few of them, the lens is covered.
    pub detail_share: f32,
    /// Mean absolute difference to the look before, grey levels; `None` for the first.
    pub difference: Option<f32>,
    /// How far the view is from the camera's usual view, shares of the picture; `None` while that is not known.
    pub shift: Option<(f32, f32)>,
    /// How far the clock burnt into the picture, or the stream's own, is from ours, seconds; `None` when not known.
    pub clock_skew_secs: Option<f32>,
}

/// A region compared with its approved reference picture 参考画面.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceLook {
    /// For which task.
    pub task: TaskId,
    /// Index of the task's include zone that was compared; 0 when the whole picture is the zone.
    pub zone: usize,
    /// Version of the reference.
    pub version: u32,
    /// Share of what could be compared that differs, 0–1.
    pub changed: f32,
    /// Share of the region that could not be compared: people, vehicles, glare, darkness; 0–1.
    pub masked: f32,
    /// Whether the view still fits the reference: a camera that was turned compares nothing.
    pub aligned: bool,
    /// Where the greatest change is.
    pub at: BoundingBox,
}

/// Tells what a thing in the newest picture looks like.
pub trait Appearance: fmt::Debug {
    /// An L2-normalised embedding of the picture inside `bbox`; `None` when it cannot be made.
    fn embedding(&self, bbox: &BoundingBox) -> Option<Vec<f32>>;
}
