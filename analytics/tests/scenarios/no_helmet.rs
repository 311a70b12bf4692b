//! Scenarios of 未戴安全帽.

use crate::scene::*;
use protocol::{Algorithm, ParamsSpec, Schedule, ScheduleSpan, Task, ZoneKind};

fn usual() -> Task {
    plain(Algorithm::NoHelmet)
}

fn with(params: ParamsSpec) -> Task {
    task(Algorithm::NoHelmet, params, vec![], Schedule::default())
}

fn in_zone(kind: ZoneKind, rect: [f32; 4]) -> Task {
    task(Algorithm::NoHelmet, ParamsSpec::default(), vec![zone("基坑", kind, rect)], Schedule::default())
}

fn bare_between(from: f32, until: f32) -> impl Fn(f32) -> Hat {
    move |t| if (from..until).contains(&t) { Hat::Bare } else { Hat::Helmet }
}

const NEVER: std::ops::Range<f32> = 0.0..0.0;
const SOON: std::ops::Range<f32> = 2.0..3.5;

fn case(name: &'static str, film: Film, task: Task, raises: usize, ends: usize, first: std::ops::Range<f32>) -> Case {
    Case { name, film, task, raises, ends, first }
}

#[test]
fn scenarios() {
    let walk = |t: f32| (0.1 + 0.06 * t, 0.8);
    for case in [
        case("a bare head", film(10.0, vec![worker(0.5, 0.8, 0.4)]), usual(), 1, 0, SOON),
        case("a helmet", film(20.0, vec![worker(0.5, 0.8, 0.4).helmet()]), usual(), 0, 0, NEVER),
        case("a bare head at 2 fps", film(10.0, vec![worker(0.5, 0.8, 0.4)]).fps(2.0), usual(), 1, 0, SOON),
        case("a bare head at 25 fps", film(10.0, vec![worker(0.5, 0.8, 0.4)]).fps(25.0), usual(), 1, 0, SOON),
        case("walking", film(10.0, vec![worker(0.0, 0.0, 0.4).walks(walk)]), usual(), 1, 0, SOON),
        case("walking at 2 fps", film(10.0, vec![worker(0.0, 0.0, 0.4).walks(walk)]).fps(2.0), usual(), 1, 0, SOON),
        case("gone before the dwell", film(10.0, vec![worker(0.5, 0.8, 0.4).during(1.0, 2.5)]), usual(), 0, 0, NEVER),
        case(
            "one of five looks is wrong about a helmet",
            film(
                20.0,
                vec![
                    worker(0.5, 0.8, 0.4)
                        .hat(|t| if ((t * 5.0) as u32).is_multiple_of(5) { Hat::Bare } else { Hat::Helmet }),
                ],
            ),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "one of five looks misses a bare head",
            film(
                20.0,
                vec![
                    worker(0.5, 0.8, 0.4)
                        .hat(|t| if ((t * 5.0) as u32).is_multiple_of(5) { Hat::Helmet } else { Hat::Bare }),
                ],
            ),
            usual(),
            1,
            0,
            2.0..6.0,
        ),
        case(
            "the helmet comes off, and on again",
            film(20.0, vec![worker(0.5, 0.8, 0.4).hat(bare_between(5.0, 12.0))]),
            usual(),
            1,
            1,
            7.0..9.5,
        ),
        case(
            "off, on, off again within the cool-down",
            film(
                30.0,
                vec![worker(0.5, 0.8, 0.4).hat(|t| if (10.0..15.0).contains(&t) { Hat::Helmet } else { Hat::Bare })],
            ),
            usual(),
            1,
            1,
            SOON,
        ),
        case(
            "off, on, off again after the cool-down",
            film(
                40.0,
                vec![worker(0.5, 0.8, 0.4).hat(|t| if (10.0..25.0).contains(&t) { Hat::Helmet } else { Hat::Bare })],
            ),
            with(ParamsSpec { cool_down_secs: Some(15.0), ..Default::default() }),
            2,
            1,
            SOON,
        ),
        case("leaves", film(15.0, vec![worker(0.5, 0.8, 0.4).during(0.0, 8.0)]), usual(), 1, 1, SOON),
        case(
            "three workers, one of them bare",
            film(10.0, vec![worker(0.3, 0.8, 0.4).helmet(), worker(0.5, 0.8, 0.4), worker(0.7, 0.8, 0.4).helmet()]),
            usual(),
            1,
            0,
            SOON,
        ),
        case(
            "two bare heads are two alarms",
            film(10.0, vec![worker(0.3, 0.8, 0.4), worker(0.7, 0.8, 0.4)]),
            usual(),
            2,
            0,
            SOON,
        ),
        case("only the head is seen", film(10.0, vec![worker(0.5, 0.8, 0.4).head_only()]), usual(), 1, 0, SOON),
        case(
            "head first, the person later",
            film(20.0, vec![worker(0.5, 0.8, 0.4).body(|t| t > 6.0)]),
            usual(),
            1,
            0,
            SOON,
        ),
        case(
            "the person's box comes and goes",
            film(20.0, vec![worker(0.5, 0.8, 0.4).body(|t| ((t / 3.0) as u32).is_multiple_of(2))]),
            usual(),
            1,
            0,
            SOON,
        ),
        case(
            "the head is seen in half of the time",
            film(20.0, vec![worker(0.5, 0.8, 0.4).head(|t| ((t / 1.5) as u32).is_multiple_of(2))]),
            usual(),
            1,
            0,
            2.0..6.5,
        ),
        case("the head is never seen", film(20.0, vec![worker(0.5, 0.8, 0.4).head(|_| false)]), usual(), 0, 0, NEVER),
        case(
            "a helmet in the hand of a bare head is no helmet",
            film(10.0, vec![worker(0.5, 0.8, 0.4), worker(0.5, 0.8, 0.4).helmet().body(|_| false).head_lower(0.5)]),
            usual(),
            1,
            0,
            SOON,
        ),
        case(
            "a bare head low in somebody's box says nothing",
            film(10.0, vec![worker(0.5, 0.8, 0.4).helmet(), worker(0.5, 0.8, 0.4).body(|_| false).head_lower(0.5)]),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "both classes at one place, nearly equal",
            film(20.0, vec![worker(0.5, 0.8, 0.4).hat(|_| Hat::Unsure(0.62, 0.6))]),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "both classes at one place, the head far ahead",
            film(10.0, vec![worker(0.5, 0.8, 0.4).hat(|_| Hat::Unsure(0.8, 0.2))]),
            usual(),
            1,
            0,
            SOON,
        ),
        case("unsure detections", film(20.0, vec![worker(0.5, 0.8, 0.4).score(0.3)]), usual(), 0, 0, NEVER),
        case("too small", film(20.0, vec![worker(0.5, 0.8, 0.05)]), usual(), 0, 0, NEVER),
        case(
            "small, and small is allowed",
            film(20.0, vec![worker(0.5, 0.8, 0.05)]),
            with(ParamsSpec { min_target_px: Some(20), ..Default::default() }),
            1,
            0,
            2.0..5.0,
        ),
        case(
            "outside the zone",
            film(10.0, vec![worker(0.2, 0.8, 0.4)]),
            in_zone(ZoneKind::Include, [0.5, 0.5, 0.9, 0.9]),
            0,
            0,
            NEVER,
        ),
        case(
            "inside the zone",
            film(10.0, vec![worker(0.7, 0.8, 0.4)]),
            in_zone(ZoneKind::Include, [0.5, 0.5, 0.9, 0.9]),
            1,
            0,
            SOON,
        ),
        case(
            "in an exclude zone",
            film(10.0, vec![worker(0.7, 0.8, 0.4)]),
            in_zone(ZoneKind::Exclude, [0.5, 0.5, 0.9, 0.9]),
            0,
            0,
            NEVER,
        ),
        case(
            "a head alone stands where its feet would be",
            film(10.0, vec![worker(0.7, 0.8, 0.4).head_only()]),
            in_zone(ZoneKind::Include, [0.5, 0.7, 0.9, 0.9]),
            1,
            0,
            SOON,
        ),
        case(
            "noise and one miss in four",
            film(20.0, vec![worker(0.5, 0.8, 0.4)]).noisy(7, 0.25, 0.05),
            usual(),
            1,
            0,
            2.0..5.0,
        ),
        case(
            "compliant under noise",
            film(60.0, vec![worker(0.3, 0.8, 0.4).helmet(), worker(0.6, 0.7, 0.3).helmet()]).noisy(8, 0.3, 0.06),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "hidden for a moment, found under another number",
            film(20.0, vec![worker(0.5, 0.8, 0.4).during(0.0, 6.0), worker(0.53, 0.81, 0.4).during(7.5, 20.0)]),
            usual(),
            1,
            0,
            SOON,
        ),
        case(
            "a poster that the detector loses for long",
            film(60.0, vec![worker(0.5, 0.8, 0.4).body(|t| t % 20.0 < 10.0).head(|t| t % 20.0 < 10.0)]),
            usual(),
            1,
            1,
            SOON,
        ),
        case(
            "another worker walks to the same place later",
            film(
                40.0,
                vec![
                    worker(0.5, 0.8, 0.4).during(0.0, 10.0),
                    worker(0.5, 0.8, 0.4).during(16.0, 40.0).walks(|t| ((0.1 + 0.1 * (t - 16.0)).min(0.5), 0.8)),
                ],
            ),
            usual(),
            2,
            1,
            SOON,
        ),
        case(
            "the task's cool-down delays the second worker",
            film(20.0, vec![worker(0.3, 0.8, 0.4), worker(0.7, 0.8, 0.4)]),
            with(ParamsSpec { task_cool_down_secs: Some(8.0), ..Default::default() }),
            2,
            0,
            SOON,
        ),
        case(
            "outside the schedule",
            film(10.0, vec![worker(0.5, 0.8, 0.4)]),
            task(
                Algorithm::NoHelmet,
                ParamsSpec::default(),
                vec![],
                Schedule {
                    utc_offset_minutes: 0,
                    spans: vec![ScheduleSpan { weekday: 2, from_minute: 0, to_minute: 60 }],
                    ..Schedule::default()
                },
            ),
            0,
            0,
            NEVER,
        ),
    ] {
        check(&case);
    }
}

