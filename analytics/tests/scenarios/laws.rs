//! What holds for every algorithm on every film: people, vehicles, scooters, carts, fire, water, stacks, a bad
//! picture and a changed reference, all at once.

use std::{collections::BTreeMap, time::Duration};

use analytics::{CameraAnalyzer, Decision, FrameInput, PictureLook, ReferenceLook};
use proptest::prelude::*;
use protocol::{
    Algorithm, BoundingBox, LineKind, LineSpec, ParamsSpec, Point, ReferencePicture, Schedule, Task, ZoneKind,
};

use crate::{scene::*, site::*};

const DWELL_SECS: f32 = 1.5;

/// One task of every algorithm, with two zones and a line across.
fn every_task(cool_down_secs: f32) -> Vec<Task> {
    let params = ParamsSpec {
        cool_down_secs: Some(cool_down_secs),
        dwell_secs: Some(DWELL_SECS),
        smoke_dwell_secs: Some(DWELL_SECS),
        crowd_size: Some(2),
        sample_fps: Some(5.0),
        min_target_px: Some(40),
        ..Default::default()
    };
    let zones = || {
        vec![zone("左", ZoneKind::Include, [0.0, 0.3, 0.5, 1.0]), zone("右", ZoneKind::Include, [0.5, 0.3, 1.0, 1.0])]
    };
    let line = |kind, y: f32| LineSpec {
        name: "线".into(),
        kind,
        points: vec![Point::new(0.1, y), Point::new(0.5, y), Point::new(0.9, y + 0.05)],
    };
    let reference = ReferencePicture { version: 1, picture: protocol::ContentHash::of(b"picture"), approved_at: START };
    let with_everything = |algorithm| Task {
        lines: vec![line(LineKind::Crossing, 0.7), line(LineKind::Height, 0.4)],
        reference: Some(reference.clone()),
        ..task(algorithm, params.clone(), zones(), Schedule::default())
    };
    Algorithm::ALL.map(with_everything).to_vec()
}

/// A black picture, now and then measured, and every reference changed by half.
fn play_all(tasks: &[Task], frames: &[Frame]) -> Vec<Decision> {
    let mut analyzer = CameraAnalyzer::new(site_classes());
    analyzer.set_tasks(tasks.to_vec());
    let mut out = Vec::new();
    for frame in frames {
        step(&mut analyzer, tasks, frame, &mut out);
    }
    out
}

fn step(analyzer: &mut CameraAnalyzer, tasks: &[Task], (at, detections): &Frame, out: &mut Vec<Decision>) {
    let picture = PictureLook { black_share: 1.0, ..PictureLook::default() };
    let references: Vec<ReferenceLook> = tasks
        .iter()
        .map(|task| ReferenceLook {
            task: task.id,
            zone: 0,
            version: 1,
            changed: 0.5,
            masked: 0.0,
            aligned: true,
            at: BoundingBox::new(0.2, 0.4, 0.2, 0.2),
        })
        .collect();
    let input =
        FrameInput { picture: Some(&picture), references: &references, ..FrameInput::new(*at, SIZE, detections) };
    analyzer.step(&input, out);
}

/// Where somebody or something is, how tall, how fast, and which kind.
fn any_part() -> impl Strategy<Value = (f32, f32, f32, f32, u8)> {
    (0.1f32..0.9, 0.45f32..0.95, 0.15f32..0.4, -0.06f32..0.06, 0u8..8)
}

