//! Tracker 目标跟踪: detections of one kind become tracks that keep their number.
//!
//! Association in two stages after `ByteTrack` (Zhang et al., ECCV 2022): confident detections first, then the
//! unsure ones for the tracks that are left, so that a half-hidden person keeps the track without unsure boxes
//! ever starting one. The cost of a pair blends overlap with how surprising the motion is: overlap alone fails
//! at 2 frames per second, where a walker leaves the own box between two frames. No appearance.

mod assignment;
mod history;
mod kalman;

use protocol::{BoundingBox, ClassId, Timestamp};

pub(crate) use self::history::History;
use self::{
    assignment::{FORBIDDEN, assign},
    kalman::Motion,
};
use crate::{
    numbers::Numbers,
    place::{HEADS_PER_STATURE, Place},
};

/// Pairs whose motion is more surprising than this (squared, two coordinates) need overlap to be formed.
const MOST_SURPRISING: f32 = 16.0;
/// Overlap that pairs whatever the motion.
const CLEAR_OVERLAP: f32 = 0.3;
/// Nobody runs faster, statures per second.
const FASTEST: f32 = 3.0;
/// A pair of the second stage must be at least this good.
const UNSURE_COST_LIMIT: f32 = 0.75;
/// A new track must not start on top of one that was just seen.
const SAME_OBJECT_IOU: f32 = 0.7;
/// Further from where it began than this, statures, a track has moved.
const MOVED: f32 = 0.25;

/// What is tracked together. A head keeps its track when its helmet comes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A whole person.
    Person,
    /// A head, with or without a helmet.
    Head,
    /// A car, truck or machine, whatever its class.
    Vehicle,
    /// Something that is ridden.
    TwoWheeler,
    /// Anything else the model knows.
    Other(ClassId),
}

impl Kind {
    /// Height of the body that `bbox` belongs to, picture heights.
    fn unit(self, bbox: &BoundingBox, aspect: f32) -> f32 {
        match self {
            Self::Person => bbox.h,
            Self::Head => bbox.h * HEADS_PER_STATURE,
            Self::Vehicle | Self::TwoWheeler | Self::Other(_) => bbox.h.max(bbox.w * aspect),
        }
        .max(1e-4)
    }

    fn place(self, bbox: &BoundingBox, aspect: f32) -> Place {
        match self {
            Self::Head => Place::of_head(bbox, aspect),
            Self::Person | Self::Vehicle | Self::TwoWheeler | Self::Other(_) => Place::of_person(bbox, aspect),
        }
    }
}

/// A detection, cleaned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) class: ClassId,
    pub(crate) score: f32,
    /// Best score of another class of the same kind at the same place; a close rival makes the class unsure.
    pub(crate) rival: f32,
    pub(crate) bbox: BoundingBox,
}

/// Thresholds and lengths of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Smallest score that starts a track.
    pub(crate) start_score: f32,
    /// Smallest score of the first stage.
    pub(crate) sure_score: f32,
    /// How long a track is kept unseen, seconds.
    pub(crate) lost_secs: f32,
    /// How long a track seen once is kept unseen, seconds.
    pub(crate) tentative_secs: f32,
}

/// One object over time.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) id: u64,
    pub(crate) seen_at: Timestamp,
    pub(crate) seen: Observation,
    /// Whether it ever was away from where it began.
    pub(crate) moved: bool,
    pub(crate) history: History,
    origin: Place,
    motion: Motion,
    confirmed: bool,
}

/// All tracks of one kind.
#[derive(Debug)]
pub(crate) struct Tracker {
    kind: Kind,
    tracks: Vec<Track>,
    last: Option<Timestamp>,
}

