//! What all rules share: muted places, cool-downs, scores per zone, and what looks are worth.

use std::time::Duration;

use analytics::{Appearance, CameraAnalyzer, Decision, FrameInput, PictureLook};
use protocol::{Algorithm, BoundingBox, Mute, ParamsSpec, Schedule, Severity, Task, TaskId, ZoneKind};

use crate::{scene::*, site::*};

/// A post at (0.6, 0.8) that a detector takes for a person: there for 6 s of every 12.
fn post() -> Actor {
    worker(0.6, 0.8, 0.35).body(|t| t % 12.0 < 6.0).head(|_| false)
}

fn mute_at(x: f32, class: &str, embedding: Vec<f32>) -> Mute {
    Mute { bbox: BoundingBox::new(x - 0.035, 0.45, 0.07, 0.35), class: class.into(), embedding, until: None }
}

fn muted(mute: Mute) -> Task {
    Task { mutes: vec![mute], ..plain(Algorithm::Intrusion) }
}

fn numbered(n: u64, task: Task) -> Task {
    Task { id: TaskId::new(START + Duration::from_secs(n)), ..task }
}

/// Alarms and reasons for which alarms were held back.
fn outcome(decisions: &[Decision]) -> (usize, Vec<&'static str>) {
    (raises(decisions).len(), suppressed(decisions).iter().map(|s| s.reason).collect())
}

#[test]
fn a_muted_place_alarms_no_more_and_says_so_once() {
    let mutes = |mute| outcome(&play(vec![muted(mute)], &film(60.0, vec![post()]).frames()));
    let held = (0, vec!["muted_place"]);
    assert_eq!(mutes(mute_at(0.6, "person", vec![])), held);
    assert_eq!(mutes(mute_at(0.62, "person", vec![])), held, "a little beside it");
    assert_eq!(mutes(mute_at(0.7, "person", vec![])), (1, vec![]), "elsewhere");
    assert_eq!(mutes(mute_at(0.6, "head", vec![])), (1, vec![]), "of another class");
    assert_eq!(mutes(Mute { until: Some(START), ..mute_at(0.6, "person", vec![]) }), (1, vec![]), "no longer in force");
}

#[test]
fn a_muted_head_is_muted_whichever_way_it_is_taken() {
    let shelf = || worker(0.5, 0.8, 0.4).head_only();
    let bbox = BoundingBox::new(0.5 - 0.015, 0.4, 0.03, 0.4 / 7.5);
    for class in ["head", "helmet"] {
        let mute = Mute { bbox, class: class.into(), embedding: vec![], until: None };
        let task = Task { mutes: vec![mute], ..plain(Algorithm::NoHelmet) };
        assert_eq!(outcome(&play(vec![task], &film(20.0, vec![shelf()]).frames())), (0, vec!["muted_place"]));
    }
}

#[test]
fn who_walks_to_a_muted_place_is_not_muted() {
    let walk = |t: f32| ((0.3 + 0.05 * t).min(0.6), 0.8);
    let pit = vec![zone("基坑", ZoneKind::Include, [0.5, 0.5, 0.9, 0.95])];
    let mutes = vec![mute_at(0.6, "person", vec![])];
    let task = Task { mutes, ..task(Algorithm::Intrusion, ParamsSpec::default(), pit, Schedule::default()) };
    let decisions = play(vec![task], &film(20.0, vec![worker(0.0, 0.0, 0.35).walks(walk)]).frames());
    assert_eq!(outcome(&decisions), (1, vec![]));
}

#[test]
fn a_mute_on_a_running_task_ends_the_alarm_and_keeps_the_cool_down() {
    let frames = film(40.0, vec![worker(0.6, 0.8, 0.35).head(|_| false)]).frames();
    let mut analyzer = CameraAnalyzer::new(classes());
    let task = plain(Algorithm::Intrusion);
    analyzer.set_tasks(vec![task.clone()]);
    let mut out = Vec::new();
    step_all(&mut analyzer, &frames[..50], &mut out);
    assert_eq!((raises(&out).len(), ends(&out).len()), (1, 0));
    analyzer.set_tasks(vec![Task { mutes: vec![mute_at(0.6, "person", vec![])], ..task }]);
    step_all(&mut analyzer, &frames[50..], &mut out);
    assert_eq!(ends(&out), [(1, 10.0)], "one click ends it at the next frame");
    assert_eq!(outcome(&out), (1, vec![]), "within its cool-down there is nothing to hold back");
}

