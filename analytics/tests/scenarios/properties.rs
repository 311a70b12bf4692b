//! What holds for every film.

use std::{collections::BTreeMap, time::Duration};

use crate::scene::*;
use analytics::{CameraAnalyzer, Decision, FrameInput};
use proptest::prelude::*;
use protocol::{Algorithm, Detection, ParamsSpec, Schedule, Task, ZoneKind};

/// People who stand or walk, wear a helmet, or take it off at some time.
fn any_actor() -> impl Strategy<Value = (f32, f32, f32, f32, f32, f32)> {
    (0.1f32..0.9, 0.4f32..0.95, 0.1f32..0.4, -0.05f32..0.05, 0.0f32..10.0, 3.0f32..25.0)
}

prop_compose! {
    fn any_film()(
        people in proptest::collection::vec(any_actor(), 1..6),
        fps in prop::sample::select(vec![2.0f32, 5.0, 8.0]),
        seed in any::<u64>(),
        miss in 0.0f32..0.4,
    ) -> Film {
        let actors = people.into_iter().enumerate().map(|(i, (x, y, height, speed, off, long))| {
            worker(x, y, height)
                .walks(move |t| (x + speed * t, y))
                .during(off / 2.0, off / 2.0 + long)
                .hat(move |t| if i % 2 == 0 && t > off { Hat::Bare } else { Hat::Helmet })
        });
        film(20.0, actors.collect()).fps(fps).noisy(seed, miss, 0.03)
    }
}

fn all_tasks(cool_down: f32) -> Vec<Task> {
    let zones = || {
        vec![zone("左", ZoneKind::Include, [0.0, 0.3, 0.5, 1.0]), zone("右", ZoneKind::Include, [0.5, 0.3, 1.0, 1.0])]
    };
    let params = |crowd| ParamsSpec {
        cool_down_secs: Some(cool_down),
        crowd_size: crowd,
        dwell_secs: Some(1.5),
        ..Default::default()
    };
    vec![
        task(Algorithm::NoHelmet, params(None), zones(), Schedule::default()),
        task(Algorithm::Intrusion, params(None), zones(), Schedule::default()),
        task(Algorithm::Crowd, params(Some(2)), zones(), Schedule::default()),
    ]
}

