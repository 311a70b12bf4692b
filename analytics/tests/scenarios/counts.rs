//! Hourly counts and the weekly rule.

use std::time::Duration;

use crate::{scene::*, things::*};
use analytics::{CameraAnalyzer, CountRow, HourlySightings, SIGHTINGS_PER_DAY, WeekOfSightings, judge_week};
use protocol::{Schedule, ScheduleSpan, Timestamp};

const HOUR: i64 = 3_600;

/// People who walk through one after another, each for 20 s.
fn walkers(n: usize, moving: bool) -> Vec<Shot> {
    shots(n as f32 * 30.0, 2.0, |t, _, shot| {
        let of_walker = t % 30.0;
        if of_walker < 20.0 {
            let x = if moving { 0.2 + 0.02 * of_walker } else { 0.5 };
            shot.put("person", 0.8, [x, 0.8, 0.1, 0.3]);
        }
    })
}

fn count(film: &[Shot]) -> Vec<analytics::HourlyCount> {
    let mut analyzer = CameraAnalyzer::new(things());
    show_to(&mut analyzer, film);
    analyzer.take_counts(START + Duration::from_hours(1_000))
}

#[test]
fn each_walker_is_seen_once() {
    let hours = count(&walkers(12, true));
    assert_eq!(hours.len(), 1);
    assert_eq!(hours[0].rows, [CountRow { kind: "person".into(), entered: 0, left: 0, seen: 12 }]);
    assert!((355..=360).contains(&hours[0].analysed_secs), "{}", hours[0].analysed_secs);
    assert_eq!(count(&walkers(12, false))[0].rows, [], "what never moves is a poster");
}

#[test]
fn hours_are_taken_once_and_only_when_they_are_over() {
    let mut analyzer = CameraAnalyzer::new(things());
    // From half past, for an hour.
    let film: Vec<Shot> = walkers(120, true).into_iter().map(|s| Shot { t: s.t + 1_800.0, ..s }).collect();
    show_to(&mut analyzer, &film);
    let (first, second) = (START, START + Duration::from_hours(1));
    assert_eq!(analyzer.take_counts(START + Duration::from_mins(59)), []);
    let seen = |c: &[analytics::HourlyCount]| c.iter().map(|h| (h.hour_start, h.rows[0].seen)).collect::<Vec<_>>();
    assert_eq!(seen(&analyzer.counts_so_far()), [(first, 60), (second, 60)]);
    assert_eq!(seen(&analyzer.take_counts(second + Duration::from_secs(1))), [(first, 60)]);
    assert_eq!(seen(&analyzer.take_counts(second + Duration::from_hours(5))), [(second, 60)]);
    assert_eq!(analyzer.take_counts(second + Duration::from_hours(9)), []);
}

#[test]
fn a_gap_is_not_analysed_and_nobody_is_kept_for_ever() {
    let film = shots(20.0, 0.005, |_, _, _| {});
    assert_eq!(film.len(), 0);
    let frames: Vec<Shot> = (0..10).map(|i| Shot { t: 300.0 * i as f32, ..Shot::default() }).collect();
    assert_eq!(count(&frames).iter().map(|h| h.analysed_secs).max().unwrap_or(0), 0);
    // A year of frames, one per hour and a person in each: eight days are kept.
    let year: Vec<Shot> = (0..24 * 365).map(|i| Shot { t: 3_600.0 * i as f32, ..Shot::default() }).collect();
    let mut analyzer = CameraAnalyzer::new(things());
    show_to(&mut analyzer, &year);
    assert!(analyzer.counts_so_far().len() <= 8 * 24);
}

/// Monday 2026-11-23 00:00 in Shanghai; working from 8 to 18, Monday to Saturday.
fn week() -> (Timestamp, Schedule) {
    let spans = (0..6).map(|weekday| ScheduleSpan { weekday, from_minute: 8 * 60, to_minute: 18 * 60 }).collect();
    let schedule = Schedule { utc_offset_minutes: 480, spans, ..Schedule::default() };
    (Timestamp::from_secs(1_795_392_000 - 8 * HOUR), schedule)
}

fn reports(seen: impl Fn(i64, i64) -> u32, analysed_secs: u16) -> Vec<HourlySightings> {
    let (start, _) = week();
    let hour = |d: i64, h: i64| HourlySightings {
        hour_start: Timestamp::from_micros(start.as_micros() + (24 * d + h) * HOUR * 1_000_000),
        analysed_secs,
        seen: seen(d, h),
    };
    (0..7).flat_map(|d| (0..24).map(move |h| (d, h))).map(|(d, h)| hour(d, h)).collect()
}

#[test]
fn the_weekly_rule() {
    let (start, working) = week();
    let judge = |hours: &[HourlySightings]| judge_week(hours, &working, start);
    let too_few = |week: &WeekOfSightings| matches!(week, WeekOfSightings::TooFew(_));
    assert!(too_few(&judge(&reports(|_, _| 0, 3_600))), "nobody");
    let WeekOfSightings::TooFew(days) = judge(&reports(|_, h| u32::from(h == 9) * 9, 3_600)) else {
        panic!("nine a day are too few")
    };
    assert_eq!(days.len(), 6, "Sunday is no working day");
    assert!(days.iter().all(|d| (d.seen, d.working_hours, d.analysed_secs) == (9, 10, 36_000)), "{days:?}");
    assert_eq!(judge(&reports(|_, h| u32::from(h == 9) * SIGHTINGS_PER_DAY, 3_600)), WeekOfSightings::Enough);
    assert_eq!(judge(&reports(|d, h| u32::from((d, h) == (3, 17)) * 10, 3_600)), WeekOfSightings::Enough, "one day");
    assert!(too_few(&judge(&reports(|_, h| u32::from(h == 20) * 50, 3_600))), "only after work");
    assert!(too_few(&judge(&reports(|d, _| u32::from(d == 6) * 50, 3_600))), "only on Sunday");
    assert!(matches!(judge(&reports(|_, _| 0, 1_800)), WeekOfSightings::NotKnown(_)), "half of each hour");
    assert!(matches!(judge(&[]), WeekOfSightings::NotKnown(_)), "no reports");
    let without_tuesday: Vec<_> = reports(|_, _| 0, 3_600)
        .into_iter()
        .filter(|h| !(24..48).contains(&((h.hour_start.as_micros() - start.as_micros()) / (HOUR * 1_000_000))))
        .collect();
    assert!(matches!(judge(&without_tuesday), WeekOfSightings::NotKnown(_)), "Tuesday is missing");
    let mut twice = reports(|_, h| u32::from(h == 9) * 6, 3_600);
    twice.extend(reports(|_, h| u32::from(h == 9) * 4, 1_000));
    assert!(too_few(&judge(&twice)), "two reports of an hour are not added");
    twice.reverse();
    assert!(too_few(&judge(&twice)), "in any order");
    let never = Schedule { spans: vec![ScheduleSpan { weekday: 0, from_minute: 0, to_minute: 10 }], ..working.clone() };
    assert_eq!(judge_week(&reports(|_, _| 0, 3_600), &never, start), WeekOfSightings::NoWorkingHours);
}
