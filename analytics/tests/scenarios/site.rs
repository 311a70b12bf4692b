//! Films with more than workers: vehicles, scooters, carts, and what a second stage says of people.

use std::ops::Range;

use analytics::{CameraAnalyzer, Decision, Suppressed};
use protocol::{BoundingBox, ClassTable, Detection, Task};

use crate::scene::*;

pub(crate) const CLASSES: [&str; 16] = [
    "person",
    "helmet",
    "head",
    "truck",
    "excavator",
    "motorcycle",
    "hand_cart",
    "life_jacket",
    "no_life_jacket",
    "harness",
    "no_harness",
    "fire",
    "smoke",
    "ponding",
    "segment",
    "police_car",
];

pub(crate) fn site_classes() -> ClassTable {
    ClassTable::new(CLASSES)
}

/// Something that is no worker, where the middle of its lower edge and its size are given.
pub(crate) struct Thing {
    class: &'static str,
    foot: Box<dyn Fn(f32) -> (f32, f32)>,
    size: (f32, f32),
    score: f32,
    seen: Box<dyn Fn(f32) -> bool>,
}

pub(crate) fn thing(class: &'static str, (x, y): (f32, f32), size: (f32, f32)) -> Thing {
    Thing { class, foot: Box::new(move |_| (x, y)), size, score: 0.75, seen: Box::new(|_| true) }
}

/// What a second stage says of the worker who walks like this and is as tall.
pub(crate) fn gear(class: &'static str, height: f32, walk: impl Fn(f32) -> (f32, f32) + 'static) -> Thing {
    thing(class, (0.0, 0.0), (height * 0.2, height)).walks(walk)
}

impl Thing {
    pub(crate) fn walks(mut self, foot: impl Fn(f32) -> (f32, f32) + 'static) -> Self {
        self.foot = Box::new(foot);
        self
    }
    pub(crate) fn seen(mut self, seen: impl Fn(f32) -> bool + 'static) -> Self {
        self.seen = Box::new(seen);
        self
    }
    pub(crate) fn score(mut self, score: f32) -> Self {
        self.score = score;
        self
    }
}

/// A film of workers, with things in it.
pub(crate) struct Site {
    pub(crate) film: Film,
    pub(crate) things: Vec<Thing>,
}

pub(crate) fn site(film: Film, things: Vec<Thing>) -> Site {
    Site { film, things }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let classes: Vec<&str> = self.things.iter().map(|thing| thing.class).collect();
        write!(f, "{:?}, {classes:?}", self.film)
    }
}

impl Site {
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let classes = site_classes();
        let mut noise = Noise(self.film.seed ^ 0x5117);
        let mut frames = self.film.frames();
        for (at, detections) in &mut frames {
            let now = secs(*at);
            for thing in self.things.iter().filter(|thing| (thing.seen)(now)) {
                let ((x, y), (w, h)) = ((thing.foot)(now), thing.size);
                let missed = noise.share() < self.film.miss;
                let mut shake = |v: f32| v + (noise.share() - 0.5) * 2.0 * self.film.jitter * h;
                let bbox = BoundingBox::new(shake(x - w / 2.0), shake(y - h), w, h);
                let class = classes.id(thing.class).expect("a class of the table");
                if !missed {
                    detections.push(Detection { class, score: thing.score, bbox });
                }
            }
        }
        frames
    }
}

pub(crate) fn play_site(tasks: Vec<Task>, frames: &[Frame]) -> Vec<Decision> {
    let mut analyzer = CameraAnalyzer::new(site_classes());
    analyzer.set_tasks(tasks);
    let mut out = Vec::new();
    step_all(&mut analyzer, frames, &mut out);
    out
}

pub(crate) fn suppressed(decisions: &[Decision]) -> Vec<&Suppressed> {
    decisions.iter().filter_map(|d| if let Decision::Suppress(s) = d { Some(&**s) } else { None }).collect()
}

pub(crate) const NEVER: Range<f32> = 0.0..0.0;

/// One task on one film: how many alarms, how many of them over at the end, when the first.
#[track_caller]
pub(crate) fn expect(name: &str, site: &Site, task: &Task, raises_ends: (usize, usize), first: Range<f32>) {
    let decisions = play_site(vec![task.clone()], &site.frames());
    let (raised, ended) = (raises(&decisions), ends(&decisions));
    let times: Vec<f32> = raised.iter().map(|r| secs(r.decided_at)).collect();
    assert_eq!((raised.len(), ended.len()), raises_ends, "{name}: raised at {times:?}, ended {ended:?}");
    if let Some(time) = times.first() {
        assert!(first.contains(time), "{name}: first alarm at {time}, not within {first:?}");
    }
    for raise in raised {
        assert!(raise.why.lasted_secs >= raise.why.dwell_secs, "{name}: {:?}", raise.why);
        assert!(raise.boxes.iter().any(|b| b.subject) && raise.boxes.iter().all(|b| b.at == raise.decided_at));
        assert!(raise.why.measures.iter().all(|m| m.value.is_finite()), "{name}: {:?}", raise.why.measures);
    }
}
