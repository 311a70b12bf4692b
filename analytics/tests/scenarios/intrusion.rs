//! Scenarios of 人员非法进出.

use crate::scene::*;
use protocol::{Algorithm, ParamsSpec, Schedule, ScheduleSpan, Task, ZoneKind, ZoneSpec};

const PIT: [f32; 4] = [0.4, 0.5, 0.8, 0.95];

fn pit_with(params: ParamsSpec, more: Vec<ZoneSpec>) -> Task {
    let mut zones = vec![zone("基坑", ZoneKind::Include, PIT)];
    zones.extend(more);
    task(Algorithm::Intrusion, params, zones, Schedule::default())
}

fn pit() -> Task {
    pit_with(ParamsSpec::default(), vec![])
}

fn dwell(secs: f32) -> Task {
    pit_with(ParamsSpec { dwell_secs: Some(secs), ..Default::default() }, vec![])
}

fn at_night(weekday: u8) -> Task {
    let mut task = pit();
    task.schedule = Schedule {
        utc_offset_minutes: 480,
        spans: vec![ScheduleSpan { weekday, from_minute: 0, to_minute: 1440 }],
        ..Schedule::default()
    };
    task
}

fn case(name: &'static str, film: Film, task: Task, raises: usize, ends: usize, first: std::ops::Range<f32>) -> Case {
    Case { name, film, task, raises, ends, first }
}

const NEVER: std::ops::Range<f32> = 0.0..0.0;
const SOON: std::ops::Range<f32> = 1.0..2.2;

/// Enters at 5 s, leaves at 12 s.
fn visitor() -> Actor {
    worker(0.0, 0.0, 0.35).walks(|t| if (5.0..12.0).contains(&t) { (0.5, 0.8) } else { (0.36, 0.8) })
}

