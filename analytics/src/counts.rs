//! Hourly counts 小时统计: who was seen, and which vehicles went in and out, and the weekly rule of
//! 摄像头画面质量异常 (requirement A12 a) that is computed from them.
//!
//! A **sighting** is a person's track that was seen for at least 1 s and has moved by a quarter of its height: a
//! poster, or a coat on a hook, is not a sighting. Somebody who is seen in two hours counts in both. Hours begin
//! at full hours of UTC, which are full hours of the site's time wherever the offset is one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::{ClassTable, Schedule, Timestamp};

use crate::{scene::Scene, tracker::Track};

/// A12: fewer sightings than this on each day of a week say that the camera looks where nobody works.
pub const SIGHTINGS_PER_DAY: u32 = 10;
/// Somebody is seen when the track has lasted so long, seconds.
const SEEN_SECS: f32 = 1.0;
/// Two frames further apart than this leave a gap in what was analysed, seconds.
const LONGEST_STEP_SECS: f32 = 60.0;
/// Hours that are kept when nobody takes them: one week and a day.
const MOST_HOURS: usize = 8 * 24;
/// Tracks remembered for an hour; what comes after them is counted twice at worst.
const MOST_TRACKS: usize = 20_000;
/// Kinds of one hour.
const MOST_KINDS: usize = 64;
/// Share of a working day that must have been analysed before its count says anything.
const ENOUGH_OF_A_DAY: f32 = 0.8;

const HOUR_MICROS: i64 = 3_600 * 1_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// The counts of one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HourlyCount {
    /// First instant of the hour, a full hour of UTC.
    pub hour_start: Timestamp,
    /// For how many seconds of the hour frames came, 0–3600: an hour without a picture is not an hour without people.
    pub analysed_secs: u16,
    /// One row per kind, by kind; at most 64.
    pub rows: Vec<CountRow>,
}

/// How many of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountRow {
    /// `person`, or the class of a vehicle.
    pub kind: String,
    /// How many came in 进场.
    pub entered: u32,
    /// How many went out 出场.
    pub left: u32,
    /// How many different ones were seen.
    pub seen: u32,
}

/// Somebody went in or out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Passage {
    pub(crate) at: Timestamp,
    /// Class of the vehicle.
    pub(crate) kind: String,
    pub(crate) entered: bool,
}

/// Counts the hours of one camera.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    hours: VecDeque<Hour>,
    /// When each living track was first seen.
    since: BTreeMap<u64, Timestamp>,
    newest: Option<Timestamp>,
}

#[derive(Debug)]
struct Hour {
    start: Timestamp,
    analysed_secs: f32,
    kinds: BTreeMap<String, [u32; 3]>,
    counted: BTreeSet<u64>,
}

impl Counter {
    /// Takes a frame.
    pub(crate) fn see(&mut self, scene: &Scene<'_>) {
        if scene.height == 0 {
            return;
        }
        let step = self.newest.map_or(0.0, |last| scene.at.since(last).as_secs_f32());
        self.newest = Some(scene.at);
        if step <= LONGEST_STEP_SECS {
            self.hour(scene.at).analysed_secs += step;
        }
        for (person, track) in
            scene.persons.iter().map(|t| (true, *t)).chain(scene.vehicles.iter().map(|t| (false, *t)))
        {
            let since = *self.since.entry(track.id).or_insert(scene.at);
            if track.moved && scene.at.since(since).as_secs_f32() >= SEEN_SECS {
                self.count_seen(scene, track, person);
            }
        }
        if self.since.len() > MOST_TRACKS {
            // Numbers grow: the smallest are the oldest.
            self.since.pop_first();
        }
    }

    fn count_seen(&mut self, scene: &Scene<'_>, track: &Track, person: bool) {
        let hour = self.hour(scene.at);
        if hour.counted.insert(track.id) {
            let kind = if person { ClassTable::PERSON } else { scene.classes.name(track.seen.class) };
            hour.add(kind, 2);
        }
        if hour.counted.len() > MOST_TRACKS {
            hour.counted.pop_first();
        }
    }

    /// Takes somebody who went in or out.
    pub(crate) fn pass(&mut self, passage: &Passage) {
        self.hour(passage.at).add(&passage.kind, usize::from(!passage.entered));
    }

    /// Takes out the hours that are over.
    pub(crate) fn take(&mut self, now: Timestamp) -> Vec<HourlyCount> {
        let current = hour_of(now);
        let over = self.hours.partition_point(|h| h.start < current);
        self.hours.drain(..over).map(|h| h.count()).collect()
    }

    /// All hours that were not taken.
    pub(crate) fn so_far(&self) -> Vec<HourlyCount> {
        self.hours.iter().map(Hour::count).collect()
    }

