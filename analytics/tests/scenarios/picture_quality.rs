//! Scenarios of 摄像头画面质量异常, part (b).

use std::f32::consts::PI;

use crate::{scene::*, things::*};
use analytics::PictureLook;
use protocol::{Algorithm, ParamsSpec, Task};

const HOUR: f32 = 3_600.0;

fn watch() -> Task {
    drawn(Algorithm::PictureQuality, ParamsSpec::default(), vec![], vec![])
}

/// A good camera on a bright day.
fn fine(noise: &mut Noise) -> PictureLook {
    PictureLook {
        mean_luma: about(110.0, 0.1, noise),
        contrast: about(50.0, 0.1, noise),
        sharpness: about(600.0, 0.2, noise),
        noise: about(3.0, 0.2, noise),
        saturation: about(20.0, 0.2, noise),
        cast: [about(2.0, 0.5, noise), about(-2.0, 0.5, noise)],
        white_share: 0.01,
        black_share: 0.02,
        detail_share: about(0.8, 0.1, noise),
        difference: Some(about(2.0, 0.5, noise)),
        shift: Some((about(0.004, 1.0, noise), 0.0)),
        clock_skew_secs: Some(about(1.0, 1.0, noise)),
    }
}

/// A look every ten seconds; `spoil` changes what a good camera sees.
fn film(secs: f32, spoil: impl Fn(f32, &mut PictureLook, &mut Noise)) -> Vec<Shot> {
    shots(secs, 0.1, |t, noise, shot| {
        let mut look = fine(noise);
        spoil(t, &mut look, noise);
        shot.picture = Some(look);
    })
}

/// How light it is, 0–1: dusk and dawn take an hour each; dark from 19 h to 5 h after the film began.
fn daylight(t: f32) -> f32 {
    let hour = (t / HOUR + 8.0) % 24.0;
    match hour {
        h if (6.0..18.0).contains(&h) => 1.0,
        h if (18.0..19.0).contains(&h) => 0.5 + 0.5 * ((h - 18.0) * PI).cos(),
        h if (5.0..6.0).contains(&h) => 0.5 - 0.5 * ((h - 5.0) * PI).cos(),
        _ => 0.0,
    }
}

fn black(look: &mut PictureLook) {
    *look = PictureLook {
        mean_luma: 8.0,
        contrast: 3.0,
        sharpness: 2.0,
        detail_share: 0.01,
        black_share: 0.99,
        saturation: 1.0,
        ..*look
    };
}

/// What spoils a picture.
type Spoil = fn(&mut PictureLook);

#[test]
fn defects() {
    let task = watch();
    // Good for a day and two hours, so that every hour is known, then the defect.
    let table: [(&str, Spoil); 10] = [
        ("black", black),
        ("white", |l| {
            *l = PictureLook { mean_luma: 240.0, white_share: 0.8, contrast: 10.0, detail_share: 0.05, ..*l }
        }),
        ("blurred", |l| (l.sharpness, l.detail_share) = (12.0, 0.5)),
        ("frozen", |l| l.difference = Some(0.0)),
        ("covered", |l| (l.detail_share, l.contrast, l.sharpness) = (0.02, 9.0, 20.0)),
        ("colour_cast", |l| l.cast = [30.0, 12.0]),
        ("noise", |l| l.noise = 18.0),
        ("shifted", |l| l.shift = Some((0.15, -0.02))),
        ("wrong_clock", |l| l.clock_skew_secs = Some(-400.0)),
        ("black", |l| (l.mean_luma, l.black_share) = (20.0, 0.99)),
    ];
    for (defect, spoil) in table {
        let from = 26.0 * HOUR;
        let due = from + HOUR..from + HOUR + 60.0;
        let shots = film(28.0 * HOUR, |t, look, _| {
            if t >= from {
                spoil(look);
            }
        });
        let decisions = expect(defect, &task, &shots, (1, 0), due.clone());
        let names: Vec<_> = raises(&decisions)[0].why.measures.iter().filter_map(|m| m.label.as_deref()).collect();
        assert_eq!(names, [defect]);
        let shots = film(28.0 * HOUR, |t, look, _| {
            if (from..from + 0.9 * HOUR).contains(&t) {
                spoil(look);
            }
        });
        expect("for less than an hour", &task, &shots, (0, 0), NEVER);
        let shots = film(29.0 * HOUR, |t, look, _| {
            if (from..from + 2.0 * HOUR).contains(&t) {
                spoil(look);
            }
        });
        let decisions = expect("until it is repaired", &task, &shots, (1, 1), due);
        let over = ends(&decisions)[0].1 - from;
        assert!((2.0 * HOUR..2.0 * HOUR + 60.0).contains(&over), "{over} s after it began");
    }
}