/// Everything looks like this.
#[derive(Debug)]
struct Looks(Vec<f32>);

impl Appearance for Looks {
    fn embedding(&self, _: &BoundingBox) -> Option<Vec<f32>> {
        (!self.0.is_empty()).then(|| self.0.clone())
    }
}

#[test]
fn where_both_know_the_look_it_must_be_the_same() {
    let frames = film(20.0, vec![post()]).frames();
    let look = |now: Vec<f32>| {
        let appearance = Looks(now);
        let mut analyzer = CameraAnalyzer::new(classes());
        analyzer.set_tasks(vec![muted(mute_at(0.6, "person", vec![0.6, 0.8, 0.0]))]);
        let mut out = Vec::new();
        for (at, detections) in &frames {
            let input = FrameInput { appearance: Some(&appearance), ..FrameInput::new(*at, SIZE, detections) };
            analyzer.step(&input, &mut out);
        }
        outcome(&out)
    };
    let held = (0, vec!["muted_place"]);
    assert_eq!(look(vec![0.6, 0.8, 0.0]), held);
    assert_eq!(look(vec![0.5, 0.8, 0.2]), held, "in another light");
    assert_eq!(look(vec![0.8, -0.6, 0.0]), (1, vec![]), "somebody else");
    assert_eq!(look(vec![]), held, "when it cannot be told, the place decides");
    assert_eq!(look(vec![0.0, 1.0]), held, "of another model, the place decides");
}

#[test]
fn a_thing_that_never_moves_alarms_once_a_day_however_short_the_cool_down() {
    let params = ParamsSpec { cool_down_secs: Some(20.0), ..Default::default() };
    let task = task(Algorithm::Intrusion, params, vec![], Schedule::default());
    // Seen for 6 s, lost for 54.
    let rare = worker(0.6, 0.8, 0.35).body(|t| t % 60.0 < 6.0).head(|_| false);
    let decisions = play(vec![task], &film(600.0, vec![rare]).frames());
    assert_eq!(raises(&decisions).len(), 1);
}

#[test]
fn a_camera_cool_down_holds_for_its_grade_and_below() {
    let camera_cool_down = |secs| ParamsSpec { camera_cool_down_secs: Some(secs), ..Default::default() };
    let first = |secs| {
        let task = task(Algorithm::NoHelmet, camera_cool_down(secs), vec![], Schedule::default());
        numbered(1, Task { severity: Severity::Orange, ..task })
    };
    let second = |severity| numbered(2, Task { severity, ..plain(Algorithm::Intrusion) });
    // The bare head is there from the beginning, somebody with a helmet comes at 6 s.
    let actors = || vec![worker(0.3, 0.8, 0.35), worker(0.7, 0.8, 0.35).helmet().during(6.0, 30.0)];
    let pit = |task: Task| {
        let zones = crate::scene::task(
            Algorithm::Intrusion,
            ParamsSpec::default(),
            vec![zone("基坑", ZoneKind::Include, [0.55, 0.4, 0.9, 0.95])],
            Schedule::default(),
        );
        Task { zones: zones.zones, ..task }
    };
    let times = |cool_down, severity| -> Vec<(Algorithm, f32)> {
        let decisions = play(vec![first(cool_down), pit(second(severity))], &film(30.0, actors()).frames());
        raises(&decisions).iter().map(|r| (r.algorithm, crate::scene::secs(r.decided_at))).collect()
    };
    let (helmet, intrusion) = (Algorithm::NoHelmet, Algorithm::Intrusion);
    let at = |times: &[(Algorithm, f32)], what| times.iter().find(|(a, _)| *a == what).map(|(_, t)| *t).unwrap();

    let free = times(0.0, Severity::Yellow);
    assert_eq!(free.len(), 2);
    assert!((7.0..8.5).contains(&at(&free, intrusion)), "{free:?}");
    let held = times(15.0, Severity::Yellow);
    // Held back, not lost: it comes when the camera may speak again.
    let until = at(&held, helmet) + 15.0;
    assert!((until..until + 0.5).contains(&at(&held, intrusion)), "{held:?}");
    assert_eq!(times(15.0, Severity::Red), free, "a higher grade comes at once");
    let within_the_task =
        play(vec![first(15.0)], &film(10.0, vec![worker(0.3, 0.8, 0.35), worker(0.7, 0.8, 0.35)]).frames());
    assert_eq!(raises(&within_the_task).len(), 1, "it holds for the task itself too");
}

