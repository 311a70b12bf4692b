//! Scenarios of 烟火检测.

use crate::{scene::*, things::*};
use analytics::Decision;
use protocol::{Algorithm, BoundingBox, Mute, ParamsSpec, Severity, Task, ZoneKind, ZoneSpec};

fn watch(zones: Vec<ZoneSpec>) -> Task {
    drawn(Algorithm::FireSmoke, ParamsSpec::default(), zones, vec![])
}

/// Flames at `(x, foot)`: a fifth larger or smaller from look to look, never sure.
fn flames(x: f32, foot: f32, size: f32) -> impl Fn(f32, &mut Noise, &mut Shot) {
    move |_, noise, shot| {
        let (w, h) = (about(size * 0.6, 0.25, noise), about(size, 0.35, noise));
        let score = about(0.62, 0.2, noise);
        shot.put("fire", score, [x + (noise.share() - 0.5) * 0.1 * size, foot, w, h]);
    }
}

/// A plume that swells and drifts.
fn plume(x: f32, foot: f32, size: f32) -> impl Fn(f32, &mut Noise, &mut Shot) {
    move |t, noise, shot| {
        let size = size * (1.0 + 0.04 * t);
        let (w, h) = (about(size, 0.2, noise), about(size * 1.3, 0.2, noise));
        shot.put("smoke", about(0.55, 0.15, noise), [x + 0.002 * t, foot, w, h]);
    }
}

/// What a detector takes for fire though it never changes.
fn lamp(x: f32, foot: f32, size: f32) -> impl Fn(f32, &mut Noise, &mut Shot) {
    move |_, noise, shot| {
        let (w, h) = (about(size, 0.02, noise), about(size, 0.02, noise));
        shot.put("fire", about(0.6, 0.04, noise), [x, foot, w, h]);
    }
}

fn during(from: f32, until: f32, draw: impl Fn(f32, &mut Noise, &mut Shot)) -> impl Fn(f32, &mut Noise, &mut Shot) {
    move |t, noise, shot| {
        if (from..until).contains(&t) {
            draw(t, noise, shot);
        }
    }
}

