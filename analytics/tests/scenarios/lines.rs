//! Scenarios of lines 绊线 in 人员非法进出.

use crate::{scene::*, site::*};
use protocol::{Algorithm, LineKind, LineSpec, ParamsSpec, Point, Schedule, Task, ZoneKind};

/// Drawn downwards at half the width: its right, seen along, is the left half of the picture.
fn fence(kind: LineKind) -> Task {
    let mut task = plain(Algorithm::Intrusion);
    let points = vec![Point::new(0.5, 0.3), Point::new(0.5, 0.95)];
    task.lines = vec![LineSpec { name: "围栏".into(), kind, points }];
    task
}

fn either() -> Task {
    fence(LineKind::Crossing)
}

fn fence_and_pit() -> Task {
    let pit = vec![zone("基坑", ZoneKind::Include, [0.7, 0.5, 0.95, 0.98])];
    Task { lines: either().lines, ..task(Algorithm::Intrusion, ParamsSpec::default(), pit, Schedule::default()) }
}

fn walker(walk: impl Fn(f32) -> (f32, f32) + 'static) -> Actor {
    worker(0.0, 0.0, 0.35).walks(walk)
}

/// Crosses to the left after 4 s.
fn to_the_left(t: f32) -> (f32, f32) {
    ((0.7 - 0.05 * t).max(0.25), 0.8)
}

fn to_the_right(t: f32) -> (f32, f32) {
    ((0.3 + 0.05 * t).min(0.75), 0.8)
}

/// Crosses after 4 s, turns, is back after about 12 s.
fn there_and_back(t: f32) -> (f32, f32) {
    (if t < 8.0 { 0.7 - 0.05 * t } else { 0.3 + 0.05 * (t - 8.0) }, 0.8)
}

#[test]
fn scenarios() {
    let after_crossing = 5.0..7.0;
    for (name, actors, task, raises_ends, first) in [
        ("crosses either way, to the left", vec![walker(to_the_left)], either(), (1, 0), after_crossing.clone()),
        ("crosses either way, to the right", vec![walker(to_the_right)], either(), (1, 0), after_crossing.clone()),
        (
            "the forbidden way",
            vec![walker(to_the_left)],
            fence(LineKind::CrossingRightward),
            (1, 0),
            after_crossing.clone(),
        ),
        ("the allowed way", vec![walker(to_the_left)], fence(LineKind::CrossingLeftward), (0, 0), NEVER),
        (
            "the forbidden way, to the right",
            vec![walker(to_the_right)],
            fence(LineKind::CrossingLeftward),
            (1, 0),
            after_crossing.clone(),
        ),
        ("a height line is not crossed", vec![walker(to_the_left)], fence(LineKind::Height), (1, 0), 1.0..2.5),
        ("there and back", vec![walker(there_and_back)], either(), (1, 1), after_crossing.clone()),
        (
            "there and back, only the way back counts",
            vec![walker(there_and_back)],
            fence(LineKind::CrossingLeftward),
            (1, 0),
            13.0..15.0,
        ),
        ("stays on one side", vec![worker(0.3, 0.8, 0.35), worker(0.7, 0.8, 0.35)], either(), (0, 0), NEVER),
        ("walks along it", vec![walker(|t| (0.47, 0.5 + 0.02 * t))], either(), (0, 0), NEVER),
        ("stands on it", vec![worker(0.5, 0.8, 0.35)], either(), (0, 0), NEVER),
        (
            "one step over it and back",
            vec![walker(|t| if (5.0..5.7).contains(&t) { (0.45, 0.8) } else { (0.55, 0.8) })],
            either(),
            (0, 0),
            NEVER,
        ),
        (
            "round its end",
            vec![walker(|t| if t < 6.0 { (0.6, 0.7 + 0.05 * t) } else { (0.6 - 0.04 * (t - 6.0), 1.0) })],
            either(),
            (0, 0),
            NEVER,
        ),
        (
            "two people cross",
            vec![walker(to_the_left), walker(|t| (to_the_right(t).0, 0.6))],
            either(),
            (2, 0),
            after_crossing.clone(),
        ),
        ("across, and in a zone as well", vec![walker(to_the_right)], fence_and_pit(), (1, 0), after_crossing.clone()),
        ("in the zone, without crossing", vec![worker(0.8, 0.8, 0.35)], fence_and_pit(), (1, 0), 1.0..2.5),
        ("neither", vec![worker(0.6, 0.8, 0.35)], fence_and_pit(), (0, 0), NEVER),
    ] {
        expect(name, &site(film(20.0, actors), vec![]), &task, raises_ends, first);
    }
    let slow = site(film(20.0, vec![walker(to_the_left)]).fps(2.0), vec![]);
    expect("at 2 fps", &slow, &either(), (1, 0), 5.0..8.0);
    let noisy = site(film(20.0, vec![walker(to_the_left)]).noisy(2, 0.2, 0.02), vec![]);
    expect("one detection in five missed", &noisy, &either(), (1, 0), 5.0..9.0);
    let trembling = site(film(120.0, vec![worker(0.5, 0.8, 0.35)]).noisy(5, 0.2, 0.02), vec![]);
    expect("two minutes on the line", &trembling, &either(), (0, 0), NEVER);
}

#[test]
fn an_alarm_says_which_line_and_which_way() {
    for (walk, way) in [(to_the_left as fn(f32) -> (f32, f32), 1.0), (to_the_right, -1.0)] {
        let decisions = play(vec![either()], &film(9.0, vec![walker(walk)]).frames());
        let raise = raises(&decisions)[0];
        assert_eq!(raise.zone.as_deref(), Some("围栏"));
        let crossed = &raise.why.measures[0];
        assert_eq!((crossed.name.as_str(), crossed.value, crossed.label.as_deref()), ("crossed", way, Some("围栏")));
    }
}