#[test]
fn what_is_no_defect() {
    let task = watch();
    expect("a good day", &task, &film(10.0 * HOUR, |_, _, _| {}), (0, 0), NEVER);
    let night = |t: f32, look: &mut PictureLook, noise: &mut Noise, lit: bool| {
        let light = daylight(t);
        if lit {
            // Lamps: half as bright, yellow, noisy, and less is seen.
            look.mean_luma = 45.0 + 65.0 * light;
            look.contrast = about(30.0 + 20.0 * light, 0.1, noise);
            look.sharpness = about(90.0 + 510.0 * light, 0.2, noise);
            look.noise = about(8.0 - 5.0 * light, 0.2, noise);
            look.cast = [-25.0 * (1.0 - light), 14.0 * (1.0 - light)];
            look.detail_share = 0.35 + 0.45 * light;
        } else {
            look.mean_luma = 6.0 + 104.0 * light;
            look.contrast = 2.0 + 48.0 * light;
            look.sharpness = 2.0 + 600.0 * light * light;
            look.detail_share = 0.8 * light;
            look.black_share = 1.0 - light;
            look.difference = Some(0.02 + 2.0 * light);
        }
    };
    expect("two lit nights", &task, &film(48.0 * HOUR, |t, l, n| night(t, l, n, true)), (0, 0), NEVER);
    expect("two nights without any light", &task, &film(48.0 * HOUR, |t, l, n| night(t, l, n, false)), (0, 0), NEVER);
    let fog = film(8.0 * HOUR, |t, look, _| {
        // Comes within an hour, stays for three.
        let thick = ((t / HOUR - 2.0).clamp(0.0, 1.0) - (t / HOUR - 6.0).clamp(0.0, 1.0)).max(0.0);
        let through = 1.0 - 0.85 * thick;
        look.contrast *= through;
        look.sharpness *= through * through;
        look.detail_share *= 1.0 - 0.95 * thick;
        look.mean_luma += 60.0 * thick;
    });
    expect("fog", &task, &fog, (0, 0), NEVER);
    let headlights = film(4.0 * HOUR, |t, look, _| {
        if (t / 10.0) as u32 % 30 < 2 {
            *look = PictureLook { mean_luma: 230.0, white_share: 0.6, contrast: 20.0, ..*look };
        }
    });
    expect("headlights now and then", &task, &headlights, (0, 0), NEVER);
    let nothing_left = film(3.0 * HOUR, |_, look, noise| look.difference = Some(about(0.05, 0.3, noise)));
    expect("noise reduction that leaves nothing, from the start", &task, &nothing_left, (1, 0), HOUR..HOUR + 60.0);
    let quiet_sensor = film(6.0 * HOUR, |t, look, noise| {
        let still = t % HOUR > 0.5 * HOUR;
        look.difference = Some(about(if still { 0.06 } else { 0.2 }, 0.2, noise));
    });
    expect("a sensor that is known to be quiet", &task, &quiet_sensor, (0, 0), NEVER);
    let unknown =
        film(4.0 * HOUR, |_, look, _| (look.difference, look.shift, look.clock_skew_secs) = (None, None, None));
    expect("nothing known of difference, shift and clock", &task, &unknown, (0, 0), NEVER);
    let broken = film(4.0 * HOUR, |_, look, _| (look.sharpness, look.noise) = (f32::NAN, f32::NAN));
    expect("no numbers", &task, &broken, (0, 0), NEVER);
}