#[test]
fn fire() {
    let film = |secs, draw: &dyn Fn(f32, &mut Noise, &mut Shot)| shots(secs, 1.0, draw);
    let soon = 3.0..8.0;
    let plain = watch(vec![]);
    let raised = expect("flames", &plain, &film(30.0, &flames(0.5, 0.7, 0.12)), (1, 0), soon.clone());
    assert_eq!(raises(&raised)[0].severity, Severity::Red);
    assert!(measured(raises(&raised)[0], "flicker").is_some_and(|(v, kind)| v >= 1.0 && kind == Some("fire")));
    expect("burns out", &plain, &film(60.0, &during(0.0, 15.0, flames(0.5, 0.7, 0.12))), (1, 1), soon.clone());
    expect("a flash", &plain, &film(30.0, &during(3.0, 5.0, flames(0.5, 0.7, 0.12))), (0, 0), NEVER);
    expect("a work lamp", &plain, &film(600.0, &lamp(0.5, 0.3, 0.08)), (0, 0), NEVER);
    expect("a small lamp far away", &plain, &film(300.0, &lamp(0.5, 0.3, 0.045)), (0, 0), NEVER);
    let blinking = |t: f32, noise: &mut Noise, shot: &mut Shot| {
        if t as u32 % 5 < 3 {
            lamp(0.5, 0.3, 0.08)(t, noise, shot);
        }
    };
    expect("a beacon that blinks", &plain, &film(300.0, &blinking), (0, 0), NEVER);
    let passed_by = |t: f32, noise: &mut Noise, shot: &mut Shot| {
        let hidden = if t as u32 % 40 < 2 { 0.5 } else { 1.0 };
        let (w, h) = (about(0.08 * hidden, 0.02, noise), about(0.08, 0.02, noise));
        shot.put("fire", about(0.6, 0.04, noise), [0.5, 0.3, w, h]);
    };
    expect("somebody walks past a lamp now and then", &plain, &film(400.0, &passed_by), (0, 0), NEVER);
    expect("a speck", &plain, &film(60.0, &flames(0.5, 0.7, 0.02)), (0, 0), NEVER);
    let welding = watch(vec![zone("焊接", ZoneKind::Exclude, [0.4, 0.5, 0.6, 0.75])]);
    expect("welding in its zone", &welding, &film(120.0, &flames(0.5, 0.7, 0.12)), (0, 0), NEVER);
    expect("a fire beside the welding", &welding, &film(30.0, &flames(0.8, 0.7, 0.12)), (1, 0), soon.clone());
    let yard = watch(vec![zone("堆场", ZoneKind::Include, [0.0, 0.5, 0.4, 1.0])]);
    let inside = expect("in the zone", &yard, &film(30.0, &flames(0.2, 0.8, 0.12)), (1, 0), soon.clone());
    assert_eq!(raises(&inside)[0].zone.as_deref(), Some("堆场"));
    expect("outside the zone", &yard, &film(60.0, &flames(0.8, 0.8, 0.12)), (0, 0), NEVER);
    let two = |t: f32, noise: &mut Noise, shot: &mut Shot| {
        flames(0.2, 0.7, 0.12)(t, noise, shot);
        flames(0.8, 0.7, 0.12)(t, noise, shot);
    };
    expect("two fires", &plain, &film(30.0, &two), (2, 0), soon.clone());
    let again = |t: f32, noise: &mut Noise, shot: &mut Shot| {
        if !(20.0..80.0).contains(&t) {
            flames(0.5, 0.7, 0.12)(t, noise, shot);
        }
    };
    expect("again within the cool-down", &plain, &film(140.0, &again), (1, 1), soon.clone());
    // At every other look only; and at 5 looks per second of frames, with the model on every fifth of them.
    let missed = |t: f32, noise: &mut Noise, shot: &mut Shot| {
        if noise.share() > 0.25 {
            flames(0.5, 0.7, 0.12)(t, noise, shot);
        }
    };
    expect("one look in four misses it", &plain, &film(60.0, &missed), (1, 0), 3.0..20.0);
    let ids: Vec<_> = ["fire", "smoke"].iter().filter_map(|c| things().id(c)).collect();
    let fast = shots(40.0, 5.0, |t, noise, shot| {
        let ran = ((t * 5.0).round() as u32).is_multiple_of(5);
        shot.looked_for = Some(if ran { ids.clone() } else { vec![] });
        if ran {
            flames(0.5, 0.7, 0.12)(t, noise, shot);
        }
    });
    expect("the model runs on every fifth frame", &plain, &fast, (1, 0), soon.clone());
    let unsaid: Vec<Shot> = fast.into_iter().map(|s| Shot { looked_for: None, ..s }).collect();
    expect("the same, without saying so", &plain, &unsaid, (1, 0), soon);
}

#[test]
fn what_people_and_vehicles_carry_is_no_fire() {
    let plain = watch(vec![]);
    let vest = shots(120.0, 2.0, |t, noise, shot| {
        let x = 0.2 + 0.004 * t;
        shot.put("person", 0.8, [x, 0.8, 0.1, 0.4]);
        shot.put("fire", about(0.5, 0.2, noise), [x, 0.65, about(0.07, 0.3, noise), about(0.12, 0.3, noise)]);
    });
    expect("a vest on a worker", &plain, &vest, (0, 0), NEVER);
    let walks = shots(120.0, 1.0, |t, noise, shot| {
        shot.put(
            "fire",
            about(0.5, 0.2, noise),
            [0.1 + 0.02 * (t % 40.0), 0.65, about(0.06, 0.1, noise), about(0.1, 0.1, noise)],
        );
    });
    expect("a vest whose worker is not seen", &plain, &walks, (0, 0), NEVER);
    let headlights = shots(60.0, 2.0, |t, noise, shot| {
        let size = 0.2 + 0.005 * t;
        shot.put("truck", 0.8, [0.5, 0.8, size * 1.4, size]);
        shot.put(
            "fire",
            about(0.5, 0.2, noise),
            [0.5, 0.75, about(0.2 * size, 0.3, noise), about(0.2 * size, 0.3, noise)],
        );
    });
    expect("headlights", &plain, &headlights, (0, 0), NEVER);
    let burning = shots(40.0, 2.0, |t, noise, shot| {
        shot.put("truck", 0.8, [0.5, 0.8, 0.4, 0.25]);
        flames(0.5, 0.75, 0.3)(t, noise, shot);
    });
    expect("a lorry on fire", &plain, &burning, (1, 0), 3.0..9.0);
}