#[test]
fn what_is_held_back_costs_no_cool_down() {
    // Muted for 8 s only; nothing was raised, so the alarm comes as soon as the mute is over.
    let mute = Mute { until: Some(START + Duration::from_secs(8)), ..mute_at(0.6, "person", vec![]) };
    let decisions = play(vec![muted(mute)], &film(12.0, vec![worker(0.6, 0.8, 0.35).head(|_| false)]).frames());
    assert_eq!(outcome(&decisions), (1, vec!["muted_place"]));
    assert!((7.99..8.01).contains(&secs(raises(&decisions)[0].decided_at)));
}

#[test]
fn a_zone_has_its_own_score() {
    let task = |min_score| {
        let zones = vec![
            protocol::ZoneSpec { min_score, ..zone("左", ZoneKind::Include, [0.0, 0.4, 0.5, 0.98]) },
            zone("右", ZoneKind::Include, [0.5, 0.4, 1.0, 0.98]),
        ];
        task(Algorithm::Intrusion, ParamsSpec::default(), zones, Schedule::default())
    };
    let both = || vec![worker(0.3, 0.8, 0.35).score(0.55), worker(0.7, 0.8, 0.35).score(0.55)];
    let zones = |task| -> Vec<String> {
        let decisions = play(vec![task], &film(6.0, both()).frames());
        let mut zones: Vec<String> = raises(&decisions).iter().filter_map(|r| r.zone.clone()).collect();
        zones.sort();
        zones
    };
    assert_eq!(zones(task(None)), ["右", "左"]);
    assert_eq!(zones(task(Some(0.7))), ["右"]);
    let faint = || vec![worker(0.3, 0.8, 0.35).score(0.25), worker(0.7, 0.8, 0.35).score(0.25)];
    let decisions = play(vec![task(Some(0.15))], &film(6.0, faint()).frames());
    assert_eq!(raises(&decisions).len(), 1, "a lower score than the task's is seen by the tracker too");
}

/// Of five looks, 0.4 s apart, three show a bare head, and two, not so clearly, a helmet.
fn flickering() -> Actor {
    let bare = |t: f32| [0, 2, 4].contains(&((t * 2.5 + 0.01) as u32 % 5));
    worker(0.5, 0.8, 0.4).score(0.9).hat(move |t| if bare(t) { Hat::Bare } else { Hat::Unsure(0.2, 0.5) })
}

#[test]
fn blurred_looks_accuse_less() {
    let alarms = |sharpness: Option<f32>| {
        let mut analyzer = CameraAnalyzer::new(classes());
        analyzer.set_tasks(vec![plain(Algorithm::NoHelmet)]);
        let mut out = Vec::new();
        for (i, (at, detections)) in film(30.0, vec![flickering()]).fps(2.5).frames().iter().enumerate() {
            let look = sharpness.map(|sharpness| PictureLook { sharpness, ..PictureLook::default() });
            let picture = look.as_ref().filter(|_| i % 20 == 0);
            analyzer.step(&FrameInput { picture, ..FrameInput::new(*at, SIZE, detections) }, &mut out);
        }
        raises(&out).len()
    };
    assert_eq!(alarms(Some(500.0)), alarms(None), "a sharp picture is as good as one that nobody measured");
    assert_eq!((alarms(None), alarms(Some(8.0))), (1, 0));
}

#[test]
fn a_head_hidden_by_somebody_in_front_does_not_accuse() {
    // The nearer one, with a helmet, covers the head of the other; the detector guesses "bare".
    let behind = || worker(0.5, 0.7, 0.35);
    let in_front = |x: f32| worker(x, 0.95, 0.62).helmet();
    let alarms =
        |x| raises(&play(vec![plain(Algorithm::NoHelmet)], &film(15.0, vec![behind(), in_front(x)]).frames())).len();
    assert_eq!(alarms(0.5), 0, "hidden");
    assert_eq!(alarms(0.75), 1, "in the open");
}