#[test]
fn scenarios() {
    let through = |t: f32| (0.05 + 0.08 * t, 0.8);
    for case in [
        case("inside", film(10.0, vec![worker(0.6, 0.8, 0.35)]), pit(), 1, 0, SOON),
        case("outside", film(10.0, vec![worker(0.2, 0.8, 0.35)]), pit(), 0, 0, NEVER),
        case("the body inside, the feet outside", film(10.0, vec![worker(0.6, 0.98, 0.35)]), pit(), 0, 0, NEVER),
        case("the head outside, the feet inside", film(10.0, vec![worker(0.6, 0.55, 0.35)]), pit(), 1, 0, SOON),
        case("enters and leaves", film(25.0, vec![visitor()]), pit(), 1, 1, 5.8..7.5),
        case(
            "enters, leaves and comes back within the cool-down",
            film(40.0, vec![worker(0.0, 0.0, 0.35).walks(|t| if t % 20.0 < 10.0 { (0.5, 0.8) } else { (0.36, 0.8) })]),
            pit(),
            1,
            1,
            SOON,
        ),
        case(
            "comes back after the cool-down",
            film(40.0, vec![worker(0.0, 0.0, 0.35).walks(|t| if t % 20.0 < 10.0 { (0.5, 0.8) } else { (0.36, 0.8) })]),
            pit_with(ParamsSpec { cool_down_secs: Some(12.0), ..Default::default() }, vec![]),
            2,
            2,
            SOON,
        ),
        case("walks through", film(14.0, vec![worker(0.0, 0.0, 0.35).walks(through)]), pit(), 1, 1, 5.0..7.5),
        case(
            "walks through faster than the dwell",
            film(14.0, vec![worker(0.0, 0.0, 0.35).walks(through)]),
            dwell(6.0),
            0,
            0,
            NEVER,
        ),
        case(
            "one step over the line",
            film(
                10.0,
                vec![worker(0.0, 0.0, 0.35).walks(|t| if (3.0..3.7).contains(&t) { (0.41, 0.8) } else { (0.37, 0.8) })],
            ),
            pit(),
            0,
            0,
            NEVER,
        ),
        case("at 2 fps", film(10.0, vec![worker(0.6, 0.8, 0.35)]).fps(2.0), pit(), 1, 0, 1.0..3.0),
        case("at 25 fps", film(10.0, vec![worker(0.6, 0.8, 0.35)]).fps(25.0), pit(), 1, 0, SOON),
        case(
            "two people are two events",
            film(10.0, vec![worker(0.5, 0.8, 0.35), worker(0.7, 0.8, 0.35)]),
            pit(),
            2,
            0,
            SOON,
        ),
        case(
            "in the hole of an exclude zone",
            film(10.0, vec![worker(0.6, 0.8, 0.35)]),
            pit_with(ParamsSpec::default(), vec![zone("通道", ZoneKind::Exclude, [0.55, 0.7, 0.65, 0.9])]),
            0,
            0,
            NEVER,
        ),
        case(
            "no zone: the whole picture",
            film(10.0, vec![worker(0.1, 0.3, 0.2)]),
            plain(Algorithm::Intrusion),
            1,
            0,
            SOON,
        ),
        case("smaller than the smallest target", film(10.0, vec![worker(0.6, 0.8, 0.05)]), pit(), 0, 0, NEVER),
        case("below the score", film(10.0, vec![worker(0.6, 0.8, 0.35).score(0.33)]), pit(), 0, 0, NEVER),
        case(
            "noise and one miss in four",
            film(30.0, vec![worker(0.6, 0.8, 0.35)]).noisy(3, 0.25, 0.04),
            pit(),
            1,
            0,
            1.0..3.5,
        ),
        case(
            "stands on the line under noise",
            film(60.0, vec![worker(0.4, 0.8, 0.35)]).noisy(5, 0.2, 0.01),
            pit(),
            1,
            1,
            1.0..60.0,
        ),
        case(
            "hidden for a moment",
            film(20.0, vec![worker(0.6, 0.8, 0.35).body(|t| !(6.0..7.8).contains(&t)).head(|_| false)]),
            pit(),
            1,
            0,
            SOON,
        ),
        case(
            "another number near where an alarmed one was lost",
            film(20.0, vec![worker(0.5, 0.8, 0.35).during(0.0, 6.0), worker(0.6, 0.82, 0.35).during(7.8, 20.0)]),
            pit(),
            1,
            0,
            SOON,
        ),
        case(
            "somebody else, far from where an alarmed one was lost",
            film(20.0, vec![worker(0.42, 0.6, 0.2).during(0.0, 6.0), worker(0.75, 0.9, 0.35).during(7.0, 20.0)]),
            pit(),
            2,
            1,
            SOON,
        ),
        case("armed today", film(10.0, vec![worker(0.6, 0.8, 0.35)]), at_night(0), 1, 0, SOON),
        case("not armed today", film(10.0, vec![worker(0.6, 0.8, 0.35)]), at_night(1), 0, 0, NEVER),
        case(
            "a fence post taken for a person alarms once",
            film(120.0, vec![worker(0.6, 0.8, 0.35).body(|t| t % 12.0 < 6.0).head(|_| false)]),
            pit(),
            1,
            1,
            SOON,
        ),
    ] {
        check(&case);
    }
}

#[test]
fn crossing_people_keep_their_numbers() {
    let left = worker(0.0, 0.0, 0.35).walks(|t| (0.45 + 0.03 * t, 0.8));
    let right = worker(0.0, 0.0, 0.35).walks(|t| (0.75 - 0.03 * t, 0.84));
    let decisions = play(vec![pit()], &film(10.0, vec![left, right]).frames());
    assert_eq!(raises(&decisions).len(), 2);
    assert_eq!(ends(&decisions), []);
}

#[test]
fn an_end_tells_when_the_person_was_last_seen() {
    let decisions = play(vec![pit()], &film(20.0, vec![worker(0.6, 0.8, 0.35).during(0.0, 8.0)]).frames());
    assert_eq!(ends(&decisions), [(1, 7.8)]);
}

#[test]
fn a_schedule_that_ends_ends_its_alarms() {
    let mut task = pit();
    // Armed for the first minute of Monday only.
    task.schedule = Schedule {
        utc_offset_minutes: 0,
        spans: vec![ScheduleSpan { weekday: 0, from_minute: 0, to_minute: 1 }],
        ..Schedule::default()
    };
    let decisions = play(vec![task], &film(70.0, vec![worker(0.6, 0.8, 0.35)]).frames());
    assert_eq!(raises(&decisions).len(), 1);
    assert_eq!(ends(&decisions), [(1, 60.0)]);
}
