//! Algorithm tasks 算法任务: one algorithm on one camera, with zones, schedule and parameters.
//!
//! [`TaskSpec`] is what people write: everything that has a sensible default may be left out.
//! [`Task`] is what runs: complete and valid. The console, the control plane and the edge all go through
//! the same `TryFrom`.

use serde::{Deserialize, Serialize};

use crate::{
    Algorithm, CameraId, Point, Polygon, Schedule, Severity, TaskId, geometry::InvalidPolygon,
    schedule::InvalidSchedule,
};

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
}

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
    /// How long the condition must last before an event is raised, 0–3600 s.
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
    /// Frames analysed per second, 0.1–25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_fps: Option<f32>,
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
        };
        match algorithm {
            // Slow to accuse: 3 of 5 head samples on one track, over at least 2 s.
            Algorithm::NoHelmet => base,
            Algorithm::Intrusion => Self { dwell_secs: 1.0, ..base },
            Algorithm::Crowd => Self { dwell_secs: 5.0, cool_down_secs: 300.0, ..base },
        }
    }
}

/// A task as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// Its id.
    pub id: TaskId,
    /// The camera it looks through.
    pub camera: CameraId,
    /// What it looks for.
    pub algorithm: Algorithm,
    /// What people call it.
    pub name: String,
    /// Whether it runs at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Zones; without an include zone the whole picture counts.
    #[serde(default)]
    pub zones: Vec<ZoneSpec>,
    /// When it is armed.
    #[serde(default)]
    pub schedule: Schedule,
    /// Parameters that differ from the default.
    #[serde(default)]
    pub params: ParamsSpec,
    /// Grade of its events; the algorithm's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

const fn yes() -> bool {
    true
}

/// A task that can run.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The camera it looks through.
    pub camera: CameraId,
    /// What it looks for.
    pub algorithm: Algorithm,
    /// What people call it.
    pub name: String,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Zones.
    pub zones: Vec<Zone>,
    /// When it is armed.
    pub schedule: Schedule,
    /// Complete parameters.
    pub params: TaskParams,
    /// Grade of its events.
    pub severity: Severity,
}

/// Why a task cannot run as configured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidTask {
    /// No name, or a very long one.
    #[error("a task needs a name of 1 to 100 characters")]
    Name,
    /// Too many zones.
    #[error("a task has at most 32 zones")]
    TooManyZones,
    /// A zone without a name.
    #[error("zone {0} needs a name of 1 to 60 characters")]
    ZoneName(usize),
    /// A zone whose outline cannot be.
    #[error("zone {name:?}: {reason}")]
    Zone {
        /// The zone's name.
        name: String,
        /// What is wrong.
        reason: InvalidPolygon,
    },
    /// A schedule that cannot be.
    #[error("schedule: {0}")]
    Schedule(InvalidSchedule),
    /// A parameter out of range.
    #[error("{name} must be within {min} to {max}, got {got}")]
    Param {
        /// Name as in [`ParamsSpec`].
        name: &'static str,
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
        /// What was written.
        got: f64,
    },
}

impl Task {
    /// Whether `point` counts for this task: inside an include zone (or none drawn) and in no exclude zone.
    /// Gives the name of the include zone, `""` when the whole picture counts.
    pub fn zone_of(&self, point: Point) -> Option<&str> {
        let inside = |z: &&Zone| z.outline.contains(point);
        if self.zones.iter().filter(|z| z.kind == ZoneKind::Exclude).any(|z| inside(&z)) {
            return None;
        }
        let mut includes = self.zones.iter().filter(|z| z.kind == ZoneKind::Include).peekable();
        if includes.peek().is_none() {
            return Some("");
        }
        includes.find(inside).map(|z| z.name.as_str())
    }
}

impl TryFrom<TaskSpec> for Task {
    type Error = InvalidTask;

    fn try_from(spec: TaskSpec) -> Result<Self, Self::Error> {
        if spec.name.trim().is_empty() || spec.name.chars().count() > 100 {
            return Err(InvalidTask::Name);
        }
        if spec.zones.len() > 32 {
            return Err(InvalidTask::TooManyZones);
        }
        spec.schedule.validate().map_err(InvalidTask::Schedule)?;
        let zones = spec.zones.into_iter().enumerate().map(valid_zone).collect::<Result<_, _>>()?;
        Ok(Self {
            params: valid_params(spec.algorithm, &spec.params)?,
            severity: spec.severity.unwrap_or_else(|| Severity::default_of(spec.algorithm)),
            id: spec.id,
            camera: spec.camera,
            algorithm: spec.algorithm,
            name: spec.name,
            enabled: spec.enabled,
            zones,
            schedule: spec.schedule,
        })
    }
}

fn valid_zone((i, zone): (usize, ZoneSpec)) -> Result<Zone, InvalidTask> {
    if zone.name.trim().is_empty() || zone.name.chars().count() > 60 {
        return Err(InvalidTask::ZoneName(i));
    }
    match Polygon::new(zone.points) {
        Ok(outline) => Ok(Zone { name: zone.name, kind: zone.kind, outline }),
        Err(reason) => Err(InvalidTask::Zone { name: zone.name, reason }),
    }
}

fn valid_params(algorithm: Algorithm, spec: &ParamsSpec) -> Result<TaskParams, InvalidTask> {
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
        dwell_secs: float("dwell_secs", spec.dwell_secs, d.dwell_secs, 0.0, 3_600.0)?,
        cool_down_secs: float("cool_down_secs", spec.cool_down_secs, d.cool_down_secs, 0.0, 86_400.0)?,
        task_cool_down_secs: float(
            "task_cool_down_secs",
            spec.task_cool_down_secs,
            d.task_cool_down_secs,
            0.0,
            86_400.0,
        )?,
        crowd_size: int("crowd_size", spec.crowd_size, d.crowd_size, 2, 500)?,
        sample_fps: float("sample_fps", spec.sample_fps, d.sample_fps, 0.1, 25.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn spec() -> TaskSpec {
        let now = Timestamp::from_secs(0);
        TaskSpec {
            id: TaskId::new(now),
            camera: CameraId::new(now),
            algorithm: Algorithm::NoHelmet,
            name: "gate".into(),
            enabled: true,
            zones: vec![],
            schedule: Schedule::default(),
            params: ParamsSpec::default(),
            severity: None,
        }
    }

    #[test]
    fn out_of_range_parameters_are_named() {
        let mut bad = spec();
        bad.params.min_score = Some(f32::NAN);
        assert!(matches!(Task::try_from(bad), Err(InvalidTask::Param { name: "min_score", .. })));
        let mut bad = spec();
        bad.params.votes_needed = Some(6);
        bad.params.votes_window = Some(4);
        assert!(matches!(Task::try_from(bad), Err(InvalidTask::Param { name: "votes_window", .. })));
    }

    #[test]
    fn exclude_zones_win() {
        let square = |name: &str, kind, a: f32, b: f32| ZoneSpec {
            name: name.into(),
            kind,
            points: vec![Point::new(a, a), Point::new(b, a), Point::new(b, b), Point::new(a, b)],
        };
        let mut spec = spec();
        spec.zones = vec![square("pit", ZoneKind::Include, 0.1, 0.9), square("office", ZoneKind::Exclude, 0.4, 0.6)];
        let task = Task::try_from(spec).unwrap();
        assert_eq!(task.zone_of(Point::new(0.2, 0.2)), Some("pit"));
        assert_eq!(task.zone_of(Point::new(0.5, 0.5)), None);
        assert_eq!(task.zone_of(Point::new(0.95, 0.95)), None);
    }
}