#[test]
fn what_is_usual_is_learned_for_each_hour() {
    let task = watch();
    // A soft lens: hardly sharper than what is blurred for others.
    let soft = |look: &mut PictureLook| look.sharpness = 60.0;
    expect("a soft lens", &task, &film(10.0 * HOUR, |_, l, _| soft(l)), (0, 0), NEVER);
    let worse = film(10.0 * HOUR, |t, l, _| l.sharpness = if t < 2.5 * HOUR { 600.0 } else { 60.0 });
    // Known within the running hour; the next hours are not known yet, and their absolute limit is lower.
    expect("a lens that became soft, on the first day", &task, &worse, (0, 0), NEVER);
    let second_day = film(36.0 * HOUR, |t, l, _| {
        if t >= 26.0 * HOUR {
            soft(l);
        }
    });
    expect(
        "a lens that became soft, when every hour is known",
        &task,
        &second_day,
        (1, 0),
        27.0 * HOUR..27.0 * HOUR + 60.0,
    );
    let sodium = film(36.0 * HOUR, |t, l, _| {
        if daylight(t) < 0.5 {
            l.cast = [-35.0, 15.0];
        }
    });
    expect("sodium lamps every night", &task, &sodium, (0, 0), NEVER);
    let by_day = film(34.0 * HOUR, |t, l, _| {
        if daylight(t) < 0.5 || t > 26.0 * HOUR {
            l.cast = [-35.0, 15.0];
        }
    });
    expect("the same colours by day", &task, &by_day, (1, 0), 27.0 * HOUR..27.0 * HOUR + 60.0);
}

#[test]
fn lost_signals() {
    let task = watch();
    let gone = |from: f32, until: f32, secs: f32| -> Vec<Shot> {
        film(secs, |_, _, _| {}).into_iter().map(|s| Shot { no_frame: (from..until).contains(&s.t), ..s }).collect()
    };
    let decisions = expect("no frames any more", &task, &gone(1_000.0, f32::MAX, 3.0 * HOUR), (1, 0), 4_590.0..4_640.0);
    assert_eq!(measured(raises(&decisions)[0], "seconds_lost").map(|m| m.1), Some(Some("signal_lost")));
    assert!((980.0..1_000.0).contains(&secs(raises(&decisions)[0].started_at)));
    expect("for half an hour", &task, &gone(1_000.0, 2_800.0, 3.0 * HOUR), (0, 0), NEVER);
    expect("comes back", &task, &gone(1_000.0, 6_000.0, 3.0 * HOUR), (1, 1), 4_590.0..4_640.0);
    let flaky: Vec<Shot> = film(4.0 * HOUR, |t, look, _| {
        if ((t / 10.0) as u32).is_multiple_of(3) {
            black(look);
        }
    })
    .into_iter()
    .map(|s| Shot { no_frame: (s.t / 10.0) as u32 % 30 < 8, ..s })
    .collect();
    let decisions = expect("now black, now gone, never well", &task, &flaky, (1, 0), HOUR..HOUR + 400.0);
    let names: Vec<_> = raises(&decisions)[0].why.measures.iter().filter_map(|m| m.label.as_deref()).collect();
    assert_eq!(names, ["black", "signal_lost"]);
    let unmeasured: Vec<Shot> =
        gone(1_000.0, 6_000.0, 3.0 * HOUR).into_iter().map(|s| Shot { picture: None, ..s }).collect();
    expect("comes back, and nobody measures", &task, &unmeasured, (1, 1), 4_590.0..4_640.0);
    let never: Vec<Shot> = gone(0.0, f32::MAX, 2.0 * HOUR);
    expect("never came", &task, &never, (1, 0), HOUR..HOUR + 60.0);
}