    fn hour(&mut self, at: Timestamp) -> &mut Hour {
        let start = hour_of(at);
        let index = self.hours.partition_point(|h| h.start < start);
        if self.hours.get(index).is_none_or(|h| h.start != start) {
            let hour = Hour { start, analysed_secs: 0.0, kinds: BTreeMap::new(), counted: BTreeSet::new() };
            self.hours.insert(index, hour);
            // Whoever counts a new hour has no use for who was counted in the one before.
            if let Some(before) = index.checked_sub(1) {
                self.hours[before].counted.clear();
            }
        }
        if self.hours.len() > MOST_HOURS {
            self.hours.pop_front();
            return self.hours.back_mut().expect("more than one hour is kept");
        }
        &mut self.hours[index]
    }
}

impl Hour {
    /// `what`: 0 entered, 1 left, 2 seen.
    fn add(&mut self, kind: &str, what: usize) {
        if let Some(counts) = self.kinds.get_mut(kind) {
            counts[what] += 1;
        } else if self.kinds.len() < MOST_KINDS {
            let mut counts = [0; 3];
            counts[what] = 1;
            self.kinds.insert(kind.to_owned(), counts);
        }
    }

    fn count(&self) -> HourlyCount {
        let row =
            |(kind, &[entered, left, seen]): (&String, &[u32; 3])| CountRow { kind: kind.clone(), entered, left, seen };
        HourlyCount {
            hour_start: self.start,
            analysed_secs: self.analysed_secs.round().min(3_600.0) as u16,
            rows: self.kinds.iter().map(row).collect(),
        }
    }
}

fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().div_euclid(HOUR_MICROS) * HOUR_MICROS)
}

/// One camera's sightings in one hour, as the weekly rule reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlySightings {
    /// First instant of the hour.
    pub hour_start: Timestamp,
    /// For how many seconds of it frames were analysed, 0–3600.
    pub analysed_secs: u16,
    /// Persons seen in it.
    pub seen: u32,
}

/// The working hours of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySightings {
    /// Midnight of the site's own time.
    pub day_start: Timestamp,
    /// Persons seen in the working hours.
    pub seen: u32,
    /// Working hours of the day.
    pub working_hours: u32,
    /// Seconds of them that were analysed.
    pub analysed_secs: u32,
}

/// What a week's counts say about a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeekOfSightings {
    /// Each working day had fewer than [`SIGHTINGS_PER_DAY`] sightings: the camera looks where nobody works, or
    /// cannot see. The days say how many there were.
    TooFew(Vec<DaySightings>),
    /// At least one working day had enough.
    Enough,
    /// No day had enough, but on at least one of them less than 80 % of the working hours was analysed.
    NotKnown(Vec<DaySightings>),
    /// The week has no working hours.
    NoWorkingHours,
}

/// Judges the seven days from `week_start` (midnight of the site's time, normally a Monday) by requirement A12 a.
/// An hour works when `working` is armed in its middle. `hours` come in any order; hours outside the week, and
/// outside working time, do not count; of several reports of an hour the one with the most counts.
pub fn judge_week(hours: &[HourlySightings], working: &Schedule, week_start: Timestamp) -> WeekOfSightings {
    let mut best: BTreeMap<Timestamp, HourlySightings> = BTreeMap::new();
    for hour in hours {
        let kept = best.entry(hour.hour_start).or_insert(*hour);
        if (hour.analysed_secs, hour.seen) > (kept.analysed_secs, kept.seen) {
            *kept = *hour;
        }
    }
    let mut days = Vec::with_capacity(7);
    for day in 0..7 {
        let from = week_start.as_micros().saturating_add(day * DAY_MICROS);
        let day_start = Timestamp::from_micros(from);
        let mut count = DaySightings { day_start, seen: 0, working_hours: 0, analysed_secs: 0 };
        for hour in 0..24 {
            let start = Timestamp::from_micros(from.saturating_add(hour * HOUR_MICROS));
            if !working.is_armed(Timestamp::from_micros(start.as_micros().saturating_add(HOUR_MICROS / 2))) {
                continue;
            }
            count.working_hours += 1;
            if let Some(report) = best.get(&start) {
                count.seen = count.seen.saturating_add(report.seen);
                count.analysed_secs += u32::from(report.analysed_secs.min(3_600));
            }
        }
        if count.working_hours > 0 {
            days.push(count);
        }
    }
    let known = |d: &DaySightings| d.analysed_secs as f32 >= ENOUGH_OF_A_DAY * 3_600.0 * d.working_hours as f32;
    if days.is_empty() {
        WeekOfSightings::NoWorkingHours
    } else if days.iter().any(|d| d.seen >= SIGHTINGS_PER_DAY) {
        WeekOfSightings::Enough
    } else if days.iter().all(known) {
        WeekOfSightings::TooFew(days)
    } else {
        WeekOfSightings::NotKnown(days)
    }
}
