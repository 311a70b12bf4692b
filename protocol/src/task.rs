//! Algorithm tasks 算法任务: one algorithm on one camera, with zones, schedule and parameters.
//!
//! [`TaskSpec`] is what people write: everything that has a sensible default may be left out.
//! [`Task`] is what runs: complete and valid. The console, the control plane and the edge all go through
//! the same `TryFrom`.

use serde::{Deserialize, Serialize};

use crate::{
    Algorithm, BoundingBox, CameraId, LineSpec, Mute, Overlap, ParamsSpec, Point, Polygon, ReferencePicture, Schedule,
    Severity, TaskId, TaskParams, Zone, ZoneKind, ZoneSpec, geometry::InvalidPolygon, params::valid_params,
    schedule::InvalidSchedule,
};

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
    /// Lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineSpec>,
    /// Places that were false alarms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutes: Vec<Mute>,
    /// The approved state, for algorithms that compare with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferencePicture>,
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

impl TaskSpec {
    /// A task with every default: the whole picture, always armed.
    pub fn new(id: TaskId, camera: CameraId, algorithm: Algorithm, name: impl Into<String>) -> Self {
        Self {
            id,
            camera,
            algorithm,
            name: name.into(),
            enabled: true,
            zones: Vec::new(),
            lines: Vec::new(),
            mutes: Vec::new(),
            reference: None,
            schedule: Schedule::default(),
            params: ParamsSpec::default(),
            severity: None,
        }
    }
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
    /// Lines.
    pub lines: Vec<LineSpec>,
    /// Places that were false alarms.
    pub mutes: Vec<Mute>,
    /// The approved state.
    pub reference: Option<ReferencePicture>,
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
    #[error("a task has at most 32 zones and 32 lines")]
    TooManyZones,
    /// Too many muted places.
    #[error("a task has at most 64 muted places, each with an embedding of at most 1024 numbers")]
    TooManyMutes,
    /// A line that cannot be.
    #[error("line {0} needs a name of 1 to 60 characters and 2 to 16 points within the picture")]
    Line(usize),
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

/// Where a subject counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InZone<'a> {
    /// Name of the include zone, `""` when the whole picture counts.
    pub name: &'a str,
    /// Smallest confidence there.
    pub min_score: f32,
}

impl Task {
    /// Whether `point` counts for this task: inside an include zone (or none drawn) and in no exclude zone.
    /// Gives the name of the include zone, `""` when the whole picture counts.
    pub fn zone_of(&self, point: Point) -> Option<&str> {
        self.find_zone(|zone| zone.outline.contains(point)).map(|z| z.name)
    }

    /// Whether a subject with this box counts, by the task's definition of overlap:
    ///
    /// * 脚点: the middle of its lower edge is inside;
    /// * 目标占比: `min_overlap` of the box is inside;
    /// * 区域占比: the box covers `min_overlap` of the include zone. Exclude zones then look at the foot point.
    pub fn zone_of_box(&self, bbox: &BoundingBox) -> Option<InZone<'_>> {
        self.find_zone(|zone| self.lies_in(zone, bbox))
    }

    /// Whether a subject with this box lies in `zone`, by the task's definition of overlap.
    pub fn lies_in(&self, zone: &Zone, bbox: &BoundingBox) -> bool {
        let share = self.params.min_overlap;
        match (self.params.overlap, zone.kind) {
            (Overlap::FootPoint, _) | (Overlap::ZoneShare, ZoneKind::Exclude) => {
                zone.outline.contains(bbox.foot_point())
            }
            (Overlap::TargetShare, _) => zone.outline.intersection(bbox) >= share * bbox.area(),
            (Overlap::ZoneShare, ZoneKind::Include) => zone.outline.intersection(bbox) >= share * zone.outline.area(),
        }
    }

    /// Whether a subject with this box lies in an exclude zone.
    pub fn is_excluded(&self, bbox: &BoundingBox) -> bool {
        self.zones.iter().any(|z| z.kind == ZoneKind::Exclude && self.lies_in(z, bbox))
    }

    /// Whether the whole picture counts, because no include zone is drawn.
    pub fn counts_everywhere(&self) -> bool {
        !self.zones.iter().any(|z| z.kind == ZoneKind::Include)
    }

    /// The smallest confidence that counts anywhere.
    pub fn least_score(&self) -> f32 {
        let zones = self.zones.iter().filter(|z| z.kind == ZoneKind::Include).filter_map(|z| z.min_score);
        zones.fold(self.params.min_score, f32::min)
    }

    fn find_zone(&self, inside: impl Fn(&Zone) -> bool) -> Option<InZone<'_>> {
        if self.zones.iter().any(|z| z.kind == ZoneKind::Exclude && inside(z)) {
            return None;
        }
        if self.counts_everywhere() {
            return Some(InZone { name: "", min_score: self.params.min_score });
        }
        let zone = self.zones.iter().find(|z| z.kind == ZoneKind::Include && inside(z))?;
        Some(InZone { name: &zone.name, min_score: zone.min_score.unwrap_or(self.params.min_score) })
    }
}

