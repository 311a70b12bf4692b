//! Scenarios of 救生衣未穿戴 and 未系安全带.

use crate::{scene::*, site::*};
use protocol::{Algorithm, LineKind, LineSpec, Overlap, ParamsSpec, Point, Schedule, Task, ZoneKind};

const QUAY: [f32; 4] = [0.3, 0.5, 0.9, 0.95];
const SOON: std::ops::Range<f32> = 3.0..5.0;

fn quay_with(algorithm: Algorithm, params: ParamsSpec) -> Task {
    task(algorithm, params, vec![zone("临水区", ZoneKind::Include, QUAY)], Schedule::default())
}

fn quay() -> Task {
    quay_with(Algorithm::NoLifeJacket, ParamsSpec::default())
}

fn here(_: f32) -> (f32, f32) {
    (0.6, 0.8)
}

fn person() -> Actor {
    worker(0.6, 0.8, 0.35)
}

fn jacket(class: &'static str) -> Thing {
    gear(class, 0.35, here)
}

/// Away from the water until 6 s.
fn arrives(t: f32) -> (f32, f32) {
    if t < 6.0 { (0.1, 0.8) } else { (0.6, 0.8) }
}

#[test]
fn no_life_jacket() {
    let every = |n: u32, of: u32| move |t: f32| (t * 5.0).round() as u32 % of < n;
    for (name, site, task, raises_ends, first) in [
        ("without", site(film(12.0, vec![person()]), vec![jacket("no_life_jacket")]), quay(), (1, 0), SOON),
        ("with", site(film(20.0, vec![person()]), vec![jacket("life_jacket")]), quay(), (0, 0), NEVER),
        ("nobody looked", site(film(20.0, vec![person()]), vec![]), quay(), (0, 0), NEVER),
        (
            "no water-edge zone drawn",
            site(film(20.0, vec![person()]), vec![jacket("no_life_jacket")]),
            plain(Algorithm::NoLifeJacket),
            (0, 0),
            NEVER,
        ),
        (
            "away from the water",
            site(film(20.0, vec![worker(0.1, 0.8, 0.35)]), vec![gear("no_life_jacket", 0.35, |_| (0.1, 0.8))]),
            quay(),
            (0, 0),
            NEVER,
        ),
        (
            "comes to the water",
            site(film(16.0, vec![worker(0.0, 0.0, 0.35).walks(arrives)]), vec![gear("no_life_jacket", 0.35, arrives)]),
            quay(),
            (1, 0),
            9.0..11.5,
        ),
        (
            "puts it on",
            site(
                film(25.0, vec![person()]),
                vec![jacket("no_life_jacket").seen(|t| t < 10.0), jacket("life_jacket").seen(|t| t >= 10.0)],
            ),
            quay(),
            (1, 1),
            SOON,
        ),
        (
            "one look of six is wrong about a jacket",
            site(
                film(30.0, vec![person()]),
                vec![jacket("no_life_jacket").seen(every(1, 6)), jacket("life_jacket").seen(move |t| !every(1, 6)(t))],
            ),
            quay(),
            (0, 0),
            NEVER,
        ),
        (
            "one look of six misses a missing one",
            site(
                film(30.0, vec![person()]),
                vec![jacket("life_jacket").seen(every(1, 6)), jacket("no_life_jacket").seen(move |t| !every(1, 6)(t))],
            ),
            quay(),
            (1, 0),
            3.0..8.0,
        ),
        (
            "both classes at once, nearly alike",
            site(
                film(20.0, vec![person()]),
                vec![jacket("no_life_jacket").score(0.6), jacket("life_jacket").score(0.55)],
            ),
            quay(),
            (0, 0),
            NEVER,
        ),
        (
            "a second look only once a second",
            site(film(20.0, vec![person()]), vec![jacket("no_life_jacket").seen(every(1, 5))]),
            quay(),
            (1, 0),
            3.0..7.0,
        ),
        (
            "smaller than 80 px",
            site(film(20.0, vec![worker(0.6, 0.8, 0.1)]), vec![gear("no_life_jacket", 0.1, here)]),
            quay(),
            (0, 0),
            NEVER,
        ),
        (
            "below the score",
            site(film(20.0, vec![person()]), vec![jacket("no_life_jacket").score(0.35)]),
            quay(),
            (0, 0),
            NEVER,
        ),
        (
            "gone before the dwell",
            site(
                film(20.0, vec![person().during(2.0, 4.5)]),
                vec![jacket("no_life_jacket").seen(|t| (2.0..4.5).contains(&t))],
            ),
            quay(),
            (0, 0),
            NEVER,
        ),
        (
            "leaves",
            site(film(20.0, vec![person().during(0.0, 10.0)]), vec![jacket("no_life_jacket").seen(|t| t < 10.0)]),
            quay(),
            (1, 1),
            SOON,
        ),
        (
            "feet behind the rail, a share of the body counts",
            site(film(12.0, vec![worker(0.6, 0.99, 0.45)]), vec![gear("no_life_jacket", 0.45, |_| (0.6, 0.99))]),
            quay_with(
                Algorithm::NoLifeJacket,
                ParamsSpec { overlap: Some(Overlap::TargetShare), min_overlap: Some(0.5), ..Default::default() },
            ),
            (1, 0),
            SOON,
        ),
        (
            "of two the one without",
            site(
                film(12.0, vec![person(), worker(0.75, 0.8, 0.35)]),
                vec![jacket("no_life_jacket"), gear("life_jacket", 0.35, |_| (0.75, 0.8))],
            ),
            quay(),
            (1, 0),
            SOON,
        ),
        (
            "at 2 fps",
            site(film(14.0, vec![person()]).fps(2.0), vec![jacket("no_life_jacket")]),
            quay(),
            (1, 0),
            3.0..6.0,
        ),
        (
            "one detection in four missed",
            site(film(25.0, vec![person()]).noisy(6, 0.25, 0.02), vec![jacket("no_life_jacket")]),
            quay(),
            (1, 0),
            3.0..9.0,
        ),
    ] {
        expect(name, &site, &task, raises_ends, first);
    }
}