#[test]
fn smoke_is_slower_and_milder() {
    let plain = watch(vec![]);
    let film = |secs, draw: &dyn Fn(f32, &mut Noise, &mut Shot)| shots(secs, 1.0, draw);
    let raised = expect("smoke", &plain, &film(40.0, &plume(0.5, 0.7, 0.15)), (1, 0), 10.0..16.0);
    assert_eq!(raises(&raised)[0].severity, Severity::Orange);
    expect("dust of a lorry", &plain, &film(40.0, &during(0.0, 8.0, plume(0.5, 0.7, 0.15))), (0, 0), NEVER);
    let fog = |_: f32, noise: &mut Noise, shot: &mut Shot| {
        shot.put("smoke", about(0.5, 0.04, noise), [0.5, 0.6, about(0.8, 0.01, noise), about(0.4, 0.01, noise)]);
    };
    expect("a bank of fog", &plain, &film(300.0, &fog), (0, 0), NEVER);
    let params = ParamsSpec { smoke_dwell_secs: Some(30.0), ..ParamsSpec::default() };
    let patient = drawn(Algorithm::FireSmoke, params, vec![], vec![]);
    expect("more patience with smoke", &patient, &film(60.0, &plume(0.5, 0.7, 0.15)), (1, 0), 30.0..36.0);
}

#[test]
fn an_alarm_escalates_instead_of_repeating() {
    let escalations = |decisions: &[Decision]| -> Vec<(u64, f32, Severity)> {
        let of = |d: &Decision| match d {
            Decision::Escalate(e) => Some((e.alarm, secs(e.at), e.severity)),
            _ => None,
        };
        decisions.iter().filter_map(of).collect()
    };
    let plain = watch(vec![]);
    let catches = shots(60.0, 1.0, |t, noise, shot| {
        plume(0.5, 0.7, 0.15)(t, noise, shot);
        if t >= 30.0 {
            flames(0.5, 0.7, 0.1)(t, noise, shot);
        }
    });
    let decisions = expect("smoke that becomes fire", &plain, &catches, (1, 0), 10.0..16.0);
    let worse = escalations(&decisions);
    assert!(worse.iter().all(|w| w.0 == 1), "{worse:?}");
    let red = worse.iter().find(|w| w.2 == Severity::Red).expect("it becomes red");
    assert!((33.0..40.0).contains(&red.1), "{worse:?}");

    let grows = shots(90.0, 1.0, |t, noise, shot| flames(0.5, 0.8, 0.08 * (1.0 + t / 15.0))(t, noise, shot));
    let decisions = expect("a fire that grows", &plain, &grows, (1, 0), 3.0..8.0);
    assert!((2..=4).contains(&escalations(&decisions).len()), "{:?}", escalations(&decisions));

    let mut yellow = plain;
    yellow.severity = Severity::Yellow;
    let decisions = expect("somebody chose yellow", &yellow, &catches, (1, 0), 10.0..16.0);
    assert_eq!(raises(&decisions)[0].severity, Severity::Yellow);
}

#[test]
fn a_muted_place_is_held_back_and_said_once() {
    let mut task = watch(vec![]);
    task.mutes = vec![Mute {
        bbox: BoundingBox::new(0.464, 0.58, 0.072, 0.12),
        class: "fire".into(),
        embedding: vec![],
        until: Some(START + std::time::Duration::from_secs(100)),
    }];
    let film = shots(140.0, 1.0, flames(0.5, 0.7, 0.12));
    let decisions = expect("muted for a hundred seconds", &task, &film, (1, 0), 100.0..112.0);
    assert_eq!(held_back(&decisions), ["muted_place"]);
    task.mutes[0].class = "smoke".into();
    expect("something else is muted", &task, &film, (1, 0), 3.0..8.0);
}
