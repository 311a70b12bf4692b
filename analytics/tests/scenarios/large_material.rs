//! Scenarios of 携带大型物资出入工地, and of what it explains.

use crate::{scene::*, site::*};
use protocol::{Algorithm, ParamsSpec, Schedule, Task, TaskId, ZoneKind};

const GATE: [f32; 4] = [0.2, 0.5, 0.8, 0.98];

fn gate(algorithm: Algorithm) -> Task {
    task(algorithm, ParamsSpec::default(), vec![zone("大门", ZoneKind::Include, GATE)], Schedule::default())
}

fn gate_with(algorithm: Algorithm, params: ParamsSpec) -> Task {
    task(algorithm, params, vec![zone("大门", ZoneKind::Include, GATE)], Schedule::default())
}

/// Both tasks, the intrusion first: the order in which they are written does not matter.
fn both() -> Vec<Task> {
    let mut intrusion = gate(Algorithm::Intrusion);
    intrusion.id = TaskId::new(START + std::time::Duration::from_secs(1));
    vec![intrusion, gate(Algorithm::LargeMaterial)]
}

fn walk(t: f32) -> (f32, f32) {
    (0.05 + 0.06 * t, 0.85)
}

fn pusher() -> Actor {
    worker(0.0, 0.0, 0.35).walks(walk)
}

fn cart_ahead(dx: f32) -> Thing {
    thing("hand_cart", (0.0, 0.0), (0.08, 0.12)).walks(move |t| (walk(t).0 + dx, 0.85))
}

fn parked_cart(x: f32) -> Thing {
    thing("hand_cart", (x, 0.85), (0.08, 0.12))
}

const SOON: std::ops::Range<f32> = 3.0..6.0;

#[test]
fn scenarios() {
    let usual = || gate(Algorithm::LargeMaterial);
    for (name, site, task, raises_ends, first) in [
        ("pushes a cart in", site(film(11.0, vec![pusher()]), vec![cart_ahead(0.09)]), usual(), (1, 0), SOON),
        ("empty hands", site(film(11.0, vec![pusher()]), vec![]), usual(), (0, 0), NEVER),
        ("walks past a parked cart", site(film(11.0, vec![pusher()]), vec![parked_cart(0.5)]), usual(), (0, 0), NEVER),
        (
            "stands beside a parked cart",
            site(film(20.0, vec![worker(0.5, 0.85, 0.35)]), vec![parked_cart(0.56)]),
            usual(),
            (0, 0),
            NEVER,
        ),
        ("the cart is too far ahead", site(film(11.0, vec![pusher()]), vec![cart_ahead(0.22)]), usual(), (0, 0), NEVER),
        (
            "a longer reach",
            site(film(11.0, vec![pusher()]), vec![cart_ahead(0.22)]),
            gate_with(Algorithm::LargeMaterial, ParamsSpec { reach: Some(1.0), ..Default::default() }),
            (1, 0),
            SOON,
        ),
        (
            "outside the gate",
            site(
                film(11.0, vec![worker(0.0, 0.0, 0.3).walks(|t| (walk(t).0, 0.45))]),
                vec![thing("hand_cart", (0.0, 0.0), (0.08, 0.12)).walks(|t| (walk(t).0 + 0.09, 0.45))],
            ),
            usual(),
            (0, 0),
            NEVER,
        ),
        (
            "meets a cart that goes the other way",
            site(
                film(11.0, vec![pusher()]),
                vec![thing("hand_cart", (0.0, 0.0), (0.08, 0.12)).walks(|t| (0.95 - 0.06 * t, 0.85))],
            ),
            usual(),
            (0, 0),
            NEVER,
        ),
        (
            "beside a truck that drives in",
            site(
                film(11.0, vec![pusher()]),
                vec![thing("truck", (0.0, 0.0), (0.3, 0.4)).walks(|t| (walk(t).0 + 0.1, 0.83))],
            ),
            usual(),
            (1, 0),
            SOON,
        ),
        (
            "at a parked truck",
            site(film(11.0, vec![pusher()]), vec![thing("truck", (0.5, 0.83), (0.3, 0.4))]),
            usual(),
            (0, 0),
            NEVER,
        ),
        (
            "what may be a cart",
            site(film(11.0, vec![pusher()]), vec![cart_ahead(0.09).score(0.3)]),
            usual(),
            (0, 0),
            NEVER,
        ),
        (
            "the cart is seen every other time",
            site(
                film(11.0, vec![pusher()]),
                vec![cart_ahead(0.09).seen(|t| ((t * 5.0).round() as u32 / 2).is_multiple_of(2))],
            ),
            gate_with(Algorithm::LargeMaterial, ParamsSpec { votes_needed: Some(2), ..Default::default() }),
            (1, 0),
            3.0..11.0,
        ),
        (
            "one detection in five missed",
            site(film(12.0, vec![pusher()]).noisy(3, 0.2, 0.02), vec![cart_ahead(0.09)]),
            usual(),
            (1, 0),
            3.0..10.0,
        ),
        ("at 2 fps", site(film(11.0, vec![pusher()]).fps(2.0), vec![cart_ahead(0.09)]), usual(), (1, 0), 3.0..8.0),
    ] {
        expect(name, &site, &task, raises_ends, first);
    }
}

