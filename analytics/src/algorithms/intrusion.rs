//! 周界入侵 / 人员非法进出 (requirement A0): a person inside a forbidden zone.
//!
//! # What is seen
//! Tracked persons. A person is where its foot point is, the middle of the box's lower edge: a zone is drawn on
//! the ground. An exclude zone wins over an include zone; without an include zone the whole picture is forbidden.
//!
//! # What decides
//! Each look at a person votes *inside* or *outside*. `votes_needed` of the newest `votes_window` looks must say
//! inside, and the first of them must be at least `dwell_secs` ago. One event per person. It ends when the votes
//! say outside, or when the person is unseen for more than 3 s. Standing on the line does not make events: the
//! votes have hysteresis.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote 置信度阈值 |
//! | `min_target_px` | px | 40 | persons smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 1 | 停留时间 |
//! | `cool_down_secs` | s | 600 | quiet time per person 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//!
//! # How it fails
//! * Legs hidden behind a barrier put the foot point too far up the picture: the person seems to stand further
//!   away. Draw the zone up to where feet can be seen.
//! * Somebody who leaves the picture for longer than 3 s comes back as somebody else and alarms again.
//! * A person-shaped thing that never moves alarms once per place, and not again while it keeps being seen.

use protocol::{Task, Timestamp};

use super::{About, Rule, decisions, ends};
use crate::{
    decision::Decision,
    numbers::Numbers,
    place::Place,
    scene::Scene,
    subject::{Look, Subjects},
    votes::Vote,
};

/// State of one intrusion task; subjects are person tracks.
#[derive(Debug, Default)]
pub(crate) struct Intrusion {
    subjects: Subjects,
}

impl Rule for Intrusion {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let look = |person: &&crate::tracker::Track| {
            let seen = &person.seen;
            let clear =
                seen.score >= task.params.min_score && scene.pixels(&seen.bbox) >= task.params.min_target_px as f32;
            let violation = task.zone_of(seen.bbox.foot_point()).is_some();
            Look {
                key: person.id,
                track: person.id,
                place: Place::of_person(&seen.bbox, scene.aspect),
                moved: person.moved,
                inside: true,
                vote: clear.then_some(Vote { violation, weight: 1.0, score: seen.score }),
            }
        };
        let looks: Vec<Look> = scene.persons.iter().map(look).collect();
        let mut changes = Vec::new();
        self.subjects.step(scene, &task.params, &looks, alarms, &mut changes);
        let about = |key| {
            let person = scene.persons.iter().find(|p| p.id == key)?;
            let zone = task.zone_of(person.seen.bbox.foot_point())?.to_owned();
            let index = scene.persons.iter().position(|p| p.id == key)?;
            let mut tracks = vec![key];
            tracks.extend(scene.head_of(index).map(|h| h.id));
            Some(About { zone, tracks, path: person.history.path(key, scene.classes) })
        };
        decisions(scene, task, changes, about, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }
}
