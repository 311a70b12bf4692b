//! Generated films: workers who walk, wear helmets or do not, are hidden or missed; as a detector would see them.

use std::time::Duration;

use analytics::{CameraAnalyzer, Decision, FrameInput, Raise};
use protocol::{
    Algorithm, BoundingBox, CameraId, ClassId, ClassTable, Detection, ParamsSpec, Point, Schedule, Task, TaskId,
    TaskSpec, Timestamp, ZoneKind, ZoneSpec,
};

pub(crate) const PERSON: ClassId = ClassId(0);
pub(crate) const HELMET: ClassId = ClassId(1);
pub(crate) const HEAD: ClassId = ClassId(2);
pub(crate) const SIZE: (u32, u32) = (1280, 720);

pub(crate) fn classes() -> ClassTable {
    ClassTable::new(["person", "helmet", "head"])
}

/// Monday 2026-11-23, 00:00 UTC.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_795_392_000);

type OfTime<T> = Box<dyn Fn(f32) -> T>;

/// What the detector says of a head.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Hat {
    Bare,
    Helmet,
    /// Both classes at one place, with these scores of bare and helmet.
    Unsure(f32, f32),
}

pub(crate) struct Actor {
    from: f32,
    until: f32,
    foot: OfTime<(f32, f32)>,
    height: f32,
    hat: OfTime<Hat>,
    body: OfTime<bool>,
    head: OfTime<bool>,
    head_offset: f32,
    score: f32,
}

/// Somebody who stands at `(x, y)` (feet), `height` tall, without a helmet.
pub(crate) fn worker(x: f32, y: f32, height: f32) -> Actor {
    Actor {
        from: 0.0,
        until: f32::INFINITY,
        foot: Box::new(move |_| (x, y)),
        height,
        hat: Box::new(|_| Hat::Bare),
        body: Box::new(|_| true),
        head: Box::new(|_| true),
        head_offset: 0.0,
        score: 0.75,
    }
}

impl Actor {
    pub(crate) fn during(mut self, from: f32, until: f32) -> Self {
        (self.from, self.until) = (from, until);
        self
    }
    pub(crate) fn walks(mut self, foot: impl Fn(f32) -> (f32, f32) + 'static) -> Self {
        self.foot = Box::new(foot);
        self
    }
    pub(crate) fn hat(mut self, hat: impl Fn(f32) -> Hat + 'static) -> Self {
        self.hat = Box::new(hat);
        self
    }
    pub(crate) fn helmet(self) -> Self {
        self.hat(|_| Hat::Helmet)
    }
    pub(crate) fn body(mut self, seen: impl Fn(f32) -> bool + 'static) -> Self {
        self.body = Box::new(seen);
        self
    }
    pub(crate) fn head(mut self, seen: impl Fn(f32) -> bool + 'static) -> Self {
        self.head = Box::new(seen);
        self
    }
    pub(crate) fn head_only(self) -> Self {
        self.body(|_| false)
    }
    /// The head lies this share of the height lower than usual.
    pub(crate) fn head_lower(mut self, by: f32) -> Self {
        self.head_offset = by;
        self
    }
    pub(crate) fn score(mut self, score: f32) -> Self {
        self.score = score;
        self
    }

    fn detections(&self, t: f32, noise: &mut Noise, film: &Film, out: &mut Vec<Detection>) {
        if !(self.from..self.until).contains(&t) {
            return;
        }
        let (x, y) = (self.foot)(t);
        let (width, h) = (self.height * 0.2, self.height);
        let mut add = |class, score: f32, bbox: BoundingBox, noise: &mut Noise| {
            if noise.share() >= film.miss {
                let mut shake = |v: f32| v + (noise.share() - 0.5) * 2.0 * film.jitter * bbox.h;
                let bbox = BoundingBox::new(shake(bbox.x), shake(bbox.y), bbox.w, bbox.h);
                let score = (score + (noise.share() - 0.5) * film.score_noise).clamp(0.11, 0.99);
                out.push(Detection { class, score, bbox });
            }
        };
        if (self.body)(t) {
            add(PERSON, self.score, BoundingBox::new(x - width / 2.0, y - h, width, h), noise);
        }
        if (self.head)(t) {
            let (hw, hh) = (h / 7.5 / 1.78, h / 7.5);
            let bbox = BoundingBox::new(x - hw / 2.0, y - h + self.head_offset * h, hw, hh);
            match (self.hat)(t) {
                Hat::Bare => add(HEAD, self.score, bbox, noise),
                Hat::Helmet => add(HELMET, self.score, bbox, noise),
                Hat::Unsure(bare, helmet) => {
                    add(HEAD, bare, bbox, noise);
                    add(HELMET, helmet, bbox, noise);
                }
            }
        }
    }
}

/// Numbers that look random and are the same each time.
#[derive(Clone)]
pub(crate) struct Noise(pub u64);