prop_compose! {
    fn any_site(secs: f32)(
        people in proptest::collection::vec(any_part(), 1..5),
        others in proptest::collection::vec(any_part(), 0..6),
        fps in prop::sample::select(vec![2.0f32, 5.0, 8.0]),
        seed in any::<u64>(),
        miss in 0.0f32..0.3,
    ) -> Site {
        let mut things = Vec::new();
        let mut actors = Vec::new();
        for (x, y, height, speed, kind) in people {
            let walk = move |t: f32| (x + speed * t, y);
            let worker = worker(x, y, height).walks(walk);
            actors.push(if kind % 2 == 0 { worker } else { worker.helmet() });
            match kind {
                0 | 1 => things.push(gear("no_life_jacket", height, walk)),
                2 => things.push(gear("no_harness", height, walk)),
                3 => things.push(gear("life_jacket", height, walk)),
                4 => things.push(thing("motorcycle", (x, y), (height * 0.5, height * 0.6)).walks(walk)),
                5 => things.push(thing("hand_cart", (x, y), (0.1, 0.1)).walks(move |t| (walk(t).0 + 0.08, y))),
                _ => {}
            }
        }
        for (x, y, size, speed, kind) in others {
            let class = ["truck", "excavator", "fire", "smoke", "ponding", "segment", "police_car", "motorcycle"];
            let thing = thing(class[usize::from(kind)], (x, y), (size, size));
            things.push(thing.walks(move |t| (x + speed * t, y)));
        }
        site(film(secs, actors).fps(fps).noisy(seed, miss, 0.02), things)
    }
}

