//! The analysis of one camera.

use std::time::Duration;

use protocol::{Algorithm, BoundingBox, ClassId, ClassTable, Detection, Severity, Task, Timestamp};

use crate::{
    algorithms::{Rule, rule_for},
    clarity,
    counts::{Counter, HourlyCount},
    decision::{Decision, TrackView},
    look::{Appearance, PictureLook, ReferenceLook},
    numbers::Numbers,
    pairing::Pairing,
    scene::Scene,
    tracker::{Kind, Observation, Settings, Tracker},
    worn,
};

/// Two classes of one kind at one place with this overlap are one object.
const ONE_OBJECT_IOU: f32 = 0.5;
/// Detections below this score are noise.
const NOISE: f32 = 0.1;
/// How long a measured sharpness holds, seconds.
const SHARPNESS_HOLDS_SECS: f32 = 300.0;

/// What the detector saw on one frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameInput<'a> {
    /// Time of the frame.
    pub at: Timestamp,
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
    /// The detections, in any order; also those of low score, which help the tracker.
    pub detections: &'a [Detection],
    /// How the picture is, when it was measured on this frame.
    pub picture: Option<&'a PictureLook>,
    /// Comparisons with approved references that were made on this frame.
    pub references: &'a [ReferenceLook],
    /// Classes of the models that ran on this frame; `None` when that is not known. With several models at
    /// different rates it tells "nothing there" from "nobody looked".
    pub looked_for: Option<&'a [ClassId]>,
    /// What things look like, for muted places; without it the place alone decides.
    pub appearance: Option<&'a dyn Appearance>,
}

impl<'a> FrameInput<'a> {
    /// A frame with detections only; `size` is width and height in pixels.
    pub const fn new(at: Timestamp, (width, height): (u32, u32), detections: &'a [Detection]) -> Self {
        Self { at, width, height, detections, picture: None, references: &[], looked_for: None, appearance: None }
    }
}

/// Turns the detections of one camera into decisions.
#[derive(Debug)]
pub struct CameraAnalyzer {
    classes: ClassTable,
    /// How each class is tracked; what persons wear is not.
    kinds: Vec<Option<Kind>>,
    trackers: Vec<Tracker>,
    /// Of every tracker, when its kind was looked for last.
    looked_at: Vec<Option<Timestamp>>,
    pairing: Pairing,
    tasks: Vec<Armed>,
    /// Alarms of tasks that were taken away, to be ended at the next step.
    orphans: Vec<Armed>,
    track_numbers: Numbers,
    alarm_numbers: Numbers,
    newest: Option<Timestamp>,
    alarmed: Vec<u64>,
    counter: Counter,
    /// Until when the camera is quiet for events of this grade and below.
    quiet: Vec<(Severity, Timestamp)>,
    /// When the picture's sharpness was measured, and what looks are worth because of it.
    sharpness: Option<(Timestamp, f32)>,
}

/// A task and the state of its rule.
#[derive(Debug)]
struct Armed {
    task: Task,
    rule: Box<dyn Rule>,
}

impl CameraAnalyzer {
    /// Makes an analyzer for a model with these classes. It has no tasks yet.
    pub fn new(classes: ClassTable) -> Self {
        let kinds: Vec<Option<Kind>> = classes.names().iter().enumerate().map(|(i, name)| kind_of(i, name)).collect();
        let mut distinct: Vec<Kind> = kinds.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        Self {
            looked_at: vec![None; distinct.len()],
            trackers: distinct.into_iter().map(Tracker::new).collect(),
            classes,
            kinds,
            pairing: Pairing::default(),
            tasks: Vec::new(),
            orphans: Vec::new(),
            track_numbers: Numbers::default(),
            alarm_numbers: Numbers::default(),
            newest: None,
            alarmed: Vec::new(),
            counter: Counter::default(),
            quiet: Vec::new(),
            sharpness: None,
        }
    }

