//! Parameters of a task, their ranges and each algorithm's defaults.

use serde::{Deserialize, Serialize};

use crate::{Algorithm, Overlap, task::InvalidTask};

/// Parameters as written; what is left out takes the algorithm's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParamsSpec {
    /// Smallest confidence of a detection, 0.05–0.99.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_score: Option<f32>,
    /// Smallest height of a person in pixels of the camera's picture, 0–2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_target_px: Option<u32>,
    /// Votes that must agree, 1–50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes_needed: Option<u32>,
    /// Out of how many newest votes, `votes_needed`–50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes_window: Option<u32>,
    /// How long the condition must last before an event is raised, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dwell_secs: Option<f32>,
    /// Quiet time after an event of the same subject, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_down_secs: Option<f32>,
    /// Quiet time after any event of this task, 0–86,400 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_cool_down_secs: Option<f32>,
    /// 人员聚集: how many people make a crowd, 2–500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crowd_size: Option<u32>,
    /// Frames analysed per second, 0.02–25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_fps: Option<f32>,
    /// Quiet time of the whole camera after an event of this task, 0–86,400 s; events of a higher grade still come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_cool_down_secs: Option<f32>,
    /// How a subject must lie in a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// Share for [`Overlap::TargetShare`] and [`Overlap::ZoneShare`], 0.01–1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_overlap: Option<f32>,
    /// 积水, 围挡, 临边, 悬挑: share of the zone that must be under water or changed, 0.005–1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_needed: Option<f32>,
    /// 管片堆叠: most layers allowed, 1–20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers_max: Option<u32>,
    /// 驾乘人员, 大型物资: how far from a vehicle or load a person belongs to it, in heights of the person, 0–5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<f32>,
    /// 烟火: how long smoke alone must last, 0–3600 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoke_dwell_secs: Option<f32>,
}

/// Complete parameters; units and ranges as in [`ParamsSpec`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskParams {
    /// Smallest confidence.
    pub min_score: f32,
    /// Smallest person height, pixels of the camera's picture.
    pub min_target_px: u32,
    /// Votes that must agree.
    pub votes_needed: u32,
    /// Out of how many newest votes.
    pub votes_window: u32,
    /// How long the condition must last, seconds.
    pub dwell_secs: f32,
    /// Quiet time per subject, seconds.
    pub cool_down_secs: f32,
    /// Quiet time per task, seconds.
    pub task_cool_down_secs: f32,
    /// People that make a crowd.
    pub crowd_size: u32,
    /// Frames analysed per second.
    pub sample_fps: f32,
    /// Quiet time of the camera, seconds.
    pub camera_cool_down_secs: f32,
    /// How a subject must lie in a zone.
    pub overlap: Overlap,
    /// Share that goes with `overlap`.
    pub min_overlap: f32,
    /// Share of the zone that must be affected.
    pub share_needed: f32,
    /// Most layers allowed.
    pub layers_max: u32,
    /// Reach of a vehicle, heights of a person.
    pub reach: f32,
    /// How long smoke alone must last, seconds.
    pub smoke_dwell_secs: f32,
}

