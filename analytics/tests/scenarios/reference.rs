//! Scenarios of 围挡缺失, 临边防护缺失 and 脚手架悬挑: comparison with an approved picture.

use crate::{scene::*, things::*};
use analytics::ReferenceLook;
use protocol::{Algorithm, BoundingBox, ParamsSpec, Severity, Task, ZoneKind, ZoneSpec};

fn watch(algorithm: Algorithm, zones: Vec<ZoneSpec>) -> Task {
    drawn(algorithm, ParamsSpec::default(), zones, vec![])
}

fn look(task: &Task, changed: f32) -> ReferenceLook {
    ReferenceLook {
        task: task.id,
        zone: 0,
        version: 1,
        changed,
        masked: 0.1,
        aligned: true,
        at: BoundingBox::new(0.4, 0.4, 0.1, 0.2),
    }
}

/// A look every ten seconds.
fn film(task: &Task, secs: f32, see: impl Fn(f32, ReferenceLook) -> ReferenceLook) -> Vec<Shot> {
    shots(secs, 0.1, |t, _, shot| shot.references.push(see(t, look(task, 0.0))))
}

fn changed(task: &Task, secs: f32, share: impl Fn(f32) -> f32) -> Vec<Shot> {
    film(task, secs, |t, look| ReferenceLook { changed: share(t), ..look })
}

/// What holds for all three.
fn common(algorithm: Algorithm) {
    let task = watch(algorithm, vec![]);
    let soon = 60.0..90.0;
    let raised = expect("a change", &task, &changed(&task, 300.0, |_| 0.3), (1, 0), soon.clone());
    let raise = raises(&raised)[0];
    assert_eq!(measured(raise, "reference_version").map(|m| m.0), Some(1.0));
    assert_eq!(measured(raise, "changed").map(|m| m.0), Some(0.3));
    assert_eq!(raise.severity, Severity::Orange);
    expect("as approved", &task, &changed(&task, 3_000.0, |_| 0.03), (0, 0), NEVER);
    expect("too little", &task, &changed(&task, 3_000.0, |_| 0.09), (0, 0), NEVER);
    expect("just enough", &task, &changed(&task, 300.0, |_| 0.11), (1, 0), soon.clone());
    expect("for a moment", &task, &changed(&task, 600.0, |t| if t < 40.0 { 0.3 } else { 0.0 }), (0, 0), NEVER);
    let now_and_then = |t: f32| if (t / 10.0) as u32 % 5 < 2 { 0.3 } else { 0.0 };
    expect("now and then", &task, &changed(&task, 3_000.0, now_and_then), (0, 0), NEVER);
    let restored =
        expect("restored", &task, &changed(&task, 600.0, |t| if t < 200.0 { 0.3 } else { 0.01 }), (1, 1), soon.clone());
    assert!((200.0..240.0).contains(&ends(&restored)[0].1), "{:?}", ends(&restored));
    let breathing = |t: f32| if ((t / 10.0) as u32).is_multiple_of(2) { 0.12 } else { 0.08 };
    expect("around the limit it is one event", &task, &changed(&task, 3_000.0, breathing), (1, 0), 60.0..120.0);
    expect("for a day it is one event", &task, &changed(&task, 20_000.0, |_| 0.4), (1, 0), soon.clone());

    let masked = film(&task, 600.0, |_, look| ReferenceLook { changed: 0.6, masked: 0.8, ..look });
    expect("people in front of all of it", &task, &masked, (0, 0), NEVER);
    let half_masked = film(&task, 600.0, |_, look| ReferenceLook { changed: 0.3, masked: 0.45, ..look });
    expect("people in front of some of it", &task, &half_masked, (1, 0), soon.clone());
    let turned = film(&task, 600.0, |_, look| ReferenceLook { changed: 0.7, aligned: false, ..look });
    let decisions = expect("the camera was turned", &task, &turned, (0, 0), NEVER);
    assert_eq!(held_back(&decisions), ["view_moved"], "said once");
    let knocked = film(&task, 600.0, |t, look| ReferenceLook { aligned: !(100.0..120.0).contains(&t), ..look });
    assert_eq!(held_back(&show(&task, &knocked)), [""; 0], "two looks that do not fit are nothing to speak of");
    let elsewhere = film(&task, 3_000.0, |t, look| {
        let x = 0.05 + 0.2 * ((t / 10.0) as u32 * 3 % 5) as f32;
        ReferenceLook { changed: 0.15, at: BoundingBox::new(x, 0.4, 0.03, 0.05), ..look }
    });
    expect("leaves and shadows: each look elsewhere", &task, &elsewhere, (0, 0), NEVER);
    let approved = film(&task, 600.0, |t, look| {
        let version = if t < 200.0 { 1 } else { 2 };
        ReferenceLook { version, changed: if t < 200.0 { 0.3 } else { 0.0 }, ..look }
    });
    expect("a new picture is approved", &task, &approved, (1, 1), soon.clone());
    let other = film(&watch(algorithm, vec![]), 600.0, |_, look| ReferenceLook { changed: 0.5, ..look });
    expect("looks for another task", &task, &other, (0, 0), NEVER);
    let broken = film(&task, 600.0, |_, look| ReferenceLook { changed: f32::NAN, ..look });
    expect("no number", &task, &broken, (0, 0), NEVER);

    let side = |name, x: f32| zone(name, ZoneKind::Include, [x, 0.2, x + 0.3, 0.8]);
    let two = watch(algorithm, vec![side("东", 0.1), side("西", 0.6)]);
    let west = film(&two, 300.0, |_, look| ReferenceLook { zone: 1, changed: 0.3, ..look });
    let decisions = expect("the second of two zones", &two, &west, (1, 0), soon);
    assert_eq!(raises(&decisions)[0].zone.as_deref(), Some("西"));
    let third = film(&two, 300.0, |_, look| ReferenceLook { zone: 2, changed: 0.3, ..look });
    expect("a zone that is not drawn", &two, &third, (0, 0), NEVER);
}