impl Noise {
    pub(crate) fn share(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}

pub(crate) type Frame = (Timestamp, Vec<Detection>);

pub(crate) struct Film {
    pub(crate) fps: f32,
    pub(crate) secs: f32,
    pub(crate) seed: u64,
    /// Share of detections that are missed.
    pub(crate) miss: f32,
    /// Shake of boxes, share of their height.
    pub(crate) jitter: f32,
    pub(crate) score_noise: f32,
    pub(crate) actors: Vec<Actor>,
}

impl std::fmt::Debug for Film {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { fps, seed, miss, actors, .. } = self;
        write!(f, "{} actors, {fps} fps, seed {seed}, {miss} missed", actors.len())
    }
}

pub(crate) fn film(secs: f32, actors: Vec<Actor>) -> Film {
    Film { fps: 5.0, secs, seed: 1, miss: 0.0, jitter: 0.02, score_noise: 0.1, actors }
}

impl Film {
    pub(crate) fn fps(mut self, fps: f32) -> Self {
        self.fps = fps;
        self
    }
    pub(crate) fn noisy(mut self, seed: u64, miss: f32, jitter: f32) -> Self {
        (self.seed, self.miss, self.jitter) = (seed, miss, jitter);
        self
    }

    pub(crate) fn frames(&self) -> Vec<Frame> {
        let mut noise = Noise(self.seed);
        (0..(self.secs * self.fps) as u32)
            .map(|i| {
                let t = i as f32 / self.fps;
                let mut detections = Vec::new();
                for actor in &self.actors {
                    actor.detections(t, &mut noise, self, &mut detections);
                }
                (START + Duration::from_secs_f32(t), detections)
            })
            .collect()
    }
}

pub(crate) fn task(algorithm: Algorithm, params: ParamsSpec, zones: Vec<ZoneSpec>, schedule: Schedule) -> Task {
    let spec = TaskSpec {
        zones,
        schedule,
        params,
        ..TaskSpec::new(TaskId::new(START), CameraId::new(START), algorithm, "test")
    };
    Task::try_from(spec).expect("the tests' tasks are valid")
}

pub(crate) fn plain(algorithm: Algorithm) -> Task {
    task(algorithm, ParamsSpec::default(), vec![], Schedule::default())
}

/// A rectangle `left, top, right, bottom`.
pub(crate) fn zone(name: &str, kind: ZoneKind, [l, t, r, b]: [f32; 4]) -> ZoneSpec {
    let points = vec![Point::new(l, t), Point::new(r, t), Point::new(r, b), Point::new(l, b)];
    ZoneSpec { name: name.into(), kind, points, min_score: None }
}

pub(crate) fn play(tasks: Vec<Task>, frames: &[Frame]) -> Vec<Decision> {
    let mut analyzer = CameraAnalyzer::new(classes());
    analyzer.set_tasks(tasks);
    let mut out = Vec::new();
    step_all(&mut analyzer, frames, &mut out);
    out
}

pub(crate) fn step_all(analyzer: &mut CameraAnalyzer, frames: &[Frame], out: &mut Vec<Decision>) {
    for (at, detections) in frames {
        analyzer.step(&FrameInput::new(*at, SIZE, detections), out);
    }
}

pub(crate) fn raises(decisions: &[Decision]) -> Vec<&Raise> {
    decisions.iter().filter_map(|d| if let Decision::Raise(r) = d { Some(&**r) } else { None }).collect()
}

pub(crate) fn ends(decisions: &[Decision]) -> Vec<(u64, f32)> {
    let end = |d: &Decision| if let Decision::End { alarm, at } = d { Some((*alarm, secs(*at))) } else { None };
    decisions.iter().filter_map(end).collect()
}

/// Seconds since the film began.
pub(crate) fn secs(at: Timestamp) -> f32 {
    at.since(START).as_secs_f32()
}

/// A film, the task, and what is to come of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) film: Film,
    pub(crate) task: Task,
    /// How many alarms.
    pub(crate) raises: usize,
    /// How many of them are over at the end.
    pub(crate) ends: usize,
    /// When the first one may come.
    pub(crate) first: std::ops::Range<f32>,
}

pub(crate) fn check(case: &Case) -> Vec<Decision> {
    let decisions = play(vec![case.task.clone()], &case.film.frames());
    let (raised, ended) = (raises(&decisions), ends(&decisions));
    let times: Vec<f32> = raised.iter().map(|r| secs(r.decided_at)).collect();
    assert_eq!(
        (raised.len(), ended.len()),
        (case.raises, case.ends),
        "{}: raised at {times:?}, ended {ended:?}",
        case.name
    );
    if let Some(first) = times.first() {
        assert!(case.first.contains(first), "{}: first alarm at {first}, not within {:?}", case.name, case.first);
    }
    for raise in raised {
        assert!(raise.why.lasted_secs >= raise.why.dwell_secs, "{}: {:?}", case.name, raise.why);
        assert!(raise.started_at <= raise.decided_at && (0.0..=1.0).contains(&raise.score), "{}", case.name);
        assert!(raise.boxes.iter().any(|b| b.subject) && raise.boxes.iter().all(|b| b.at == raise.decided_at));
    }
    decisions
}