fn shuffle(detections: &mut [Detection], noise: &mut Noise) {
    for i in (1..detections.len()).rev() {
        detections.swap(i, (noise.share() * (i + 1) as f32) as usize % (i + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn never_before_the_dwell_and_each_end_has_its_raise(film in any_film()) {
        let decisions = play(all_tasks(10.0), &film.frames());
        let mut open = BTreeMap::new();
        for decision in &decisions {
            match decision {
                Decision::Raise(raise) => {
                    let lasted = raise.decided_at.since(raise.started_at).as_secs_f32();
                    prop_assert!(lasted >= 1.5, "raised after {lasted} s");
                    prop_assert!(open.insert(raise.alarm, raise.decided_at).is_none(), "a number twice");
                    prop_assert!(raise.boxes.len() <= 64 && raise.path.len() <= 64);
                }
                Decision::End { alarm, .. } => prop_assert!(open.remove(alarm).is_some(), "an end without a raise"),
                Decision::Escalate(_) | Decision::Suppress(_) => {}
            }
        }
    }

    #[test]
    fn at_most_one_raise_per_subject_and_cool_down(film in any_film(), cool_down in 2.0f32..15.0) {
        let decisions = play(all_tasks(cool_down), &film.frames());
        let mut last = BTreeMap::new();
        for raise in raises(&decisions) {
            let subject = (raise.task, raise.track, raise.zone.clone().filter(|_| raise.track.is_none()));
            if let Some(before) = last.insert(subject, raise.decided_at) {
                let apart = raise.decided_at.since(before).as_secs_f32();
                prop_assert!(apart >= cool_down - 1e-3, "{apart} s apart");
            }
        }
    }

    #[test]
    fn the_order_of_detections_is_irrelevant_and_a_replay_is_the_same(film in any_film(), seed in any::<u64>()) {
        let frames = film.frames();
        let mut noise = Noise(seed);
        let mut shuffled = frames.clone();
        for (_, detections) in &mut shuffled {
            shuffle(detections, &mut noise);
        }
        let tasks = all_tasks(10.0);
        let first = play(tasks.clone(), &frames);
        prop_assert_eq!(&first, &play(tasks.clone(), &frames));
        prop_assert_eq!(&first, &play(tasks, &shuffled));
    }

    #[test]
    fn time_going_backwards_changes_nothing(film in any_film(), back in 0u64..5_000_000, every in 1usize..5) {
        let frames = film.frames();
        let tasks = all_tasks(10.0);
        let mut analyzer = CameraAnalyzer::new(classes());
        analyzer.set_tasks(tasks.clone());
        let mut out = Vec::new();
        for (i, frame) in frames.iter().enumerate() {
            step_all(&mut analyzer, std::slice::from_ref(frame), &mut out);
            if i % every == 0 {
                let late = (frame.0 - Duration::from_micros(back), frames[i / 2].1.clone());
                step_all(&mut analyzer, &[late], &mut out);
                analyzer.idle(frame.0 - Duration::from_micros(back), &mut out);
            }
        }
        prop_assert_eq!(out, play(tasks, &frames));
    }

    #[test]
    fn a_restart_ends_what_is_open_and_starts_over(film in any_film()) {
        let frames = film.frames();
        let mut analyzer = CameraAnalyzer::new(classes());
        analyzer.set_tasks(all_tasks(10.0));
        let (mut first, mut second) = (Vec::new(), Vec::new());
        step_all(&mut analyzer, &frames, &mut first);
        analyzer.restart(START, &mut first);
        prop_assert_eq!(raises(&first).len(), ends(&first).len());
        step_all(&mut analyzer, &frames, &mut second);
        let times = |d: &[Decision]| raises(d).iter().map(|r| (r.algorithm, r.decided_at)).collect::<Vec<_>>();
        prop_assert_eq!(times(&first), times(&second));
    }

    #[test]
    fn dropped_frames_add_no_events(
        x in 0.2f32..0.8, speed in -0.02f32..0.02, bare in any::<bool>(), seed in any::<u64>()
    ) {
        let actor = worker(x, 0.8, 0.3).walks(move |t| (x + speed * t, 0.8));
        let frames = film(20.0, vec![if bare { actor } else { actor.helmet() }]).frames();
        let mut noise = Noise(seed);
        // Never more than 1.4 s in a row: longer, and nobody can tell whether it is the same person.
        let mut row = 0;
        let kept: Vec<Frame> = frames.iter().filter(|_| {
            row = if noise.share() < 0.6 && row < 6 { row + 1 } else { 0 };
            row == 0
        }).cloned().collect();
        let tasks = all_tasks(600.0);
        let (all, fewer) = (play(tasks.clone(), &frames), play(tasks, &kept));
        prop_assert!(raises(&fewer).len() <= raises(&all).len(), "{} of {} frames", kept.len(), frames.len());
    }

    #[test]
    fn a_change_of_rules_keeps_tracks_and_running_alarms(film in any_film(), cut in 10usize..30) {
        let frames = film.frames();
        let cut = cut.min(frames.len() - 1);
        let tasks = all_tasks(600.0);
        let mut analyzer = CameraAnalyzer::new(classes());
        analyzer.set_tasks(tasks.clone());
        let mut out = Vec::new();
        step_all(&mut analyzer, &frames[..cut], &mut out);
        let before: Vec<u64> = analyzer.tracks().map(|t| t.track).collect();
        let mut changed = tasks.clone();
        changed.remove(2);
        changed[0].name = "another name".into();
        changed.push(plain(Algorithm::Intrusion));
        analyzer.set_tasks(changed);
        let after: Vec<u64> = analyzer.tracks().map(|t| t.track).collect();
        prop_assert_eq!(before, after);
        step_all(&mut analyzer, &frames[cut..], &mut out);
        // The two tasks that stayed decide as if nothing had happened; the one that went has no open alarm.
        let of = |decisions: &[Decision], kept: &[Task]| -> Vec<_> {
            raises(decisions)
                .into_iter()
                .filter(|r| kept.iter().any(|t| t.id == r.task))
                .map(|r| (r.task, r.track, r.decided_at))
                .collect::<Vec<_>>()
        };
        let plain_run = play(tasks.clone(), &frames);
        prop_assert_eq!(of(&out, &tasks[..2]), of(&plain_run, &tasks[..2]));
        for raise in raises(&out).iter().filter(|r| r.task == tasks[2].id) {
            let over = ends(&out).iter().any(|(alarm, _)| *alarm == raise.alarm);
            prop_assert!(over, "the alarm of a task that was taken away stays open");
        }
    }

    #[test]
    fn rubbish_from_a_detector_is_survived(
        rubbish in proptest::collection::vec((any::<f32>(), any::<f32>(), any::<f32>(), any::<f32>(), any::<f32>(), 0u16..9), 0..40),
    ) {
        let detections: Vec<Detection> = rubbish
            .into_iter()
            .map(|(x, y, w, h, score, class)| Detection {
                class: protocol::ClassId(class),
                score,
                bbox: protocol::BoundingBox::new(x, y, w, h),
            })
            .collect();
        let mut analyzer = CameraAnalyzer::new(classes());
        analyzer.set_tasks(all_tasks(10.0));
        let mut out = Vec::new();
        for i in 0..20 {
            let at = START + Duration::from_millis(200 * i);
            analyzer.step(&FrameInput::new(at, (1280, 720), &detections), &mut out);
        }
        prop_assert!(analyzer.tracks().all(|t| t.bbox.area().is_finite()));
    }
}
