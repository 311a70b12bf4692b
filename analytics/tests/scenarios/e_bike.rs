//! Scenarios of 驾驶电瓶车进入作业区.

use crate::{scene::*, site::*};
use protocol::{Algorithm, ParamsSpec, Schedule, Task, ZoneKind};

fn usual() -> Task {
    plain(Algorithm::EBike)
}

fn in_zone(rect: [f32; 4]) -> Task {
    let zones = vec![zone("作业区", ZoneKind::Include, rect)];
    task(Algorithm::EBike, ParamsSpec::default(), zones, Schedule::default())
}

type Path = fn(f32) -> (f32, f32);

fn bike(path: Path) -> Thing {
    thing("motorcycle", (0.0, 0.0), (0.12, 0.15)).walks(path)
}

/// Sits on the bike that goes this way.
fn rider(path: Path) -> Actor {
    worker(0.0, 0.0, 0.26).walks(move |t| (path(t).0, path(t).1 - 0.02))
}

fn beside(path: Path, dx: f32, dy: f32) -> Actor {
    worker(0.0, 0.0, 0.3).walks(move |t| (path(t).0 + dx, path(t).1 + dy))
}

const SOON: std::ops::Range<f32> = 1.6..4.0;

/// A little faster than somebody runs.
fn ride(t: f32) -> (f32, f32) {
    (0.1 + 0.1 * t, 0.8)
}

fn other_way(t: f32) -> (f32, f32) {
    (0.95 - 0.1 * t, 0.6)
}

fn parked(_: f32) -> (f32, f32) {
    (0.5, 0.8)
}

fn slow(t: f32) -> (f32, f32) {
    (0.4 + 0.015 * t, 0.8)
}

fn ride_and_park(t: f32) -> (f32, f32) {
    (0.1 + 0.1 * t.min(4.5), 0.8)
}

fn walk(t: f32) -> (f32, f32) {
    (0.1 + 0.08 * t, 0.81)
}

#[test]
fn scenarios() {
    let crowd = || (0..4).map(|i| worker(0.0, 0.0, 0.3).walks(move |t| (0.1 * i as f32 + 0.1 * t, 0.79))).collect();
    for (name, site, task, raises_ends, first) in [
        ("rides through", site(film(8.0, vec![rider(ride)]), vec![bike(ride)]), usual(), (1, 0), SOON),
        ("parked", site(film(20.0, vec![]), vec![bike(parked)]), usual(), (0, 0), NEVER),
        (
            "parked, somebody stands beside it",
            site(film(20.0, vec![beside(parked, 0.03, 0.02)]), vec![bike(parked)]),
            usual(),
            (0, 0),
            NEVER,
        ),
        ("parked, people walk past", site(film(10.0, crowd()), vec![bike(parked)]), usual(), (0, 0), NEVER),
        (
            "parked, somebody walks in front of it",
            site(film(10.0, vec![rider(walk)]), vec![bike(parked)]),
            usual(),
            (0, 0),
            NEVER,
        ),
        ("sits on a parked one", site(film(20.0, vec![rider(parked)]), vec![bike(parked)]), usual(), (0, 0), NEVER),
        (
            "pushed on the near side",
            site(film(8.0, vec![beside(walk, 0.01, 0.03)]), vec![bike(walk)]),
            usual(),
            (0, 0),
            NEVER,
        ),
        (
            "somebody runs beside an empty one that is towed",
            site(film(8.0, vec![beside(ride, 0.12, 0.0)]), vec![bike(ride)]),
            usual(),
            (0, 0),
            NEVER,
        ),
        ("on a truck, without a rider", site(film(8.0, vec![]), vec![bike(ride)]), usual(), (0, 0), NEVER),
        ("hardly moves", site(film(20.0, vec![rider(slow)]), vec![bike(slow)]), usual(), (0, 0), NEVER),
        (
            "two riders are two events",
            site(film(8.0, vec![rider(ride), rider(other_way)]), vec![bike(ride), bike(other_way)]),
            usual(),
            (2, 0),
            SOON,
        ),
        (
            "rides in and parks",
            site(film(15.0, vec![rider(ride_and_park)]), vec![bike(ride_and_park)]),
            usual(),
            (1, 1),
            SOON,
        ),
        (
            "rides outside the zone",
            site(film(8.0, vec![rider(ride)]), vec![bike(ride)]),
            in_zone([0.0, 0.1, 1.0, 0.5]),
            (0, 0),
            NEVER,
        ),
        (
            "rides into the zone",
            site(film(8.0, vec![rider(ride)]), vec![bike(ride)]),
            in_zone([0.4, 0.5, 1.0, 0.95]),
            (1, 0),
            4.0..7.0,
        ),
        (
            "the rider is missed one time in three",
            site(
                film(8.5, vec![rider(ride).body(|t| !((t * 5.0).round() as u32).is_multiple_of(3))]),
                vec![bike(ride)],
            ),
            usual(),
            (1, 0),
            1.6..6.0,
        ),
        ("at 2 fps", site(film(8.0, vec![rider(ride)]).fps(2.0), vec![bike(ride)]), usual(), (1, 0), 1.6..6.0),
        ("at 25 fps", site(film(8.0, vec![rider(ride)]).fps(25.0), vec![bike(ride)]), usual(), (1, 0), SOON),
        ("below the score", site(film(8.0, vec![rider(ride)]), vec![bike(ride).score(0.3)]), usual(), (0, 0), NEVER),
        (
            "too small",
            site(film(8.0, vec![rider(ride)]), vec![bike(ride)]),
            task(
                Algorithm::EBike,
                ParamsSpec { min_target_px: Some(300), ..Default::default() },
                vec![],
                Schedule::default(),
            ),
            (0, 0),
            NEVER,
        ),
        (
            "one detection in five missed",
            site(film(8.5, vec![rider(ride)]).noisy(9, 0.2, 0.02), vec![bike(ride)]),
            usual(),
            (1, 0),
            1.6..7.5,
        ),
    ] {
        expect(name, &site, &task, raises_ends, first);
    }
}

#[test]
fn an_alarm_names_the_two_wheeler_and_its_rider() {
    let site = site(film(6.0, vec![rider(ride)]), vec![bike(ride)]);
    let decisions = play_site(vec![usual()], &site.frames());
    let raise = raises(&decisions)[0];
    let subjects: Vec<&str> = raise.boxes.iter().filter(|b| b.subject).map(|b| b.class.as_str()).collect();
    assert!(subjects.contains(&"motorcycle") && subjects.contains(&"person"), "{subjects:?}");
    let speed = &raise.why.measures[0];
    assert_eq!((speed.name.as_str(), speed.label.as_deref()), ("lengths_per_second", Some("motorcycle")));
    // 0.1 of the width a second, by a bike of 0.12 of the width.
    assert!((0.7..1.0).contains(&speed.value), "{speed:?}");
}
