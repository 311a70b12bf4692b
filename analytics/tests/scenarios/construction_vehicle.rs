//! Scenarios of 工程车辆识别, and of the counts that come with it.

use crate::{scene::*, things::*};
use analytics::{CameraAnalyzer, CountRow};
use protocol::{Algorithm, LineKind, LineSpec, ParamsSpec, Task, ZoneKind, ZoneSpec};

fn watch(zones: Vec<ZoneSpec>, lines: Vec<LineSpec>) -> Task {
    drawn(Algorithm::ConstructionVehicle, ParamsSpec::default(), zones, lines)
}

/// Drawn from left to right across the way: downwards is to its right.
fn gate(kind: LineKind) -> Task {
    watch(vec![], vec![line("大门", kind, &[(0.1, 0.6), (0.9, 0.6)])])
}

fn vehicle(shot: &mut Shot, class: &str, x: f32, foot: f32, noise: &mut Noise) {
    let shake = |v: f32, noise: &mut Noise| v + 0.006 * (noise.share() - 0.5);
    shot.put(class, about(0.75, 0.1, noise), [shake(x, noise), shake(foot, noise), 0.25, 0.22]);
}

/// Drives down the picture at `speed` per second from `from`, seen until it is out.
fn down(class: &'static str, from: f32, speed: f32) -> Vec<Shot> {
    shots(30.0, 2.0, |t, noise, shot| {
        let foot = from + speed * t;
        if (0.25..1.1).contains(&foot) {
            vehicle(shot, class, 0.5, foot, noise);
        }
    })
}

fn counted(task: &Task, film: &[Shot]) -> Vec<(String, u32, u32)> {
    let mut analyzer = CameraAnalyzer::new(things());
    analyzer.set_tasks(vec![task.clone()]);
    show_to(&mut analyzer, film);
    // Long after: who vanished is gone.
    let mut out = Vec::new();
    analyzer.idle(START + std::time::Duration::from_secs_f32(film.last().map_or(0.0, |shot| shot.t) + 60.0), &mut out);
    let rows = analyzer.counts_so_far().into_iter().flat_map(|hour| hour.rows);
    let passed = rows.filter(|r: &CountRow| r.entered + r.left > 0);
    passed.map(|r| (r.kind, r.entered, r.left)).collect()
}

#[test]
fn lines() {
    let (any, inwards) = (gate(LineKind::Crossing), gate(LineKind::CrossingRightward));
    let outwards = gate(LineKind::CrossingLeftward);
    let (drives_in, drives_out) = (down("dump_truck", 0.3, 0.05), down("dump_truck", 1.0, -0.05));
    let row = |kind: &str, entered, left| vec![(kind.to_owned(), entered, left)];
    let soon = 6.0..12.0;
    let raised = expect("drives in", &inwards, &drives_in, (1, 1), soon.clone());
    assert_eq!(measured(raises(&raised)[0], "vehicle_class").map(|m| m.1), Some(Some("dump_truck")));
    assert_eq!(measured(raises(&raised)[0], "crossed"), Some((1.0, Some("大门"))));
    assert_eq!(counted(&inwards, &drives_in), row("dump_truck", 1, 0));
    expect("drives out", &inwards, &drives_out, (0, 0), NEVER);
    assert_eq!(counted(&inwards, &drives_out), row("dump_truck", 0, 1));
    expect("out, where leftward counts", &outwards, &drives_out, (1, 1), 7.0..13.0);
    assert_eq!(counted(&outwards, &drives_out), row("dump_truck", 1, 0));
    expect("out, over a plain line", &any, &drives_out, (1, 1), 7.0..13.0);
    assert_eq!(counted(&any, &drives_out), row("dump_truck", 0, 1));

    let car = down("car", 0.3, 0.05);
    expect("a car", &inwards, &car, (0, 0), NEVER);
    assert_eq!(counted(&inwards, &car), row("car", 1, 0));
    let waits = shots(120.0, 2.0, |t, noise, shot| {
        let foot = 0.3 + 0.05 * t.min(6.0) + 0.01 * (t * 0.7).sin();
        vehicle(shot, "truck", 0.5, foot, noise);
    });
    expect("waits on the line", &inwards, &waits, (0, 0), NEVER);
    assert_eq!(counted(&inwards, &waits), []);
    let beside = shots(30.0, 2.0, |t, noise, shot| vehicle(shot, "truck", 0.95, 0.3 + 0.02 * t, noise));
    let narrow = watch(vec![], vec![line("大门", LineKind::Crossing, &[(0.1, 0.6), (0.6, 0.6)])]);
    expect("passes beside the line", &narrow, &beside, (0, 0), NEVER);
    let in_and_out = shots(60.0, 2.0, |t, noise, shot| {
        let foot = if t < 12.0 { 0.3 + 0.04 * t } else { 0.78 - 0.04 * (t - 12.0) };
        if foot > 0.3 {
            vehicle(shot, "mixer_truck", 0.5, foot, noise);
        }
    });
    expect("in and out again", &inwards, &in_and_out, (1, 1), 7.0..13.0);
    assert_eq!(counted(&inwards, &in_and_out), row("mixer_truck", 1, 1));
    let unsure_class = shots(30.0, 2.0, |t, noise, shot| {
        let class = if noise.share() < 0.3 { "excavator" } else { "dump_truck" };
        let foot = 0.3 + 0.04 * t;
        if foot < 1.1 {
            vehicle(shot, class, 0.5, foot, noise);
        }
    });
    let raised = expect("its class is voted", &inwards, &unsure_class, (1, 1), 7.0..13.0);
    assert_eq!(measured(raises(&raised)[0], "vehicle_class").map(|m| m.1), Some(Some("dump_truck")));
    let two = shots(40.0, 2.0, |t, noise, shot| {
        for (from, x, class) in [(0.3, 0.25, "dump_truck"), (0.05, 0.75, "mixer_truck")] {
            let foot = from + 0.04 * t;
            if (0.25..1.1).contains(&foot) {
                vehicle(shot, class, x, foot, noise);
            }
        }
    });
    expect("two lorries", &inwards, &two, (2, 2), 7.0..13.0);
    assert_eq!(counted(&inwards, &two), [row("dump_truck", 1, 0), row("mixer_truck", 1, 0)].concat());
}

