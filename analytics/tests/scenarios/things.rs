//! Films of things rather than people: vehicles, flames, water, stacks; and looks that are not detections.

use std::{ops::Range, time::Duration};

use crate::scene::*;
use analytics::{CameraAnalyzer, Decision, FrameInput, PictureLook, Raise, ReferenceLook};
use protocol::{
    Algorithm, BoundingBox, CameraId, ClassId, ClassTable, Detection, LineKind, LineSpec, ParamsSpec, Point, Task,
    TaskId, TaskSpec, ZoneSpec,
};

pub(crate) fn things() -> ClassTable {
    ClassTable::new([
        "person",
        "helmet",
        "head",
        "car",
        "truck",
        "excavator",
        "dump_truck",
        "mixer_truck",
        "police_car",
        "fire_truck",
        "ambulance",
        "fire",
        "smoke",
        "ponding",
        "segment",
    ])
}

/// One frame of such a film.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shot {
    pub(crate) t: f32,
    pub(crate) detections: Vec<Detection>,
    pub(crate) picture: Option<PictureLook>,
    pub(crate) references: Vec<ReferenceLook>,
    pub(crate) looked_for: Option<Vec<ClassId>>,
    /// No frame at all: time passes.
    pub(crate) no_frame: bool,
}

impl Shot {
    /// Adds a detection; `x` is the middle and `foot` the lower edge of the box.
    pub(crate) fn put(&mut self, class: &str, score: f32, [x, foot, w, h]: [f32; 4]) {
        let class = things().id(class).expect("a class of the tests");
        self.detections.push(Detection { class, score, bbox: BoundingBox::new(x - w / 2.0, foot - h, w, h) });
    }
}

/// Draws a film.
pub(crate) fn shots(secs: f32, fps: f32, draw: impl Fn(f32, &mut Noise, &mut Shot)) -> Vec<Shot> {
    let mut noise = Noise(7);
    (0..(secs * fps) as u32)
        .map(|i| {
            let mut shot = Shot { t: i as f32 / fps, ..Shot::default() };
            draw(shot.t, &mut noise, &mut shot);
            shot
        })
        .collect()
}

/// `value` shaken by up to `share` of itself.
pub(crate) fn about(value: f32, share: f32, noise: &mut Noise) -> f32 {
    value * (1.0 + share * (2.0 * noise.share() - 1.0))
}

pub(crate) fn show_to(analyzer: &mut CameraAnalyzer, shots: &[Shot]) -> Vec<Decision> {
    let mut out = Vec::new();
    for shot in shots {
        let at = START + Duration::from_secs_f64(f64::from(shot.t));
        if shot.no_frame {
            analyzer.idle(at, &mut out);
            continue;
        }
        let frame = FrameInput {
            picture: shot.picture.as_ref(),
            references: &shot.references,
            looked_for: shot.looked_for.as_deref(),
            ..FrameInput::new(at, SIZE, &shot.detections)
        };
        analyzer.step(&frame, &mut out);
    }
    out
}

pub(crate) fn show(task: &Task, shots: &[Shot]) -> Vec<Decision> {
    let mut analyzer = CameraAnalyzer::new(things());
    analyzer.set_tasks(vec![task.clone()]);
    show_to(&mut analyzer, shots)
}

/// A task with zones and lines.
pub(crate) fn drawn(algorithm: Algorithm, params: ParamsSpec, zones: Vec<ZoneSpec>, lines: Vec<LineSpec>) -> Task {
    let spec =
        TaskSpec { zones, lines, params, ..TaskSpec::new(TaskId::new(START), CameraId::new(START), algorithm, "test") };
    Task::try_from(spec).expect("the tests' tasks are valid")
}

pub(crate) fn line(name: &str, kind: LineKind, points: &[(f32, f32)]) -> LineSpec {
    LineSpec { name: name.into(), kind, points: points.iter().map(|&(x, y)| Point::new(x, y)).collect() }
}

pub(crate) const NEVER: Range<f32> = 0.0..0.0;

/// Shows a film to a task: so many alarms, so many of them over at the end, the first within `first` seconds.
pub(crate) fn expect(
    name: &str,
    task: &Task,
    shots: &[Shot],
    (alarms, over): (usize, usize),
    first: Range<f32>,
) -> Vec<Decision> {
    let decisions = show(task, shots);
    let (raised, ended) = (raises(&decisions), ends(&decisions));
    let times: Vec<f32> = raised.iter().map(|r| secs(r.decided_at)).collect();
    let why = raised.first().map(|r| &r.why.measures);
    assert_eq!((raised.len(), ended.len()), (alarms, over), "{name}: raised at {times:?}, ended {ended:?}, {why:?}");
    if let Some(at) = times.first() {
        assert!(first.contains(at), "{name}: first alarm at {at}, not within {first:?}");
    }
    for raise in raised {
        assert!(raise.why.lasted_secs >= raise.why.dwell_secs, "{name}: {:?}", raise.why);
        assert!(raise.started_at <= raise.decided_at && (0.0..=1.0).contains(&raise.score), "{name}: {raise:?}");
        assert!(
            raise.boxes.iter().any(|b| b.subject) && raise.boxes.iter().all(|b| b.at == raise.decided_at),
            "{name}"
        );
    }
    assert_eq!(decisions, show(task, shots), "{name}: the second time something else comes out");
    decisions
}

/// Value and label of a measure.
pub(crate) fn measured<'r>(raise: &'r Raise, name: &str) -> Option<(f32, Option<&'r str>)> {
    raise.why.measures.iter().find(|m| m.name == name).map(|m| (m.value, m.label.as_deref()))
}

/// Reasons of what was held back.
pub(crate) fn held_back(decisions: &[Decision]) -> Vec<&'static str> {
    decisions.iter().filter_map(|d| if let Decision::Suppress(s) = d { Some(s.reason) } else { None }).collect()
}