#[test]
fn an_alarm_explains_itself() {
    let frames = film(6.0, vec![worker(0.5, 0.8, 0.4), worker(0.8, 0.8, 0.4).helmet()]).frames();
    let decisions = play(vec![in_zone(ZoneKind::Include, [0.4, 0.5, 0.9, 0.9])], &frames);
    let raise = raises(&decisions)[0];
    assert_eq!(raise.zone.as_deref(), Some("基坑"));
    assert_eq!((raise.why.votes_for, raise.why.votes_against), (5, 0));
    assert_eq!((raise.why.votes_needed, raise.why.votes_window), (3, 5));
    assert!((2.0..2.6).contains(&raise.why.lasted_secs), "{:?}", raise.why);
    assert!((0.7..0.8).contains(&raise.score));
    let subjects: Vec<&str> = raise.boxes.iter().filter(|b| b.subject).map(|b| b.class.as_str()).collect();
    assert_eq!(subjects, ["person", "head"]);
    assert_eq!(raise.boxes.len(), 4, "the other worker is context");
    assert!(raise.path.len() >= 8 && raise.path.windows(2).all(|p| p[0].at < p[1].at));
}

#[test]
fn overlays_mark_the_worker() {
    let frames = film(6.0, vec![worker(0.3, 0.8, 0.4), worker(0.8, 0.8, 0.4).helmet()]).frames();
    let mut analyzer = analytics::CameraAnalyzer::new(classes());
    analyzer.set_tasks(vec![usual()]);
    step_all(&mut analyzer, &frames, &mut Vec::new());
    let mut marks: Vec<(&str, bool)> = analyzer.tracks().map(|t| (t.class, t.alarm)).collect();
    marks.sort_unstable();
    assert_eq!(marks, [("head", true), ("helmet", false), ("person", false), ("person", true)]);
}
