//! Scenarios of 人员聚集.

use crate::scene::*;
use protocol::{Algorithm, ParamsSpec, Schedule, Task, ZoneKind, ZoneSpec};

fn yard(params: ParamsSpec, zones: Vec<ZoneSpec>) -> Task {
    task(Algorithm::Crowd, params, zones, Schedule::default())
}

fn usual() -> Task {
    yard(ParamsSpec::default(), vec![])
}

/// `n` people side by side.
fn group(n: usize) -> Vec<Actor> {
    (0..n).map(|i| worker(0.2 + 0.09 * i as f32, 0.8, 0.3)).collect()
}

fn group_during(n: usize, from: f32, until: f32) -> Vec<Actor> {
    group(n).into_iter().map(|a| a.during(from, until)).collect()
}

fn case(name: &'static str, film: Film, task: Task, raises: usize, ends: usize, first: std::ops::Range<f32>) -> Case {
    Case { name, film, task, raises, ends, first }
}

const NEVER: std::ops::Range<f32> = 0.0..0.0;
const SOON: std::ops::Range<f32> = 5.0..6.5;

#[test]
fn scenarios() {
    let breathing = || {
        let mut people = group(3);
        people.push(worker(0.7, 0.8, 0.3).body(|t| ((t / 2.0) as u32).is_multiple_of(2) || t < 10.0).head(|_| false));
        people
    };
    let left = || zone("东侧", ZoneKind::Include, [0.0, 0.5, 0.375, 0.95]);
    let right = || zone("西侧", ZoneKind::Include, [0.375, 0.5, 0.9, 0.95]);
    for case in [
        case("four people", film(12.0, group(4)), usual(), 1, 0, SOON),
        case("three people", film(20.0, group(3)), usual(), 0, 0, NEVER),
        case("four people at 2 fps", film(12.0, group(4)).fps(2.0), usual(), 1, 0, 5.0..7.0),
        case("four people at 25 fps", film(12.0, group(4)).fps(25.0), usual(), 1, 0, SOON),
        case("gone before the dwell", film(20.0, group_during(5, 2.0, 6.0)), usual(), 0, 0, NEVER),
        case("dissolves", film(25.0, group_during(5, 0.0, 12.0)), usual(), 1, 1, SOON),
        case("a crowd that breathes is one event", film(60.0, breathing()), usual(), 1, 0, SOON),
        case(
            "three now and then, never for long",
            film(60.0, {
                let mut people = group(3);
                people.push(worker(0.7, 0.8, 0.3).body(|t| t % 6.0 < 2.0).head(|_| false));
                people
            }),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "a crowd of two",
            film(12.0, group(2)),
            yard(ParamsSpec { crowd_size: Some(2), ..Default::default() }, vec![]),
            1,
            0,
            SOON,
        ),
        case("one in four missed", film(40.0, group(5)).noisy(11, 0.25, 0.03), usual(), 1, 0, 5.0..8.0),
        case("three, one in four missed", film(60.0, group(3)).noisy(12, 0.25, 0.03), usual(), 0, 0, NEVER),
        case(
            "half here, half there",
            film(20.0, group(4)),
            yard(ParamsSpec::default(), vec![left(), right()]),
            0,
            0,
            NEVER,
        ),
        case(
            "two zones, two crowds",
            film(20.0, group(5)),
            yard(ParamsSpec { crowd_size: Some(2), ..Default::default() }, vec![left(), right()]),
            2,
            0,
            SOON,
        ),
        case(
            "some stand where it does not count",
            film(20.0, group(5)),
            yard(ParamsSpec::default(), vec![zone("门口", ZoneKind::Exclude, [0.0, 0.5, 0.375, 0.95])]),
            0,
            0,
            NEVER,
        ),
        case(
            "a second crowd within the cool-down",
            film(40.0, [group_during(4, 0.0, 10.0), group_during(4, 20.0, 40.0)].into_iter().flatten().collect()),
            usual(),
            1,
            1,
            SOON,
        ),
        case(
            "a second crowd after the cool-down",
            film(50.0, [group_during(4, 0.0, 10.0), group_during(4, 25.0, 50.0)].into_iter().flatten().collect()),
            yard(ParamsSpec { cool_down_secs: Some(15.0), ..Default::default() }, vec![]),
            2,
            1,
            SOON,
        ),
        case(
            "only moving heads are seen",
            film(
                12.0,
                (0..4)
                    .map(|i| worker(0.0, 0.0, 0.3).walks(move |t| (0.2 + 0.12 * i as f32 + 0.02 * t, 0.8)).head_only())
                    .collect(),
            ),
            usual(),
            1,
            0,
            5.0..11.0,
        ),
        case(
            "a shelf of helmets",
            film(30.0, group(6).into_iter().map(|a| a.helmet().head_only()).collect()),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "too small to count",
            film(20.0, (0..6).map(|i| worker(0.1 + 0.1 * i as f32, 0.5, 0.05)).collect()),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "too unsure to count",
            film(20.0, group(6).into_iter().map(|a| a.score(0.32)).collect()),
            usual(),
            0,
            0,
            NEVER,
        ),
        case(
            "passing one after another",
            film(30.0, (0..6).map(|i| worker(0.5, 0.8, 0.3).during(5.0 * i as f32, 5.0 * i as f32 + 4.0)).collect()),
            usual(),
            0,
            0,
            NEVER,
        ),
    ] {
        check(&case);
    }
}

#[test]
fn an_alarm_counts_the_people() {
    let frames = film(8.0, group(6)).frames();
    let decisions = play(vec![usual()], &frames);
    let raise = raises(&decisions)[0];
    assert_eq!((raise.why.people, raise.why.people_needed), (6, 4));
    assert_eq!((raise.zone.as_deref(), raise.track), (None, None));
    assert_eq!(raise.boxes.iter().filter(|b| b.subject).count(), 6);
}