    /// Replaces the tasks. Tracks stay in any case; alarms and cool-downs stay for tasks that look for the same
    /// as before. What was taken away or changed ends its alarms at the next step, and starts over.
    pub fn set_tasks(&mut self, tasks: Vec<Task>) {
        let mut before = std::mem::take(&mut self.tasks);
        for task in tasks.into_iter().filter(|t| t.enabled) {
            let same = before.iter().position(|b| looks_for_the_same(&b.task, &task));
            let rule = same.map_or_else(|| rule_for(task.algorithm), |i| before.swap_remove(i).rule);
            self.tasks.push(Armed { task, rule });
        }
        // What explains a person is found before the person is held against anybody.
        self.tasks.sort_by_key(|a| a.task.algorithm != Algorithm::LargeMaterial);
        self.orphans.append(&mut before);
    }

    /// Takes one frame. A frame that is not newer than the one before changes nothing.
    pub fn step(&mut self, frame: &FrameInput<'_>, out: &mut Vec<Decision>) {
        if self.newest.is_some_and(|newest| frame.at <= newest) || frame.width == 0 || frame.height == 0 {
            return;
        }
        self.newest = Some(frame.at);
        let aspect = frame.width as f32 / frame.height as f32;
        for index in 0..self.trackers.len() {
            let kind = self.trackers[index].kind();
            let of_kind = |class: &ClassId| self.kinds.get(usize::from(class.0)) == Some(&Some(kind));
            if frame.looked_for.is_some_and(|looked| !looked.iter().any(of_kind)) {
                // What nobody looked for has not disappeared.
                continue;
            }
            let settings = self.settings(kind);
            let tracker = &mut self.trackers[index];
            self.looked_at[index] = Some(frame.at);
            let observations =
                observe(frame.detections, |class| self.kinds.get(usize::from(class.0)) == Some(&Some(kind)));
            tracker.step(frame.at, aspect, &observations, &settings, &mut self.track_numbers);
        }
        if let Some(picture) = frame.picture {
            self.sharpness = Some((frame.at, clarity::of_picture(picture.sharpness)));
        }
        self.decide(frame.at, aspect, Some(frame), out);
    }

    /// Lets time pass without a frame: ends the alarms whose subject has not been seen for long, and those of
    /// tasks that were taken away or are not armed any more. For cameras that are down or have nothing to do.
    pub fn idle(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        if self.newest.is_none_or(|newest| at > newest) {
            self.decide(at, 1.0, None, out);
        }
    }

    /// Ends every alarm and forgets tracks and time, as after a jump of the clock. Tasks and numbers stay.
    pub fn restart(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        for armed in self.orphans.iter_mut().chain(&mut self.tasks) {
            armed.rule.end_all(at, out);
            armed.rule = rule_for(armed.task.algorithm);
        }
        self.orphans.clear();
        self.trackers = self.trackers.iter().map(|t| Tracker::new(t.kind())).collect();
        self.looked_at.fill(None);
        self.pairing = Pairing::default();
        self.alarmed.clear();
        self.quiet.clear();
        self.sharpness = None;
        self.newest = None;
    }