impl Tracker {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, tracks: Vec::new(), last: None }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The confirmed tracks seen at `at`, by number.
    pub(crate) fn seen_at(&self, at: Timestamp) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(move |t| t.confirmed && t.seen_at == at)
    }

    /// Takes the observations of one frame, sorted by falling score. `at` is later than at the step before.
    pub(crate) fn step(
        &mut self,
        at: Timestamp,
        aspect: f32,
        observations: &[Observation],
        settings: &Settings,
        numbers: &mut Numbers,
    ) {
        let dt = self.last.map_or(0.0, |last| at.since(last).as_secs_f32());
        self.last = Some(at);
        self.tracks.retain(|t| {
            let patience = if t.confirmed { settings.lost_secs } else { settings.tentative_secs };
            at.since(t.seen_at).as_secs_f32() <= patience
        });
        for track in &mut self.tracks {
            track.motion.predict(dt);
        }
        let sure_end = observations.partition_point(|o| o.score >= settings.sure_score);
        let mut free_observations: Vec<usize> = (0..sure_end).collect();
        let mut free_tracks: Vec<usize> = (0..self.tracks.len()).filter(|&i| self.tracks[i].confirmed).collect();
        self.pair(at, aspect, observations, &mut free_tracks, &mut free_observations, FORBIDDEN);

        let mut unsure: Vec<usize> = (sure_end..observations.len()).collect();
        self.pair(at, aspect, observations, &mut free_tracks, &mut unsure, UNSURE_COST_LIMIT);

        let mut tentative: Vec<usize> = (0..self.tracks.len()).filter(|&i| !self.tracks[i].confirmed).collect();
        self.pair(at, aspect, observations, &mut tentative, &mut free_observations, FORBIDDEN);

        for index in free_observations {
            let observation = &observations[index];
            let taken =
                self.tracks.iter().any(|t| t.seen_at == at && t.seen.bbox.iou(&observation.bbox) > SAME_OBJECT_IOU);
            if observation.score >= settings.start_score && !taken {
                self.tracks.push(Track::new(numbers.next(), self.kind, at, aspect, observation));
            }
        }
    }

    /// Pairs free tracks with free observations and takes the pairs out of both lists.
    fn pair(
        &mut self,
        at: Timestamp,
        aspect: f32,
        observations: &[Observation],
        free_tracks: &mut Vec<usize>,
        free_observations: &mut Vec<usize>,
        limit: f32,
    ) {
        let cost: Vec<Vec<f32>> = free_tracks
            .iter()
            .map(|&t| {
                let of = |&o: &usize| self.tracks[t].cost(at, aspect, &observations[o]).filter(|c| *c < limit);
                free_observations.iter().map(|o| of(o).unwrap_or(FORBIDDEN)).collect()
            })
            .collect();
        let pairs = assign(&cost);
        for &(t, o) in &pairs {
            self.tracks[free_tracks[t]].see(self.kind, at, aspect, &observations[free_observations[o]]);
        }
        let mut index = 0..;
        free_tracks.retain(|_| index.next().is_some_and(|i| !pairs.iter().any(|p| p.0 == i)));
        let mut index = 0..;
        free_observations.retain(|_| index.next().is_some_and(|i| !pairs.iter().any(|p| p.1 == i)));
    }
}

impl Track {
    fn new(id: u64, kind: Kind, at: Timestamp, aspect: f32, seen: &Observation) -> Self {
        let mut history = History::default();
        history.push(at, seen);
        Self {
            id,
            seen_at: at,
            seen: *seen,
            moved: false,
            history,
            origin: kind.place(&seen.bbox, aspect),
            motion: Motion::new(&seen.bbox, aspect, kind.unit(&seen.bbox, aspect)),
            confirmed: false,
        }
    }

    fn see(&mut self, kind: Kind, at: Timestamp, aspect: f32, seen: &Observation) {
        let dt = at.since(self.seen_at).as_secs_f32();
        self.motion.correct(&seen.bbox, aspect, kind.unit(&seen.bbox, aspect), dt);
        self.moved |= self.origin.distance(&kind.place(&seen.bbox, aspect)) > MOVED;
        self.seen_at = at;
        self.seen = *seen;
        self.confirmed = true;
        self.history.push(at, seen);
    }

    /// Cost of taking `observation` for this track, 0–1; `None` when it cannot be.
    fn cost(&self, at: Timestamp, aspect: f32, observation: &Observation) -> Option<f32> {
        let overlap = self.motion.bbox(aspect).iou(&observation.bbox);
        let surprise = self.motion.surprise(&observation.bbox, aspect);
        let reach = 0.35 + FASTEST * at.since(self.seen_at).as_secs_f32().min(0.5);
        let heights = self.seen.bbox.h.max(1e-6) / observation.bbox.h.max(1e-6);
        let plausible = surprise < MOST_SURPRISING
            && self.motion.distance(&observation.bbox, aspect) < reach
            && (0.5..2.0).contains(&heights);
        (plausible || overlap >= CLEAR_OVERLAP)
            .then(|| 0.5 * (1.0 - overlap) + 0.5 * (surprise / MOST_SURPRISING).min(1.0))
    }
}
