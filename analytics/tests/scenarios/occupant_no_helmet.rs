//! Scenarios of 驾乘人员未戴安全帽.

use crate::{scene::*, site::*};
use protocol::{Algorithm, ParamsSpec, Schedule, Task, ZoneKind};

fn usual() -> Task {
    plain(Algorithm::OccupantNoHelmet)
}

fn with(params: ParamsSpec) -> Task {
    task(Algorithm::OccupantNoHelmet, params, vec![], Schedule::default())
}

fn in_zone(rect: [f32; 4]) -> Task {
    let zones = vec![zone("装卸区", ZoneKind::Include, rect)];
    task(Algorithm::OccupantNoHelmet, ParamsSpec::default(), zones, Schedule::default())
}

/// From 0.4 to 0.8 of the width, standing on 0.8.
fn truck() -> Thing {
    thing("truck", (0.6, 0.8), (0.4, 0.4))
}

fn at_the_truck() -> Actor {
    worker(0.45, 0.84, 0.35)
}

const SOON: std::ops::Range<f32> = 3.0..4.6;

#[test]
fn scenarios() {
    let past = |t: f32| (0.05 + 0.12 * t, 0.84);
    let riding = |t: f32| (0.3 + 0.05 * t, 0.75);
    // 1.5 statures from the truck, then beside it for a while.
    let visits =
        |from: f32, until: f32| move |t: f32| if (from..until).contains(&t) { (0.42, 0.82) } else { (0.1, 0.82) };
    let bare = || vec![at_the_truck()];
    for (name, site, task, raises_ends, first) in [
        ("lingers bare-headed", site(film(10.0, bare()), vec![truck()]), usual(), (1, 0), SOON),
        (
            "lingers with a helmet",
            site(film(20.0, vec![at_the_truck().helmet()]), vec![truck()]),
            usual(),
            (0, 0),
            NEVER,
        ),
        ("no vehicle", site(film(20.0, bare()), vec![]), usual(), (0, 0), NEVER),
        (
            "walks past the truck",
            site(film(8.0, vec![worker(0.0, 0.0, 0.35).walks(past)]), vec![truck()]),
            usual(),
            (0, 0),
            NEVER,
        ),
        ("out of reach", site(film(20.0, vec![worker(0.1, 0.82, 0.35)]), vec![truck()]), usual(), (0, 0), NEVER),
        (
            "a longer reach",
            site(film(10.0, vec![worker(0.1, 0.82, 0.35)]), vec![truck()]),
            with(ParamsSpec { reach: Some(2.0), ..Default::default() }),
            (1, 0),
            SOON,
        ),
        (
            "drives along in an open cab",
            site(
                film(8.0, vec![worker(0.0, 0.0, 0.3).walks(riding)]),
                vec![thing("excavator", (0.0, 0.0), (0.3, 0.4)).walks(|t| (0.35 + 0.05 * t, 0.85))],
            ),
            usual(),
            (1, 0),
            SOON,
        ),
        (
            "stays shorter than the dwell",
            site(film(20.0, vec![worker(0.0, 0.0, 0.35).walks(visits(5.0, 7.2))]), vec![truck()]),
            usual(),
            (0, 0),
            NEVER,
        ),
        (
            "comes and stays",
            site(film(16.0, vec![worker(0.0, 0.0, 0.35).walks(visits(5.0, 16.0))]), vec![truck()]),
            usual(),
            (1, 0),
            8.0..10.0,
        ),
        (
            "leaves the vehicle",
            site(film(22.0, vec![worker(0.0, 0.0, 0.35).walks(visits(0.0, 10.0))]), vec![truck()]),
            usual(),
            (1, 1),
            SOON,
        ),
        ("the vehicle leaves", site(film(20.0, bare()), vec![truck().seen(|t| t < 9.0)]), usual(), (1, 1), SOON),
        (
            "puts the helmet on",
            site(
                film(20.0, vec![at_the_truck().hat(|t| if t < 8.0 { Hat::Bare } else { Hat::Helmet })]),
                vec![truck()],
            ),
            usual(),
            (1, 1),
            SOON,
        ),
        (
            "takes the helmet off at the wheel",
            site(
                film(20.0, vec![at_the_truck().hat(|t| if t < 8.0 { Hat::Helmet } else { Hat::Bare })]),
                vec![truck()],
            ),
            usual(),
            (1, 0),
            11.0..13.5,
        ),
        (
            "one of two is bare",
            site(film(10.0, vec![at_the_truck(), worker(0.7, 0.84, 0.35).helmet()]), vec![truck()]),
            usual(),
            (1, 0),
            SOON,
        ),
        ("what may be a vehicle", site(film(20.0, bare()), vec![truck().score(0.3)]), usual(), (0, 0), NEVER),
        ("at 2 fps", site(film(12.0, bare()).fps(2.0), vec![truck()]), usual(), (1, 0), 3.0..5.5),
        ("at 25 fps", site(film(8.0, bare()).fps(25.0), vec![truck()]), usual(), (1, 0), SOON),
        (
            "only a head in the cab",
            site(film(10.0, vec![worker(0.5, 0.85, 0.3).head_only()]), vec![truck()]),
            usual(),
            (1, 0),
            SOON,
        ),
        ("another zone", site(film(20.0, bare()), vec![truck()]), in_zone([0.6, 0.5, 0.9, 0.9]), (0, 0), NEVER),
        ("the right zone", site(film(10.0, bare()), vec![truck()]), in_zone([0.3, 0.5, 0.6, 0.9]), (1, 0), SOON),
        (
            "one detection in four missed",
            site(film(25.0, bare()).noisy(4, 0.25, 0.02), vec![truck()]),
            usual(),
            (1, 0),
            3.0..7.0,
        ),
        ("one event within the cool-down", site(film(60.0, bare()), vec![truck()]), usual(), (1, 0), SOON),
    ] {
        expect(name, &site, &task, raises_ends, first);
    }
}

#[test]
fn an_alarm_says_which_vehicle_and_how_long() {
    let site = site(film(8.0, vec![worker(0.3, 0.82, 0.35)]), vec![truck()]);
    let decisions = play_site(vec![usual()], &site.frames());
    let raise = raises(&decisions)[0];
    let of = |name: &str| raise.why.measures.iter().find(|m| m.name == name).unwrap();
    let vehicle = of("vehicle_distance");
    assert_eq!((vehicle.label.as_deref(), vehicle.limit), (Some("truck"), Some(1.0)));
    assert!((0.4..0.65).contains(&vehicle.value), "{vehicle:?}");
    assert!(of("lingered_secs").value >= 3.0);
    assert!((20.0..50.0).contains(&of("head_px").value));
    assert_eq!(raise.boxes.iter().filter(|b| b.subject).count(), 2, "the person and the head");
}
