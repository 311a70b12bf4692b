//! 周界入侵 / 人员非法进出 (requirement A0): a person inside a forbidden zone, or beyond a line.
//!
//! # What is seen
//! Tracked persons. By default a person is where its foot point is, the middle of the box's lower edge: a zone is
//! drawn on the ground. An exclude zone wins over an include zone. Without an include zone and without a line the
//! whole picture is forbidden.
//!
//! A line 绊线 counts in the direction it was drawn for: seen along the drawing direction from left to right, from
//! right to left, or both. What is tested is the path of the foot point, with hysteresis: whoever trembles on a line
//! or walks round its end has not crossed it. With lines alone, only crossing them is forbidden; with lines and
//! zones, either is.
//!
//! # What decides
//! Each look at a person votes *inside* or *outside*. Beyond a line, a person counts as inside from the crossing until
//! the way back over the same line; somebody who was never seen crossing has no vote there. `votes_needed` of the newest
//! `votes_window` looks must say inside, and the first of them must be at least `dwell_secs` ago. One event per
//! person. It ends when the votes say outside, or when the person is unseen for more than 3 s. Standing on the border
//! of a zone does not make events: the votes have hysteresis.
//!
//! Where a task 携带大型物资出入工地 of the same camera explains a person, in a zone of the same name or where that task's
//! own zone is, the alarm is held back and logged with the reason `large_material`. While that is still being
//! decided the alarm waits.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `min_score` | 0–1 | 0.4 | looks below it do not vote; a zone may have its own 置信度阈值 |
//! | `min_target_px` | px | 40 | persons smaller than this do not vote 最小目标 |
//! | `votes_needed` of `votes_window` | looks | 3 of 5 | 投票 |
//! | `dwell_secs` | s | 1 | 停留时间, counted from the crossing for a line |
//! | `cool_down_secs` | s | 600 | quiet time per person 单目标抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how a person must lie in a zone 重叠方式 |
//!
//! The event of a crossing says which line and which way (`crossed`: −1 leftward, +1 rightward).
//!
//! # How it fails
//! * Legs hidden behind a barrier put the foot point too far up the picture: the person seems to stand further
//!   away, and seems to cross a line that runs across the barrier. Draw zones up to where feet can be seen, and lines
//!   where they are seen on both sides; for a fence take 目标占比.
//! * Somebody who leaves the picture for longer than 3 s comes back as somebody else and alarms again.
//! * Who crosses a line while hidden, or changes the track number right on it, is not seen crossing.
//! * A person-shaped thing that never moves alarms once per place and day.

use protocol::{InZone, Measure, Task, Timestamp};

use super::{About, Rule, decisions_with, ends};
use crate::{
    decision::Decision,
    lines::{self, Beyond, Crossings, Standing},
    numbers::Numbers,
    place::Place,
    scene::{Explained, Scene},
    subject::{Hold, Look, Subjects},
    tracker::Track,
    votes::Vote,
};

/// State of one intrusion task; subjects are person tracks.
#[derive(Debug, Default)]
pub(crate) struct Intrusion {
    subjects: Subjects,
    crossings: Crossings,
}

/// Where a person is.
struct Sighting<'a> {
    person: &'a Track,
    zone: Option<InZone<'a>>,
    beyond: Option<Beyond>,
    /// Whether being neither inside nor beyond speaks for the person.
    outside: bool,
}

impl Rule for Intrusion {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let sightings: Vec<_> = scene.persons.iter().map(|person| self.sighting(scene, task, person)).collect();
        self.crossings.forget(scene.at, scene.patience_secs);
        let looks: Vec<Look> = sightings.iter().map(|s| s.look(scene, task)).collect();
        let find = |key| sightings.iter().find(|s| s.person.id == key);
        let hold = |look: &Look| find(look.key).map_or(Hold::No, |s| s.explained(scene, task));
        let mut changes = Vec::new();
        self.subjects.step_unless(scene, &task.params, &looks, hold, alarms, &mut changes);
        let about = |key| {
            let sighting = find(key)?;
            let index = scene.persons.iter().position(|p| p.id == key)?;
            let mut tracks = vec![key];
            tracks.extend(scene.head_of(index).map(|h| h.id));
            let path = sighting.person.history.path(key, scene.classes);
            Some(About { zone: sighting.name(task).to_owned(), tracks, path })
        };
        let measures = |key| find(key).and_then(|s| s.crossing(task)).into_iter().collect();
        decisions_with(scene, task, changes, about, measures, out);
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let mut changes = Vec::new();
        self.subjects.end_all(at, &mut changes);
        self.crossings.clear();
        ends(changes, out);
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.subjects.alarmed());
    }
}

impl Intrusion {
    fn sighting<'a>(&mut self, scene: &Scene<'a>, task: &'a Task, person: &'a Track) -> Sighting<'a> {
        let bbox = &person.seen.bbox;
        let at_lines = if task.lines.is_empty() {
            Standing::default()
        } else {
            self.crossings.step(person.id, bbox.foot_point(), bbox.h, scene.aspect, scene.at, &task.lines)
        };
        let lines_only = lines::any_to_cross(task) && task.counts_everywhere();
        Sighting {
            person,
            zone: task.zone_of_box(bbox).filter(|_| !lines_only),
            beyond: at_lines.beyond.filter(|_| !task.is_excluded(bbox)),
            outside: !lines_only || at_lines.came_back || task.is_excluded(bbox),
        }
    }
}

impl Sighting<'_> {
    fn name<'t>(&'t self, task: &'t Task) -> &'t str {
        let line = || self.beyond.map_or("", |b| task.lines[b.line].name.as_str());
        self.zone.map_or_else(line, |z| z.name)
    }

    fn look(&self, scene: &Scene<'_>, task: &Task) -> Look {
        let seen = &self.person.seen;
        let violation = self.zone.is_some() || self.beyond.is_some();
        let min_score = self.zone.map_or(task.params.min_score, |z| z.min_score);
        let clear = seen.score >= min_score && scene.pixels(&seen.bbox) >= task.params.min_target_px as f32;
        Look {
            key: self.person.id,
            track: self.person.id,
            place: Place::of_person(&seen.bbox, scene.aspect),
            moved: self.person.moved,
            inside: true,
            vote: (clear && (violation || self.outside)).then_some(Vote { violation, weight: 1.0, score: seen.score }),
        }
    }

    fn explained(&self, scene: &Scene<'_>, task: &Task) -> Hold {
        let zone = self.name(task);
        let here = |e: &&Explained| e.track == self.person.id && (e.here || e.zone == zone);
        let reasons: Vec<&Explained> = scene.explained.iter().filter(here).collect();
        match reasons.iter().find(|e| e.sure) {
            Some(explained) => Hold::Suppress(explained.reason),
            None if reasons.is_empty() => Hold::No,
            None => Hold::Wait,
        }
    }

    fn crossing(&self, task: &Task) -> Option<Measure> {
        let beyond = self.beyond.filter(|_| self.zone.is_none())?;
        let label = Some(task.lines[beyond.line].name.clone());
        Some(Measure { name: "crossed".into(), value: beyond.way.sign() as f32, limit: None, label })
    }
}