fn shuffled(frames: &[Frame], seed: u64) -> Vec<Frame> {
    let mut noise = Noise(seed);
    let mut frames = frames.to_vec();
    for (_, detections) in &mut frames {
        for i in (1..detections.len()).rev() {
            detections.swap(i, (noise.share() * (i + 1) as f32) as usize % (i + 1));
        }
    }
    frames
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn never_before_the_dwell_and_each_end_has_its_raise(site in any_site(12.0)) {
        let mut open = BTreeMap::new();
        for decision in &play_all(&every_task(5.0), &site.frames()) {
            match decision {
                Decision::Raise(raise) => {
                    let lasted = raise.decided_at.since(raise.started_at).as_secs_f32();
                    prop_assert!(lasted >= DWELL_SECS - 1e-3, "{} raised after {lasted} s", raise.algorithm);
                    prop_assert!(open.insert(raise.alarm, raise.algorithm).is_none(), "a number twice");
                    prop_assert!(raise.boxes.len() <= 64 && raise.path.len() <= 64);
                    prop_assert!(raise.why.measures.iter().all(|m| m.value.is_finite()));
                    prop_assert!((0.0..=1.0).contains(&raise.score), "{}: score {}", raise.algorithm, raise.score);
                }
                Decision::End { alarm, .. } => prop_assert!(open.remove(alarm).is_some(), "an end without a raise"),
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_within_the_dwell(site in any_site(DWELL_SECS)) {
        let decisions = play_all(&every_task(5.0), &site.frames());
        prop_assert!(raises(&decisions).is_empty());
    }

    #[test]
    fn at_most_one_raise_per_subject_and_cool_down(site in any_site(20.0), cool_down in 2.0f32..12.0) {
        let decisions = play_all(&every_task(cool_down), &site.frames());
        let mut last = BTreeMap::new();
        for raise in raises(&decisions) {
            let subject = (raise.task, raise.track, raise.zone.clone().filter(|_| raise.track.is_none()));
            // Without a track the subject is a place: several may lie in one zone.
            let several = raise.track.is_none() && raise.boxes.iter().any(|b| b.subject);
            if let Some(before) = last.insert(subject, raise.decided_at).filter(|_| !several) {
                let apart = raise.decided_at.since(before).as_secs_f32();
                prop_assert!(apart >= cool_down - 1e-3, "{}: {apart} s apart", raise.algorithm);
            }
        }
    }

    #[test]
    fn the_order_of_detections_is_irrelevant_and_a_replay_is_the_same(site in any_site(12.0), seed in any::<u64>()) {
        let (frames, tasks) = (site.frames(), every_task(5.0));
        let first = play_all(&tasks, &frames);
        prop_assert_eq!(&first, &play_all(&tasks, &frames));
        prop_assert_eq!(&first, &play_all(&tasks, &shuffled(&frames, seed)));
    }

    #[test]
    fn time_going_backwards_changes_nothing(site in any_site(12.0), back in 0u64..5_000_000, every in 1usize..5) {
        let (frames, tasks) = (site.frames(), every_task(5.0));
        let mut analyzer = CameraAnalyzer::new(site_classes());
        analyzer.set_tasks(tasks.clone());
        let mut out = Vec::new();
        for (i, frame) in frames.iter().enumerate() {
            step(&mut analyzer, &tasks, frame, &mut out);
            if i % every == 0 {
                let before = frame.0 - Duration::from_micros(back);
                step(&mut analyzer, &tasks, &(before, frames[i / 2].1.clone()), &mut out);
                analyzer.idle(before, &mut out);
            }
        }
        prop_assert_eq!(out, play_all(&tasks, &frames));
    }

    #[test]
    fn new_names_and_mutes_elsewhere_keep_tracks_and_decisions(site in any_site(12.0), cut in 5usize..24) {
        let (frames, tasks) = (site.frames(), every_task(600.0));
        let cut = cut.min(frames.len());
        let mut analyzer = CameraAnalyzer::new(site_classes());
        analyzer.set_tasks(tasks.clone());
        let mut out = Vec::new();
        for frame in &frames[..cut] {
            step(&mut analyzer, &tasks, frame, &mut out);
        }
        let before: Vec<u64> = analyzer.tracks().map(|t| t.track).collect();
        let mut renamed = tasks.clone();
        renamed.reverse();
        for task in &mut renamed {
            task.name = "另一个名字".into();
        }
        analyzer.set_tasks(renamed);
        prop_assert_eq!(before, analyzer.tracks().map(|t| t.track).collect::<Vec<_>>());
        for frame in &frames[cut..] {
            step(&mut analyzer, &tasks, frame, &mut out);
        }
        // Alarm numbers and the order within a frame follow the order of tasks, which changed.
        let what = |decisions: &[Decision]| {
            let key = |r: &&analytics::Raise| (r.decided_at, r.task, r.track, r.zone.clone());
            let mut all: Vec<_> = raises(decisions).iter().map(key).collect();
            all.sort();
            all
        };
        prop_assert_eq!(what(&out), what(&play_all(&tasks, &frames)));
    }

    #[test]
    fn taking_tasks_away_ends_their_alarms(site in any_site(10.0)) {
        let (frames, tasks) = (site.frames(), every_task(600.0));
        let mut analyzer = CameraAnalyzer::new(site_classes());
        analyzer.set_tasks(tasks.clone());
        let mut out = Vec::new();
        for frame in &frames {
            step(&mut analyzer, &tasks, frame, &mut out);
        }
        analyzer.set_tasks(vec![]);
        analyzer.idle(START + Duration::from_secs(11), &mut out);
        prop_assert_eq!(raises(&out).len(), ends(&out).len());
    }

    /// One steady scene; whatever frames are lost, nothing is seen that was not there.
    #[test]
    fn dropped_frames_add_no_events(
        (x, y, height, _, _) in any_part(), speed in 0.02f32..0.04, kind in 0u8..8, seed in any::<u64>()
    ) {
        let walk = move |t: f32| (0.2 * x + speed * t, y);
        let actor = worker(x, y, height).walks(walk);
        let actors = vec![if kind % 2 == 0 { actor } else { actor.helmet() }];
        let things = match kind {
            0 => vec![gear("no_life_jacket", height, walk)],
            1 => vec![gear("harness", height, walk)],
            2 => vec![thing("hand_cart", (x, y), (0.1, 0.1)).walks(move |t| (walk(t).0 + 0.08, y))],
            3 => vec![thing("motorcycle", (0.5, y), (0.1, 0.12))],
            4 => vec![thing("truck", (0.5, y), (0.3, 0.3))],
            5 => vec![thing("ponding", (0.5, 0.9), (0.3, 0.2))],
            _ => vec![],
        };
        let frames = site(film(20.0, actors), things).frames();
        let mut noise = Noise(seed);
        // Never more than 1.4 s in a row: longer, and nobody can tell whether it is the same person.
        let mut row = 0;
        let kept: Vec<Frame> = frames.iter().filter(|_| {
            row = if noise.share() < 0.5 && row < 6 { row + 1 } else { 0 };
            row == 0
        }).cloned().collect();
        let tasks = every_task(600.0);
        let (all, fewer) = (play_all(&tasks, &frames), play_all(&tasks, &kept));
        for algorithm in Algorithm::ALL {
            let count = |d: &[Decision]| raises(d).iter().filter(|r| r.algorithm == algorithm).count();
            prop_assert!(count(&fewer) <= count(&all), "{algorithm}: {} instead of {}", count(&fewer), count(&all));
        }
    }
}
