//! What people draw on a camera's picture: zones, lines, muted places, and the approved state of a region.

use serde::{Deserialize, Serialize};

use crate::{BoundingBox, ContentHash, Point, Polygon, Timestamp};

/// Whether a zone is where the rule looks or where it must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneKind {
    /// Subjects inside count 检测区域.
    #[default]
    Include,
    /// Subjects inside are ignored 屏蔽区域.
    Exclude,
}

/// A drawn zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneSpec {
    /// What people call it.
    pub name: String,
    /// Include or exclude.
    #[serde(default)]
    pub kind: ZoneKind,
    /// Corners in drawing order.
    pub points: Vec<Point>,
    /// Smallest confidence inside this zone; the task's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_score: Option<f32>,
}

/// A valid zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// What people call it.
    pub name: String,
    /// Include or exclude.
    pub kind: ZoneKind,
    /// Its outline.
    pub outline: Polygon,
    /// Smallest confidence inside, where it differs from the task's.
    pub min_score: Option<f32>,
}

/// What a drawn line is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Crossing it either way counts 绊线.
    #[default]
    Crossing,
    /// Only crossing from left to right, seen along the drawing direction, counts.
    CrossingRightward,
    /// Only crossing from right to left, seen along the drawing direction, counts.
    CrossingLeftward,
    /// Nothing may reach above it 高度线.
    Height,
}

/// A drawn line of 2 to 16 points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// What people call it.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub kind: LineKind,
    /// Points in drawing order.
    pub points: Vec<Point>,
}

/// How a subject lies in a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The middle of the lower edge is inside 脚点.
    #[default]
    FootPoint,
    /// `min_overlap` of the subject is inside 目标占比.
    TargetShare,
    /// `min_overlap` of the zone is covered 区域占比.
    ZoneShare,
}

/// A place where nothing is to be raised any more: somebody said "false alarm, never again here" 误报屏蔽.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// The box of the subject that was no violation.
    pub bbox: BoundingBox,
    /// Its class.
    pub class: String,
    /// What it looked like, L2-normalised, at most 1,024 numbers; without it the place alone decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f32>,
    /// When it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The approved state of a region 参考画面, kept by the edge under this hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferencePicture {
    /// Counts up with each approval.
    pub version: u32,
    /// The picture that was approved, JPEG.
    pub picture: ContentHash,
    /// When it was approved.
    pub approved_at: Timestamp,
}
