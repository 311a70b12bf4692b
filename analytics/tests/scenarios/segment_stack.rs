//! Scenarios of 盾构管片及预制构件堆叠过高.

use crate::{scene::*, things::*};
use protocol::{Algorithm, LineKind, LineSpec, ParamsSpec, Task, ZoneKind, ZoneSpec};

const LAYER: f32 = 0.09;

fn watch(params: ParamsSpec, zones: Vec<ZoneSpec>, lines: Vec<LineSpec>) -> Task {
    drawn(Algorithm::SegmentStack, params, zones, lines)
}

/// Layers `0..n` at `x`, without those in `hidden`.
fn stack(shot: &mut Shot, x: f32, n: usize, hidden: &[usize], score: f32, noise: &mut Noise) {
    for i in (0..n).filter(|i| !hidden.contains(i)) {
        let foot = 0.9 - LAYER * i as f32 + 0.005 * (noise.share() - 0.5);
        shot.put("segment", about(score, 0.05, noise), [x + 0.01 * (noise.share() - 0.5), foot, 0.2, LAYER]);
    }
}

fn film(secs: f32, layers: impl Fn(f32) -> usize) -> Vec<Shot> {
    shots(secs, 0.1, |t, noise, shot| stack(shot, 0.5, layers(t), &[], 0.75, noise))
}

#[test]
fn scenarios() {
    let plain = watch(ParamsSpec::default(), vec![], vec![]);
    let soon = 20.0..60.0;
    let raised = expect("five layers", &plain, &film(200.0, |_| 5), (1, 0), soon.clone());
    assert_eq!(measured(raises(&raised)[0], "layers"), Some((5.0, Some("sure"))));
    assert_eq!(raises(&raised)[0].boxes.iter().filter(|b| b.subject).count(), 6);
    expect("four layers", &plain, &film(2_000.0, |_| 4), (0, 0), NEVER);
    expect("one layer", &plain, &film(500.0, |_| 1), (0, 0), NEVER);
    expect("for a day it is one event", &plain, &film(20_000.0, |_| 6), (1, 0), soon.clone());
    expect("rebuilt lower", &plain, &film(600.0, |t| if t < 200.0 { 5 } else { 3 }), (1, 1), soon.clone());
    expect(
        "on the hook for one look",
        &plain,
        &film(600.0, |t| if (100.0..110.0).contains(&t) { 5 } else { 4 }),
        (0, 0),
        NEVER,
    );
    expect("taken away", &plain, &film(900.0, |t| if t < 200.0 { 5 } else { 0 }), (1, 1), soon.clone());
    let allowed = watch(ParamsSpec { layers_max: Some(6), ..ParamsSpec::default() }, vec![], vec![]);
    expect("six are allowed here", &allowed, &film(600.0, |_| 6), (0, 0), NEVER);
    expect("seven are not", &allowed, &film(600.0, |_| 7), (1, 0), soon.clone());
    let two = shots(300.0, 0.1, |_, noise, shot| {
        stack(shot, 0.25, 5, &[], 0.75, noise);
        stack(shot, 0.75, 6, &[], 0.75, noise);
        stack(shot, 0.5, 4, &[], 0.75, noise);
    });
    expect("two of three are too high", &plain, &two, (2, 0), soon.clone());
    let zoned = watch(ParamsSpec::default(), vec![zone("堆场", ZoneKind::Include, [0.0, 0.5, 0.4, 1.0])], vec![]);
    expect("one of them in the zone", &zoned, &two, (1, 0), soon.clone());
    let missed = shots(900.0, 0.1, |_, noise, shot| {
        let hidden: Vec<usize> = (0..6).filter(|_| noise.share() < 0.1).collect();
        stack(shot, 0.5, 6, &hidden, 0.7, noise);
    });
    expect("six layers, each missed now and then", &plain, &missed, (1, 0), 20.0..300.0);
    let far_behind = shots(600.0, 0.1, |_, noise, shot| {
        stack(shot, 0.5, 4, &[], 0.75, noise);
        shot.put("segment", 0.7, [0.5, 0.9 - 4.0 * LAYER, 0.12, 0.05]);
    });
    expect("one more stands behind", &plain, &far_behind, (0, 0), NEVER);
    let small = shots(300.0, 0.1, |_, _, shot| {
        for i in 0..6 {
            shot.put("segment", 0.8, [0.5, 0.5 - 0.008 * i as f32, 0.02, 0.008]);
        }
    });
    expect("too far away to count", &plain, &small, (0, 0), NEVER);
}

#[test]
fn a_height_line_decides_where_the_count_is_unsure() {
    let at = |y: f32| watch(ParamsSpec::default(), vec![], vec![line("限高", LineKind::Height, &[(0.1, y), (0.9, y)])]);
    let (low, high) = (at(0.9 - 4.0 * LAYER), at(0.2));
    let soon = 20.0..60.0;
    let occluded = shots(400.0, 0.1, |_, noise, shot| stack(shot, 0.5, 5, &[2], 0.75, noise));
    let raised = expect("a hidden layer, above the line", &low, &occluded, (1, 0), soon.clone());
    let raise = raises(&raised)[0];
    assert_eq!(measured(raise, "layers"), Some((4.0, Some("unsure"))));
    assert_eq!(measured(raise, "layers_hidden").map(|m| m.0), Some(1.0));
    assert!(measured(raise, "above_line").is_some_and(|(v, name)| (0.05..0.12).contains(&v) && name == Some("限高")));
    expect("a hidden layer, below the line", &high, &occluded, (0, 0), NEVER);
    expect("a hidden layer, and no line", &watch(ParamsSpec::default(), vec![], vec![]), &occluded, (0, 0), NEVER);
    let one_box = shots(400.0, 0.1, |_, _, shot| shot.put("segment", 0.7, [0.5, 0.9, 0.2, 5.0 * LAYER]));
    expect("one box around it all", &low, &one_box, (1, 0), soon.clone());
    expect("one box, lower than the line", &high, &one_box, (0, 0), NEVER);
    // Four sure layers reach a line drawn too low: the count decides.
    expect("a sure count is not overruled", &at(0.9 - 3.0 * LAYER), &film(600.0, |_| 4), (0, 0), NEVER);
    let beside = watch(ParamsSpec::default(), vec![], vec![line("限高", LineKind::Height, &[(0.0, 0.6), (0.2, 0.6)])]);
    expect("the line is drawn elsewhere", &beside, &one_box, (0, 0), NEVER);
    let person = shots(400.0, 0.1, |_, noise, shot| {
        stack(shot, 0.5, 5, &[0, 1], 0.75, noise);
        shot.put("person", 0.9, [0.5, 0.92, 0.12, 0.35]);
    });
    expect("a person in front of the lower ones", &at(0.9 - 4.0 * LAYER), &person, (1, 0), soon);
}
