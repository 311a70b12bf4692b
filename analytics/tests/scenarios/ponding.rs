//! Scenarios of 积水检测.

use crate::{scene::*, things::*};
use analytics::ReferenceLook;
use protocol::{Algorithm, BoundingBox, ParamsSpec, Task, ZoneKind, ZoneSpec};

fn yard() -> ZoneSpec {
    zone("基坑底", ZoneKind::Include, [0.2, 0.5, 0.8, 0.9])
}

fn watch(params: ParamsSpec, more: Vec<ZoneSpec>) -> Task {
    drawn(Algorithm::Ponding, params, [vec![yard()], more].concat(), vec![])
}

/// A pond that covers `share` of the zone's width, over its full height.
fn pond(shot: &mut Shot, share: f32, noise: &mut Noise) {
    let w = 0.6 * share;
    shot.put("ponding", about(0.6, 0.1, noise), [0.2 + w / 2.0, 0.9, about(w, 0.02, noise), 0.4]);
}

fn film(secs: f32, share: impl Fn(f32) -> f32) -> Vec<Shot> {
    shots(secs, 0.1, |t, noise, shot| {
        if share(t) > 0.0 {
            pond(shot, share(t), noise);
        }
    })
}

fn dry_reference(task: &Task, changed: f32) -> ReferenceLook {
    ReferenceLook {
        task: task.id,
        zone: 0,
        version: 3,
        changed,
        masked: 0.0,
        aligned: true,
        at: BoundingBox::new(0.2, 0.5, 0.3, 0.4),
    }
}

#[test]
fn scenarios() {
    let plain = watch(ParamsSpec::default(), vec![]);
    let raised = expect("a pond", &plain, &film(120.0, |_| 0.4), (1, 0), 20.0..40.0);
    let (share, _) = measured(raises(&raised)[0], "share_under_water").unwrap();
    assert!((0.36..0.44).contains(&share), "{share}");
    assert_eq!(raises(&raised)[0].zone.as_deref(), Some("基坑底"));
    expect("a puddle", &plain, &film(600.0, |_| 0.05), (0, 0), NEVER);
    expect("just enough", &plain, &film(120.0, |_| 0.125), (1, 0), 20.0..40.0);
    expect("gone after two looks", &plain, &film(300.0, |t| if t < 20.0 { 0.4 } else { 0.0 }), (0, 0), NEVER);
    expect("dries", &plain, &film(600.0, |t| if t < 200.0 { 0.4 } else { 0.02 }), (1, 1), 20.0..40.0);
    let breathing = |t: f32| if ((t / 10.0) as u32).is_multiple_of(2) { 0.125 } else { 0.085 };
    expect("around the limit it is one event", &plain, &film(1_200.0, breathing), (1, 0), 20.0..80.0);
    let wanders = shots(1_200.0, 0.1, |t, noise, shot| {
        let x = 0.25 + 0.1 * ((t / 10.0) as u32 * 7 % 6) as f32;
        shot.put("ponding", about(0.5, 0.1, noise), [x, 0.8, 0.08, 0.3]);
    });
    expect("shine on wet asphalt wanders", &plain, &wanders, (0, 0), NEVER);
    let overlapping = shots(120.0, 0.1, |_, noise, shot| {
        for i in 0..6 {
            shot.put("ponding", about(0.6, 0.1, noise), [0.25 + 0.001 * i as f32, 0.9, 0.04, 0.4]);
        }
    });
    expect("six boxes of one puddle", &plain, &overlapping, (0, 0), NEVER);
    let outside = shots(120.0, 0.1, |_, _, shot| shot.put("ponding", 0.8, [0.1, 0.9, 0.18, 0.5]));
    expect("outside the zone", &plain, &outside, (0, 0), NEVER);
    let unsure = shots(120.0, 0.1, |_, _, shot| shot.put("ponding", 0.3, [0.5, 0.9, 0.4, 0.4]));
    expect("too unsure", &plain, &unsure, (0, 0), NEVER);
    let basin = watch(ParamsSpec::default(), vec![zone("洗车池", ZoneKind::Exclude, [0.2, 0.5, 0.5, 0.9])]);
    expect("in the basin that is excluded", &basin, &film(300.0, |_| 0.45), (0, 0), NEVER);
    let much = watch(ParamsSpec { share_needed: Some(0.5), ..ParamsSpec::default() }, vec![]);
    expect("less than this zone allows", &much, &film(300.0, |_| 0.4), (0, 0), NEVER);
    let again = |t: f32| if (100.0..400.0).contains(&t) { 0.0 } else { 0.4 };
    expect("again within the cool-down", &plain, &film(900.0, again), (1, 1), 20.0..40.0);
    let lorry = shots(400.0, 0.5, |t, noise, shot| {
        pond(shot, 0.4, noise);
        if t > 100.0 {
            shot.put("truck", 0.9, [0.5, 0.95, 0.62, 0.5]);
        }
    });
    expect("a lorry hides it all: nothing changes", &plain, &lorry, (1, 0), 20.0..50.0);
    // Frames at 5 per second for another task; the model for water runs every ten seconds.
    let busy = shots(100.0, 5.0, |t, noise, shot| {
        if ((t * 5.0).round() as u32).is_multiple_of(50) {
            pond(shot, 0.4, noise);
        }
    });
    expect("among frames on which nobody looked", &plain, &busy, (1, 0), 20.0..40.0);
}

#[test]
fn a_dry_reference_is_heard() {
    let task = watch(ParamsSpec::default(), vec![]);
    let with = |changed: f32, aligned: bool| {
        shots(300.0, 0.1, |_, noise, shot| {
            pond(shot, 0.4, noise);
            shot.references.push(ReferenceLook { aligned, ..dry_reference(&task, changed) });
        })
    };
    expect("looked the same when dry", &task, &with(0.03, true), (0, 0), NEVER);
    let raised = expect("differs from dry", &task, &with(0.35, true), (1, 0), 20.0..40.0);
    assert_eq!(measured(raises(&raised)[0], "changed").map(|m| m.0), Some(0.35));
    expect("the reference does not fit", &task, &with(0.03, false), (1, 0), 20.0..40.0);
}