/// Alarms of the intrusion task, and reasons for which it held one back.
fn intrusions(tasks: Vec<Task>, site: &Site) -> (usize, Vec<&'static str>) {
    let decisions = play_site(tasks, &site.frames());
    let alarms = raises(&decisions).iter().filter(|r| r.algorithm == Algorithm::Intrusion).count();
    let reasons = suppressed(&decisions).into_iter().map(|s| {
        assert_eq!((s.algorithm, s.zone.as_deref()), (Algorithm::Intrusion, Some("大门")));
        assert!(s.bbox.area() > 0.0 && s.track.is_some());
        s.reason
    });
    (alarms, reasons.collect())
}

#[test]
fn an_explained_person_is_no_intruder() {
    let held = || vec!["large_material"];
    let with_cart = || site(film(11.0, vec![pusher()]), vec![cart_ahead(0.09)]);
    assert_eq!(intrusions(both(), &with_cart()), (0, held()));
    assert_eq!(intrusions(both().into_iter().rev().collect(), &with_cart()), (0, held()), "whatever the order");
    assert_eq!(intrusions(both(), &site(film(11.0, vec![pusher()]), vec![])), (1, vec![]), "empty hands");
    assert_eq!(
        intrusions(both(), &site(film(11.0, vec![pusher()]), vec![parked_cart(0.5)])),
        (1, vec![]),
        "a parked cart explains nobody"
    );
    let two = || vec![pusher(), worker(0.0, 0.0, 0.35).walks(|t| (0.9 - 0.05 * t, 0.7))];
    assert_eq!(intrusions(both(), &site(film(11.0, two()), vec![cart_ahead(0.09)])), (1, held()), "one of two");
    assert_eq!(
        intrusions(both(), &site(film(12.0, vec![pusher()]).noisy(21, 0.15, 0.02), vec![cart_ahead(0.09)])),
        (0, held()),
        "under noise"
    );
}

#[test]
fn a_quiet_task_explains_as_well() {
    let mut tasks = both();
    tasks[1].params.task_cool_down_secs = 600.0;
    // The second one comes 6 s later, within the cool-down of the first.
    let late = |t: f32| walk((t - 6.0).max(0.0));
    let actors = vec![pusher(), worker(0.0, 0.0, 0.35).walks(late).during(6.0, 20.0)];
    let cart = thing("hand_cart", (0.0, 0.0), (0.08, 0.12)).walks(move |t| (late(t).0 + 0.09, 0.85)).seen(|t| t >= 6.0);
    let site = site(film(16.0, actors), vec![cart_ahead(0.09), cart]);
    let decisions = play_site(tasks.clone(), &site.frames());
    assert_eq!(raises(&decisions).len(), 1, "one event of the gate task");
    assert_eq!(intrusions(tasks, &site), (0, vec!["large_material"; 2]));
}

#[test]
fn who_leaves_the_cart_is_not_explained_for_ever() {
    // Stops at 6 s and stays; the cart is taken away.
    let stops = |t: f32| walk(t.min(6.0));
    let actors = vec![worker(0.0, 0.0, 0.35).walks(stops)];
    let cart = thing("hand_cart", (0.0, 0.0), (0.08, 0.12)).walks(move |t| (stops(t).0 + 0.09, 0.85)).seen(|t| t < 7.0);
    let site = site(film(60.0, actors), vec![cart]);
    let decisions = play_site(both(), &site.frames());
    let times: Vec<f32> =
        raises(&decisions).iter().filter(|r| r.algorithm == Algorithm::Intrusion).map(|r| secs(r.decided_at)).collect();
    assert_eq!(times.len(), 1);
    assert!((36.0..42.0).contains(&times[0]), "{times:?}");
}

#[test]
fn another_zone_is_not_explained() {
    let mut tasks = both();
    let pit = vec![zone("基坑", ZoneKind::Include, [0.55, 0.5, 0.95, 0.98])];
    tasks[0] = Task { id: tasks[0].id, ..task(Algorithm::Intrusion, ParamsSpec::default(), pit, Schedule::default()) };
    tasks[1] = Task {
        id: tasks[1].id,
        ..task(
            Algorithm::LargeMaterial,
            ParamsSpec::default(),
            vec![zone("大门", ZoneKind::Include, [0.1, 0.5, 0.5, 0.98])],
            Schedule::default(),
        )
    };
    let site = site(film(13.0, vec![pusher()]), vec![cart_ahead(0.09)]);
    let decisions = play_site(tasks, &site.frames());
    let found: Vec<Algorithm> = raises(&decisions).iter().map(|r| r.algorithm).collect();
    assert_eq!(found, [Algorithm::LargeMaterial, Algorithm::Intrusion]);
    assert!(suppressed(&decisions).is_empty());
}