impl TaskParams {
    /// Defaults of `algorithm`: published practice of the field, to be tuned on site data.
    pub const fn defaults(algorithm: Algorithm) -> Self {
        let base = Self {
            min_score: 0.4,
            min_target_px: 40,
            votes_needed: 3,
            votes_window: 5,
            dwell_secs: 2.0,
            cool_down_secs: 600.0,
            task_cool_down_secs: 0.0,
            crowd_size: 4,
            sample_fps: 5.0,
            camera_cool_down_secs: 0.0,
            overlap: Overlap::FootPoint,
            min_overlap: 0.3,
            share_needed: 0.1,
            layers_max: 4,
            reach: 1.0,
            smoke_dwell_secs: 10.0,
        };
        match algorithm {
            // Slow to accuse: 3 of 5 head samples on one track, over at least 2 s.
            Algorithm::NoHelmet => base,
            Algorithm::Intrusion | Algorithm::EBike => Self { dwell_secs: 1.0, ..base },
            // A cart is pushed at arm's length.
            Algorithm::LargeMaterial => Self { dwell_secs: 1.0, reach: 0.5, ..base },
            Algorithm::Crowd => Self { dwell_secs: 5.0, cool_down_secs: 300.0, ..base },
            Algorithm::NoHarness | Algorithm::NoLifeJacket => {
                // What is worn on the body cannot be told below about 80 px.
                Self { votes_needed: 4, votes_window: 6, dwell_secs: 3.0, min_target_px: 80, ..base }
            }
            Algorithm::OccupantNoHelmet => Self { dwell_secs: 3.0, ..base },
            Algorithm::ConstructionVehicle | Algorithm::SpecialVehicle => {
                Self { dwell_secs: 1.0, sample_fps: 2.0, ..base }
            }
            Algorithm::FireSmoke => Self { dwell_secs: 3.0, cool_down_secs: 300.0, sample_fps: 1.0, ..base },
            Algorithm::Ponding => {
                Self { votes_window: 3, dwell_secs: 20.0, cool_down_secs: 3_600.0, sample_fps: 0.1, ..base }
            }
            Algorithm::SegmentStack => Self { dwell_secs: 20.0, cool_down_secs: 3_600.0, sample_fps: 0.1, ..base },
            Algorithm::FenceMissing | Algorithm::EdgeProtection | Algorithm::Overhang => {
                Self { votes_window: 3, dwell_secs: 60.0, cool_down_secs: 3_600.0, sample_fps: 0.1, ..base }
            }
            // A12: abnormal for more than one hour.
            Algorithm::PictureQuality => {
                Self { dwell_secs: 3_600.0, cool_down_secs: 14_400.0, sample_fps: 0.1, ..base }
            }
        }
    }
}

/// Completes parameters.
///
/// # Errors
/// When one is out of its range.
pub(crate) fn valid_params(algorithm: Algorithm, spec: &ParamsSpec) -> Result<TaskParams, InvalidTask> {
    let d = TaskParams::defaults(algorithm);
    let float = |name, value: Option<f32>, default: f32, min: f32, max: f32| {
        let got = value.unwrap_or(default);
        if (min..=max).contains(&got) {
            Ok(got)
        } else {
            Err(InvalidTask::Param { name, min: min.into(), max: max.into(), got: got.into() })
        }
    };
    let int = |name, value: Option<u32>, default: u32, min: u32, max: u32| {
        let got = value.unwrap_or(default);
        if (min..=max).contains(&got) {
            Ok(got)
        } else {
            Err(InvalidTask::Param { name, min: min.into(), max: max.into(), got: got.into() })
        }
    };
    let votes_needed = int("votes_needed", spec.votes_needed, d.votes_needed, 1, 50)?;
    Ok(TaskParams {
        min_score: float("min_score", spec.min_score, d.min_score, 0.05, 0.99)?,
        min_target_px: int("min_target_px", spec.min_target_px, d.min_target_px, 0, 2_000)?,
        votes_needed,
        votes_window: int("votes_window", spec.votes_window, d.votes_window.max(votes_needed), votes_needed, 50)?,
        dwell_secs: float("dwell_secs", spec.dwell_secs, d.dwell_secs, 0.0, 86_400.0)?,
        cool_down_secs: float("cool_down_secs", spec.cool_down_secs, d.cool_down_secs, 0.0, 86_400.0)?,
        task_cool_down_secs: float(
            "task_cool_down_secs",
            spec.task_cool_down_secs,
            d.task_cool_down_secs,
            0.0,
            86_400.0,
        )?,
        crowd_size: int("crowd_size", spec.crowd_size, d.crowd_size, 2, 500)?,
        sample_fps: float("sample_fps", spec.sample_fps, d.sample_fps, 0.02, 25.0)?,
        camera_cool_down_secs: float(
            "camera_cool_down_secs",
            spec.camera_cool_down_secs,
            d.camera_cool_down_secs,
            0.0,
            86_400.0,
        )?,
        overlap: spec.overlap.unwrap_or(d.overlap),
        min_overlap: float("min_overlap", spec.min_overlap, d.min_overlap, 0.01, 1.0)?,
        share_needed: float("share_needed", spec.share_needed, d.share_needed, 0.005, 1.0)?,
        layers_max: int("layers_max", spec.layers_max, d.layers_max, 1, 20)?,
        reach: float("reach", spec.reach, d.reach, 0.0, 5.0)?,
        smoke_dwell_secs: float("smoke_dwell_secs", spec.smoke_dwell_secs, d.smoke_dwell_secs, 0.0, 3_600.0)?,
    })
}
