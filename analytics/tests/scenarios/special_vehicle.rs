//! Scenarios of 特殊车辆识别.

use crate::{scene::*, things::*};
use protocol::{Algorithm, ParamsSpec, Task, ZoneKind, ZoneSpec};

fn watch(zones: Vec<ZoneSpec>) -> Task {
    drawn(Algorithm::SpecialVehicle, ParamsSpec::default(), zones, vec![])
}

/// Drives across the picture; what the detector calls it may change from look to look.
fn drives(class: impl Fn(f32, &mut Noise) -> &'static str) -> Vec<Shot> {
    shots(30.0, 2.0, |t, noise, shot| {
        let x = 0.1 + 0.04 * t;
        if x < 0.9 {
            let class = class(t, noise);
            shot.put(class, about(0.7, 0.1, noise), [x, 0.8, 0.22, 0.2]);
        }
    })
}

fn class_of(decisions: &[analytics::Decision]) -> Option<String> {
    measured(raises(decisions)[0], "vehicle_class").and_then(|m| m.1).map(str::to_owned)
}

#[test]
fn told_apart() {
    let plain = watch(vec![]);
    let soon = 1.0..5.0;
    for class in ["police_car", "fire_truck", "ambulance"] {
        let raised = expect(class, &plain, &drives(|_, _| class), (1, 1), soon.clone());
        assert_eq!(class_of(&raised).as_deref(), Some(class));
    }
    for class in ["car", "truck", "excavator", "dump_truck"] {
        expect(class, &plain, &drives(|_, _| class), (0, 0), NEVER);
    }
    let now_and_then = drives(|_, n| if n.share() < 0.15 { "fire_truck" } else { "truck" });
    expect("a lorry, called a fire engine now and then", &plain, &now_and_then, (0, 0), NEVER);
    let mostly = drives(|_, n| if n.share() < 0.2 { "truck" } else { "fire_truck" });
    let raised = expect("a fire engine, called a lorry now and then", &plain, &mostly, (1, 1), 1.0..8.0);
    assert_eq!(class_of(&raised).as_deref(), Some("fire_truck"));
    let mixed = drives(|t, _| if (t * 2.0) as u32 % 4 == 3 { "police_car" } else { "ambulance" });
    let raised = expect("three looks in four say ambulance", &plain, &mixed, (1, 1), 1.0..6.0);
    assert_eq!(class_of(&raised).as_deref(), Some("ambulance"));
    let refined = drives(|t, _| if t < 4.0 { "car" } else { "police_car" });
    let raised = expect("recognised when it is near", &plain, &refined, (1, 1), 5.0..9.0);
    assert_eq!(class_of(&raised).as_deref(), Some("police_car"));
}

#[test]
fn where_and_when() {
    let plain = watch(vec![]);
    let gate = watch(vec![zone("门口", ZoneKind::Include, [0.0, 0.5, 0.3, 1.0])]);
    expect("in the zone", &gate, &drives(|_, _| "ambulance"), (1, 1), 1.0..5.0);
    let road = watch(vec![zone("马路", ZoneKind::Exclude, [0.0, 0.7, 1.0, 0.9])]);
    expect("on the road outside", &road, &drives(|_, _| "ambulance"), (0, 0), NEVER);
    let parked = shots(600.0, 2.0, |t, noise, shot| {
        if t % 60.0 < 50.0 {
            shot.put("fire_truck", about(0.7, 0.1, noise), [0.5, 0.8, 0.3, 0.3]);
        }
    });
    expect("parked, and lost now and then: once", &plain, &parked, (1, 1), 1.0..5.0);
    let glimpse = shots(30.0, 2.0, |t, _, shot| {
        if (5.0..5.8).contains(&t) {
            shot.put("police_car", 0.8, [0.5, 0.8, 0.2, 0.2]);
        }
    });
    expect("a glimpse", &plain, &glimpse, (0, 0), NEVER);
    let unsure = shots(30.0, 2.0, |_, _, shot| shot.put("police_car", 0.3, [0.5, 0.8, 0.2, 0.2]));
    expect("too unsure", &plain, &unsure, (0, 0), NEVER);
    let small = shots(30.0, 2.0, |_, _, shot| shot.put("police_car", 0.8, [0.5, 0.8, 0.04, 0.03]));
    expect("too small", &plain, &small, (0, 0), NEVER);
    let convoy = shots(30.0, 2.0, |t, noise, shot| {
        for (i, class) in ["police_car", "ambulance"].into_iter().enumerate() {
            shot.put(class, about(0.7, 0.1, noise), [0.1 + 0.02 * t, 0.5 + 0.4 * i as f32, 0.2, 0.2]);
        }
    });
    expect("two at once", &plain, &convoy, (2, 0), 1.0..5.0);
}