    /// The tracks on the newest frame on which their kind was looked for.
    pub fn tracks(&self) -> impl Iterator<Item = TrackView<'_>> {
        let looked = self.trackers.iter().zip(&self.looked_at);
        let seen = looked.filter_map(|(tracker, at)| at.map(|at| tracker.seen_at(at))).flatten();
        seen.map(|t| TrackView {
            track: t.id,
            class: self.classes.name(t.seen.class),
            score: t.seen.score,
            bbox: t.seen.bbox,
            alarm: self.alarmed.binary_search(&t.id).is_ok(),
        })
    }

    /// Takes the counts of the hours that were over at `now`, oldest first.
    pub fn take_counts(&mut self, now: Timestamp) -> Vec<HourlyCount> {
        self.counter.take(now)
    }

    /// The counts of the hours that were not taken yet, the running one included: to be kept across a restart.
    pub fn counts_so_far(&self) -> Vec<HourlyCount> {
        self.counter.so_far()
    }

    fn decide(&mut self, at: Timestamp, aspect: f32, frame: Option<&FrameInput<'_>>, out: &mut Vec<Decision>) {
        for mut orphan in self.orphans.drain(..) {
            orphan.rule.end_all(at, out);
        }
        let seen = |wanted: &dyn Fn(Kind) -> bool| {
            let of_kind = self.trackers.iter().filter(|t| frame.is_some() && wanted(t.kind()));
            of_kind.flat_map(|t| t.seen_at(at)).collect::<Vec<_>>()
        };
        let (persons, heads) = (seen(&|k| k == Kind::Person), seen(&|k| k == Kind::Head));
        let intervals: Vec<f32> = self.tasks.iter().map(|t| self.interval_secs(t.task.algorithm)).collect();
        let looked_for = frame.and_then(|f| f.looked_for);
        let sharpness = self.sharpness.filter(|(when, _)| at.since(*when).as_secs_f32() <= SHARPNESS_HOLDS_SECS);
        let mut scene = Scene {
            at,
            aspect,
            height: frame.map_or(0, |f| f.height),
            picture: frame.and_then(|f| f.picture),
            references: frame.map_or(&[], |f| f.references),
            detections: frame.map_or(&[], |f| f.detections),
            looked_for,
            appearance: frame.and_then(|f| f.appearance),
            vehicles: seen(&|k| k == Kind::Vehicle),
            two_wheelers: seen(&|k| k == Kind::TwoWheeler),
            others: seen(&|k| matches!(k, Kind::Other(_))),
            worn: worn::attach(&self.classes, frame.map_or(&[], |f| f.detections), &persons),
            explained: Vec::new(),
            mutes: &[],
            camera_quiet: false,
            sharpness: sharpness.map_or(1.0, |(_, worth)| worth),
            classes: &self.classes,
            bare_head: self.classes.id(ClassTable::HEAD),
            heads_of: self.pairing.step(&persons, &heads),
            persons,
            heads,
            patience_secs: 0.0,
            inherit_secs: 0.0,
            grace_secs: 0.0,
        };
        // An hour in which nobody looked for people is not an hour without people.
        let person = self.classes.id(ClassTable::PERSON);
        if looked_for.is_none_or(|looked| person.is_some_and(|id| looked.contains(&id))) {
            self.counter.see(&scene);
        }
        self.alarmed.clear();
        self.quiet.retain(|(_, until)| *until > at);
        for (Armed { task, rule }, interval) in self.tasks.iter_mut().zip(intervals) {
            scene.patience_secs = (3.0 * interval).max(3.0);
            // Two seconds, and two frames until a new track is confirmed.
            scene.inherit_secs = (2.0 + 2.0 * interval).min(scene.patience_secs);
            scene.grace_secs = (1.5 * interval).max(1.0);
            let armed = task.schedule.is_armed(at);
            if armed && looked_for.is_some_and(|looked| !sees(&self.classes, looked, task.algorithm)) {
                rule.alarmed_tracks(&mut self.alarmed);
                rule.explains(&mut scene.explained);
            } else if armed {
                (scene.mutes, scene.camera_quiet) = (&task.mutes, self.quiet.iter().any(|(s, _)| *s >= task.severity));
                let before = out.len();
                rule.step(&scene, task, &mut self.alarm_numbers, out);
                rule.alarmed_tracks(&mut self.alarmed);
                rule.take_passages(&mut |passage| self.counter.pass(&passage));
                rule.explains(&mut scene.explained);
                let camera_cool_down = Duration::from_secs_f32(task.params.camera_cool_down_secs);
                for decision in out.iter().skip(before).filter(|_| !camera_cool_down.is_zero()) {
                    if let Decision::Raise(raise) = decision {
                        self.quiet.push((raise.severity, at + camera_cool_down));
                    }
                }
            } else {
                rule.end_all(at, out);
            }
        }
        self.alarmed.sort_unstable();
    }

    /// Longest time between two looks of the tasks that look for the same kinds as `algorithm`.
    fn interval_secs(&self, algorithm: Algorithm) -> f32 {
        let own: Vec<Kind> = self.kinds_needed(algorithm).collect();
        self.longest_interval(|other| other == algorithm || self.kinds_needed(other).any(|kind| own.contains(&kind)))
    }

    fn longest_interval(&self, concerned: impl Fn(Algorithm) -> bool) -> f32 {
        let tasks = self.tasks.iter().filter(|t| concerned(t.task.algorithm));
        1.0 / tasks.map(|t| t.task.params.sample_fps).fold(0.1, f32::max)
    }

    fn kinds_needed(&self, algorithm: Algorithm) -> impl Iterator<Item = Kind> {
        let kind = |name: &&str| *self.kinds.get(usize::from(self.classes.id(name)?.0))?;
        algorithm.needed_classes().iter().filter_map(kind)
    }

    fn settings(&self, kind: Kind) -> Settings {
        let needs = |algorithm| self.kinds_needed(algorithm).any(|k| k == kind);
        let nobody = !self.tasks.iter().any(|t| needs(t.task.algorithm));
        let interval = self.longest_interval(|algorithm| nobody || needs(algorithm));
        let wanted = self.tasks.iter().map(|t| t.task.least_score()).fold(1.0, f32::min);
        let start_score = wanted.clamp(0.15, 0.4);
        Settings {
            start_score,
            sure_score: start_score * 0.9,
            lost_secs: (2.5 * interval).max(2.0),
            tentative_secs: (1.5 * interval).max(0.6),
        }
    }
}