/// A scaffold: whoever has the feet above its lowest board is at height.
fn scaffold() -> Task {
    let mut task = plain(Algorithm::NoHarness);
    let points = vec![Point::new(0.3, 0.6), Point::new(0.9, 0.5)];
    task.lines = vec![LineSpec { name: "二层".into(), kind: LineKind::Height, points }];
    task
}

fn up(_: f32) -> (f32, f32) {
    (0.6, 0.5)
}

fn climbs(t: f32) -> (f32, f32) {
    (0.6, (0.85 - 0.04 * t).max(0.5))
}

#[test]
fn no_harness() {
    let at_height = || quay_with(Algorithm::NoHarness, ParamsSpec::default());
    let climber = || worker(0.6, 0.5, 0.3);
    for (name, site, task, raises_ends, first) in [
        (
            "in the zone, without",
            site(film(12.0, vec![person()]), vec![jacket("no_harness")]),
            at_height(),
            (1, 0),
            SOON,
        ),
        ("in the zone, with", site(film(20.0, vec![person()]), vec![jacket("harness")]), at_height(), (0, 0), NEVER),
        (
            "no place drawn",
            site(film(20.0, vec![person()]), vec![jacket("no_harness")]),
            plain(Algorithm::NoHarness),
            (0, 0),
            NEVER,
        ),
        (
            "a model without the classes",
            site(film(20.0, vec![person()]), vec![jacket("no_life_jacket")]),
            at_height(),
            (0, 0),
            NEVER,
        ),
        (
            "above the line",
            site(film(12.0, vec![climber()]), vec![gear("no_harness", 0.3, up)]),
            scaffold(),
            (1, 0),
            SOON,
        ),
        (
            "above the line, with",
            site(film(20.0, vec![climber()]), vec![gear("harness", 0.3, up)]),
            scaffold(),
            (0, 0),
            NEVER,
        ),
        (
            "below the line",
            site(film(20.0, vec![worker(0.6, 0.6, 0.3)]), vec![gear("no_harness", 0.3, |_| (0.6, 0.6))]),
            scaffold(),
            (0, 0),
            NEVER,
        ),
        (
            "beside the ends of the line",
            site(film(20.0, vec![worker(0.2, 0.4, 0.3)]), vec![gear("no_harness", 0.3, |_| (0.2, 0.4))]),
            scaffold(),
            (0, 0),
            NEVER,
        ),
        (
            "climbs up",
            site(film(20.0, vec![worker(0.0, 0.0, 0.3).walks(climbs)]), vec![gear("no_harness", 0.3, climbs)]),
            scaffold(),
            (1, 0),
            // The line is at 0.55 there, reached after 7.5 s.
            10.5..13.0,
        ),
        (
            "comes down",
            site(
                film(25.0, vec![worker(0.0, 0.0, 0.3).walks(|t| if t < 10.0 { (0.6, 0.5) } else { (0.6, 0.7) })]),
                vec![gear("no_harness", 0.3, |t| if t < 10.0 { (0.6, 0.5) } else { (0.6, 0.7) })],
            ),
            scaffold(),
            (1, 1),
            SOON,
        ),
        (
            "straps of a detector's own box",
            site(film(12.0, vec![person()]), vec![thing("no_harness", (0.6, 0.66), (0.05, 0.15))]),
            at_height(),
            (1, 0),
            SOON,
        ),
        (
            "a harness that hangs on a hook",
            site(film(20.0, vec![person()]), vec![thing("no_harness", (0.75, 0.7), (0.05, 0.15))]),
            at_height(),
            (0, 0),
            NEVER,
        ),
        (
            "hooks on later",
            site(
                film(25.0, vec![person()]),
                vec![jacket("no_harness").seen(|t| t < 9.0), jacket("harness").seen(|t| t >= 9.0)],
            ),
            at_height(),
            (1, 1),
            SOON,
        ),
        (
            "one detection in four missed",
            site(film(25.0, vec![climber()]).noisy(8, 0.25, 0.02), vec![gear("no_harness", 0.3, up)]),
            scaffold(),
            (1, 0),
            3.0..9.0,
        ),
    ] {
        expect(name, &site, &task, raises_ends, first);
    }
}

#[test]
fn an_alarm_names_the_line() {
    let site = site(film(8.0, vec![worker(0.6, 0.5, 0.3)]), vec![gear("no_harness", 0.3, up)]);
    let decisions = play_site(vec![scaffold()], &site.frames());
    let raise = raises(&decisions)[0];
    assert_eq!(raise.zone.as_deref(), Some("二层"));
    let size = &raise.why.measures[0];
    assert_eq!((size.name.as_str(), size.limit), ("person_px", Some(80.0)));
    assert!((size.value - 216.0).abs() < 2.0, "{size:?}");
}