#[test]
fn fence_missing() {
    common(Algorithm::FenceMissing);
}

#[test]
fn overhang() {
    common(Algorithm::Overhang);
}

#[test]
fn edge_protection() {
    common(Algorithm::EdgeProtection);
}

#[test]
fn edge_protection_is_patient_while_a_vehicle_works() {
    let task = watch(Algorithm::EdgeProtection, vec![]);
    let with = |secs: f32, class: &'static str, present: &dyn Fn(f32) -> bool, share: &dyn Fn(f32) -> f32| {
        shots(secs, 0.5, |t, _, shot| {
            if present(t) {
                shot.put(class, 0.9, [0.3 + 0.0001 * t, 0.8, 0.3, 0.3]);
            }
            if ((t / 2.0).round() as u32).is_multiple_of(5) {
                shot.references.push(ReferenceLook { changed: share(t), ..look(&task, 0.0) });
            }
        })
    };
    let open = |_: f32| 0.3;
    let always = |_: f32| true;
    let works = with(600.0, "excavator", &always, &open);
    let decisions = expect("open for long beside an excavator", &task, &works, (1, 0), 300.0..330.0);
    assert_eq!(held_back(&decisions), ["working_vehicle"]);
    assert_eq!(raises(&decisions)[0].severity, Severity::Red);
    assert!(measured(raises(&decisions)[0], "working_vehicle").is_some());
    let lift = with(600.0, "truck", &always, &|t| if (100.0..300.0).contains(&t) { 0.3 } else { 0.0 });
    let decisions = expect("opened to unload and closed again", &task, &lift, (0, 0), NEVER);
    assert_eq!(held_back(&decisions), ["working_vehicle"]);
    let parked_car = with(300.0, "car", &always, &open);
    let decisions = expect("a car does not work", &task, &parked_car, (1, 0), 60.0..90.0);
    assert_eq!(raises(&decisions)[0].severity, Severity::Orange);
    let leaves = with(600.0, "excavator", &|t| t < 150.0, &open);
    let decisions = expect("it leaves and the edge stays open", &task, &leaves, (1, 0), 205.0..240.0);
    assert_eq!(raises(&decisions)[0].severity, Severity::Orange);
    let gone = with(600.0, "excavator", &|t| t < 100.0, &|t| if t > 300.0 { 0.3 } else { 0.0 });
    expect("it was there long before", &task, &gone, (1, 0), 360.0..390.0);
    let comes = with(600.0, "excavator", &|t| t > 200.0, &|t| if t > 180.0 { 0.3 } else { 0.0 });
    expect("it comes while the edge is open", &task, &comes, (1, 0), 480.0..510.0);
}