#[test]
fn zones() {
    let yard = watch(vec![zone("场内", ZoneKind::Include, [0.1, 0.55, 0.9, 1.0])], vec![]);
    let whole = watch(vec![], vec![]);
    let row = |kind: &str, entered, left| vec![(kind.to_owned(), entered, left)];
    let drives_in =
        shots(60.0, 2.0, |t, noise, shot| vehicle(shot, "excavator", 0.5, (0.3 + 0.05 * t).min(0.8), noise));
    let raised = expect("drives into the zone and stays", &yard, &drives_in, (1, 0), 5.0..9.0);
    assert_eq!(raises(&raised)[0].zone.as_deref(), Some("场内"));
    assert_eq!(counted(&yard, &drives_in), row("excavator", 1, 0));
    let works = shots(300.0, 2.0, |t, noise, shot| {
        if t % 50.0 < 42.0 {
            vehicle(shot, "excavator", 0.5 + 0.15 * (t * 0.1).sin(), 0.8, noise);
        }
    });
    expect("works in the zone, lost and found", &yard, &works, (0, 0), NEVER);
    let parked = shots(300.0, 2.0, |_, noise, shot| vehicle(shot, "truck", 0.5, 0.8, noise));
    expect("is parked", &yard, &parked, (0, 0), NEVER);
    let leaves = shots(60.0, 2.0, |t, noise, shot| vehicle(shot, "truck", 0.5, (0.8 - 0.02 * t).max(0.3), noise));
    expect("leaves", &yard, &leaves, (0, 0), NEVER);
    assert_eq!(counted(&yard, &leaves), row("truck", 0, 1));
    let passes = shots(60.0, 2.0, |t, noise, shot| {
        let x = -0.1 + 0.05 * t;
        if x < 1.1 {
            vehicle(shot, "truck", x, 0.4, noise);
        }
    });
    expect("passes outside the zone", &yard, &passes, (0, 0), NEVER);
    expect("through the whole picture", &whole, &passes, (1, 1), 2.0..10.0);
    assert_eq!(counted(&whole, &passes), row("truck", 1, 1));
    let small = shots(60.0, 2.0, |t, _, shot| shot.put("truck", 0.8, [0.02 + 0.02 * t, 0.5, 0.04, 0.03]));
    expect("too small", &whole, &small, (0, 0), NEVER);
    let unsure = shots(60.0, 2.0, |t, _, shot| shot.put("truck", 0.3, [0.1 + 0.02 * t, 0.5, 0.2, 0.2]));
    expect("too unsure", &whole, &unsure, (0, 0), NEVER);
    expect("a police car is none", &whole, &down("police_car", 0.23, 0.04), (0, 0), NEVER);
}