impl TryFrom<TaskSpec> for Task {
    type Error = InvalidTask;

    fn try_from(spec: TaskSpec) -> Result<Self, Self::Error> {
        if spec.name.trim().is_empty() || spec.name.chars().count() > 100 {
            return Err(InvalidTask::Name);
        }
        if spec.zones.len() > 32 || spec.lines.len() > 32 {
            return Err(InvalidTask::TooManyZones);
        }
        if spec.mutes.len() > 64 || spec.mutes.iter().any(|m| m.embedding.len() > 1_024) {
            return Err(InvalidTask::TooManyMutes);
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
            lines: spec.lines.into_iter().enumerate().map(valid_line).collect::<Result<_, _>>()?,
            mutes: spec.mutes,
            reference: spec.reference,
            schedule: spec.schedule,
        })
    }
}

fn valid_zone((i, zone): (usize, ZoneSpec)) -> Result<Zone, InvalidTask> {
    if zone.name.trim().is_empty() || zone.name.chars().count() > 60 {
        return Err(InvalidTask::ZoneName(i));
    }
    match Polygon::new(zone.points) {
        Ok(outline) => {
            let min_score = zone.min_score.map(|s| {
                if (0.05..=0.99).contains(&s) {
                    Ok(s)
                } else {
                    Err(InvalidTask::Param { name: "zones.min_score", min: 0.05, max: 0.99, got: s.into() })
                }
            });
            Ok(Zone { name: zone.name, kind: zone.kind, outline, min_score: min_score.transpose()? })
        }
        Err(reason) => Err(InvalidTask::Zone { name: zone.name, reason }),
    }
}

fn valid_line((i, line): (usize, LineSpec)) -> Result<LineSpec, InvalidTask> {
    let named = !line.name.trim().is_empty() && line.name.chars().count() <= 60;
    let inside = |p: &Point| (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y);
    let drawn = (2..=16).contains(&line.points.len()) && line.points.iter().all(inside);
    if named && drawn { Ok(line) } else { Err(InvalidTask::Line(i)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn spec() -> TaskSpec {
        let now = Timestamp::from_secs(0);
        TaskSpec::new(TaskId::new(now), CameraId::new(now), Algorithm::NoHelmet, "gate")
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
            min_score: None,
        };
        let mut spec = spec();
        spec.zones = vec![square("pit", ZoneKind::Include, 0.1, 0.9), square("office", ZoneKind::Exclude, 0.4, 0.6)];
        let task = Task::try_from(spec).unwrap();
        assert_eq!(task.zone_of(Point::new(0.2, 0.2)), Some("pit"));
        assert_eq!(task.zone_of(Point::new(0.5, 0.5)), None);
        assert_eq!(task.zone_of(Point::new(0.95, 0.95)), None);
    }

    #[test]
    fn overlap_is_what_the_task_says() {
        let mut spec = spec();
        let corners = [(0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9)];
        spec.zones = vec![ZoneSpec {
            name: "edge".into(),
            kind: ZoneKind::Include,
            points: corners.map(|(x, y)| Point::new(x, y)).to_vec(),
            min_score: Some(0.7),
        }];
        let inside = |overlap, min_overlap, bbox: BoundingBox| {
            let mut spec = spec.clone();
            (spec.params.overlap, spec.params.min_overlap) = (Some(overlap), Some(min_overlap));
            let task = Task::try_from(spec).unwrap();
            task.zone_of_box(&bbox).map(|z| (z.name.to_owned(), z.min_score))
        };
        let found = Some(("edge".to_owned(), 0.7));
        let half = BoundingBox::new(0.4, 0.55, 0.2, 0.4); // 0.5 × 0.35 / 0.4 of it inside, its feet at (0.5, 0.95)
        assert_eq!(inside(Overlap::FootPoint, 0.3, half), None);
        assert_eq!(inside(Overlap::TargetShare, 0.4, half), found);
        assert_eq!(inside(Overlap::TargetShare, 0.5, half), None);
        assert_eq!(inside(Overlap::ZoneShare, 0.2, half), found);
        assert_eq!(inside(Overlap::ZoneShare, 0.3, half), None);
        let standing = BoundingBox::new(0.6, 0.3, 0.1, 0.3);
        assert_eq!(inside(Overlap::FootPoint, 0.3, standing), found);
    }
}