/// Whether everything that `algorithm` needs was looked for.
fn sees(classes: &ClassTable, looked: &[ClassId], algorithm: Algorithm) -> bool {
    algorithm.needed_classes().iter().all(|name| classes.id(name).is_none_or(|id| looked.contains(&id)))
}

fn kind_of(index: usize, name: &str) -> Option<Kind> {
    Some(match name {
        _ if worn::is_worn(name) => return None,
        ClassTable::PERSON => Kind::Person,
        ClassTable::HELMET | ClassTable::HEAD => Kind::Head,
        _ if ClassTable::VEHICLES.contains(&name) => Kind::Vehicle,
        _ if ClassTable::TWO_WHEELERS.contains(&name) => Kind::TwoWheeler,
        _ => Kind::Other(ClassId(index as u16)),
    })
}

/// Whether the running state of `a` is right for `b`: name, grade and muted places may differ.
fn looks_for_the_same(a: &Task, b: &Task) -> bool {
    let drawn = a.zones == b.zones && a.lines == b.lines && a.reference == b.reference;
    a.id == b.id && a.algorithm == b.algorithm && drawn && a.schedule == b.schedule && a.params == b.params
}

/// Cleans the detections of one kind and puts them into an order that does not depend on the detector's.
fn observe(detections: &[Detection], of_kind: impl Fn(ClassId) -> bool) -> Vec<Observation> {
    let mut observations: Vec<Observation> = detections
        .iter()
        .filter(|d| of_kind(d.class) && d.score >= NOISE)
        .filter_map(|d| Some(Observation { class: d.class, score: d.score, rival: 0.0, bbox: within_picture(d.bbox)? }))
        .collect();
    observations.sort_by(|a, b| {
        let key = |o: &Observation| [o.bbox.x, o.bbox.y, o.bbox.w, o.bbox.h];
        let places = key(a).into_iter().zip(key(b)).map(|(x, y)| x.total_cmp(&y));
        b.score
            .total_cmp(&a.score)
            .then(a.class.cmp(&b.class))
            .then(places.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then))
    });
    let mut kept: Vec<Observation> = Vec::with_capacity(observations.len());
    for observation in observations {
        let same =
            |k: &&mut Observation| k.class != observation.class && k.bbox.iou(&observation.bbox) >= ONE_OBJECT_IOU;
        if let Some(winner) = kept.iter_mut().find(same) {
            winner.rival = winner.rival.max(observation.score);
        } else {
            kept.push(observation);
        }
    }
    kept
}

/// Cuts a box at the picture's edges; `None` when nothing is left of it, or it has no numbers.
fn within_picture(bbox: BoundingBox) -> Option<BoundingBox> {
    if ![bbox.x, bbox.y, bbox.w, bbox.h].into_iter().all(f32::is_finite) {
        return None;
    }
    let (left, top) = (bbox.x.clamp(0.0, 1.0), bbox.y.clamp(0.0, 1.0));
    let (w, h) = ((bbox.x + bbox.w).clamp(0.0, 1.0) - left, (bbox.y + bbox.h).clamp(0.0, 1.0) - top);
    (w > 1e-4 && h > 1e-4).then_some(BoundingBox::new(left, top, w, h))
}
