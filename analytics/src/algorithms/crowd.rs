//! 人员聚集 (requirement A0): too many people in a zone for too long.
//!
//! # What is seen
//! Tracked persons in the zone (by default those whose foot point is in it), and tracked heads (`helmet`, `head`) without a person's box
//! that have moved since they were first seen: in a dense crowd the bodies hide each other and only heads remain,
//! while a shelf of helmets does not move. A person counts for 1 s after being missed, so that one missed
//! detection does not empty the zone; not when somebody new already stands there.
//!
//! # What decides
//! At least `crowd_size` people for `dwell_secs` (gaps up to 1 s do not count) raise one event per zone. It ends
//! when for 3 s fewer than `crowd_size` − 1 people are left (for a crowd of 2: fewer than 2): a crowd that
//! breathes around the limit is one event. Each include zone is counted by itself; without one the whole picture is
//! a zone. Who is in an exclude zone does not count, nor a thing at a muted place.
//!
//! # Parameters
//! | name | unit | default | meaning |
//! | --- | --- | --- | --- |
//! | `crowd_size` | people | 4 | 聚集人数 |
//! | `dwell_secs` | s | 5 | 持续时间 |
//! | `min_score` | 0–1 | 0.4 | people below it do not count; a zone may have its own 置信度阈值 |
//! | `min_target_px` | px | 40 | people smaller than this do not count 最小目标 |
//! | `cool_down_secs` | s | 300 | quiet time per zone 区域抑制 |
//! | `task_cool_down_secs` | s | 0 | quiet time of the whole task 任务抑制 |
//! | `camera_cool_down_secs` | s | 0 | quiet time of the whole camera for this grade and below 相机抑制 |
//! | `overlap`, `min_overlap` | –, 0–1 | foot point, 0.3 | how a person must lie in a zone 重叠方式 |
//!
//! # How it fails
//! * People far away are smaller than `min_target_px`, or one box covers two of them: the count is low.
//! * A queue at the gate is a crowd. Draw an exclude zone, or a schedule without the shift changes.
//! * Mirrors and glass fronts count people twice.

use std::{collections::BTreeMap, time::Duration};

use protocol::{BoundingBox, Task, Timestamp, Why, ZoneKind};

use super::Rule;
use crate::{
    decision::{Decision, Raise},
    mute,
    numbers::Numbers,
    pairing::HeadOf,
    place::{HEADS_PER_STATURE, Place, foot_below_head},
    scene::Scene,
    tracker::Track,
};

/// How near a newcomer must be to somebody who was missed to be the same, statures.
const SAME_PERSON: f32 = 0.4;

/// State of one crowd task, by zone name.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    zones: BTreeMap<String, ZoneCount>,
    quiet_until: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct ZoneCount {
    people: BTreeMap<u64, Present>,
    /// Since when there is a crowd, and when there last was one.
    crowded: Option<(Timestamp, Timestamp)>,
    /// When there last were enough people for an open alarm to go on.
    kept_at: Timestamp,
    alarm: Option<u64>,
    quiet_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Present {
    seen_at: Timestamp,
    place: Place,
    score: f32,
}

/// Somebody on this frame.
struct Somebody {
    track: u64,
    body: BoundingBox,
    present: Present,
}

impl Rule for Crowd {
    fn step(&mut self, scene: &Scene<'_>, task: &Task, alarms: &mut Numbers, out: &mut Vec<Decision>) {
        let people = people(scene, task);
        let includes: Vec<_> = task.zones.iter().filter(|z| z.kind == ZoneKind::Include).collect();
        if includes.is_empty() {
            let counts = |s: &Somebody| s.present.score >= task.params.min_score;
            self.zone("", counts, &people, scene, task, alarms, out);
        }
        for zone in includes {
            let min_score = zone.min_score.unwrap_or(task.params.min_score);
            let counts = |s: &Somebody| s.present.score >= min_score && task.lies_in(zone, &s.body);
            self.zone(&zone.name, counts, &people, scene, task, alarms, out);
        }
    }

    fn end_all(&mut self, at: Timestamp, out: &mut Vec<Decision>) {
        let alarms = std::mem::take(&mut self.zones).into_values().filter_map(|z| z.alarm);
        out.extend(alarms.map(|alarm| Decision::End { alarm, at }));
    }

    fn alarmed_tracks(&self, out: &mut Vec<u64>) {
        out.extend(self.zones.values().filter(|z| z.alarm.is_some()).flat_map(|z| z.people.keys()));
    }
}

impl Crowd {
    #[expect(
        clippy::too_many_arguments,
        reason = "a step has a zone, a scene, a task and two places for what comes out"
    )]
    fn zone(
        &mut self,
        name: &str,
        counts: impl Fn(&Somebody) -> bool,
        people: &[Somebody],
        scene: &Scene<'_>,
        task: &Task,
        alarms: &mut Numbers,
        out: &mut Vec<Decision>,
    ) {
        if !self.zones.contains_key(name) {
            self.zones.insert(name.to_owned(), ZoneCount::default());
        }
        let Some(zone) = self.zones.get_mut(name) else { return };
        zone.count(people.iter().filter(|p| counts(p)), scene);
        zone.end_if_over(scene, task.params.crowd_size, out);
        let quiet = scene.camera_quiet || self.quiet_until.is_some_and(|t| t > scene.at);
        let Some(since) = zone.due(scene, task).filter(|_| !quiet) else { return };

        let alarm = alarms.next();
        zone.alarm = Some(alarm);
        zone.quiet_until = Some(scene.at + Duration::from_secs_f32(task.params.cool_down_secs));
        let quiet_secs = task.params.task_cool_down_secs.max(task.params.camera_cool_down_secs);
        self.quiet_until = Some(scene.at + Duration::from_secs_f32(quiet_secs));
        let tracks: Vec<u64> = zone.people.keys().copied().collect();
        out.push(Decision::Raise(Box::new(Raise {
            alarm,
            task: task.id,
            algorithm: task.algorithm,
            severity: task.severity,
            zone: (!name.is_empty()).then(|| name.to_owned()),
            track: None,
            started_at: since,
            decided_at: scene.at,
            score: zone.median_score(),
            boxes: scene.boxes(&tracks),
            path: Vec::new(),
            why: Why {
                lasted_secs: scene.at.since(since).as_secs_f32(),
                dwell_secs: task.params.dwell_secs,
                people: tracks.len() as u32,
                people_needed: task.params.crowd_size,
                ..Why::default()
            },
        })));
    }
}

impl ZoneCount {
    fn count<'a>(&mut self, inside: impl Iterator<Item = &'a Somebody>, scene: &Scene<'_>) {
        for somebody in inside {
            self.people.insert(somebody.track, somebody.present);
        }
        let seen: Vec<Place> = self.people.values().filter(|p| p.seen_at == scene.at).map(|p| p.place).collect();
        self.people.retain(|_, p| {
            let replaced = || seen.iter().any(|s| s.distance(&p.place) <= SAME_PERSON);
            let recent = scene.at.since(p.seen_at).as_secs_f32() <= scene.grace_secs;
            p.seen_at == scene.at || (recent && !replaced())
        });
    }

    fn end_if_over(&mut self, scene: &Scene<'_>, crowd_size: u32, out: &mut Vec<Decision>) {
        let keeps = if crowd_size > 2 { crowd_size - 1 } else { crowd_size };
        if self.people.len() as u32 >= keeps {
            self.kept_at = scene.at;
        } else if scene.at.since(self.kept_at).as_secs_f32() > scene.patience_secs
            && let Some(alarm) = self.alarm.take()
        {
            out.push(Decision::End { alarm, at: self.kept_at });
        }
    }

    /// Since when there has been a crowd, when that is long enough and an event may be raised now.
    fn due(&mut self, scene: &Scene<'_>, task: &Task) -> Option<Timestamp> {
        let crowd = self.people.len() as u32 >= task.params.crowd_size;
        if self.crowded.is_some_and(|(_, last)| scene.at.since(last).as_secs_f32() > scene.grace_secs) {
            self.crowded = None;
        }
        if !crowd {
            return None;
        }
        let (since, _) = *self.crowded.insert((self.crowded.map_or(scene.at, |(since, _)| since), scene.at));
        let quiet = self.quiet_until.is_some_and(|t| t > scene.at);
        let lasted = scene.at.since(since).as_secs_f32() >= task.params.dwell_secs;
        (self.alarm.is_none() && !quiet && lasted).then_some(since)
    }

    fn median_score(&self) -> f32 {
        let mut scores: Vec<f32> = self.people.values().map(|p| p.score).collect();
        scores.sort_by(f32::total_cmp);
        scores.get(scores.len() / 2).copied().unwrap_or(0.0)
    }
}

/// Everybody on the frame who may count, wherever they stand.
fn people(scene: &Scene<'_>, task: &Task) -> Vec<Somebody> {
    let persons = scene.persons.iter().map(|p| {
        let bbox = p.seen.bbox;
        somebody(p, bbox, Place::of_person(&bbox, scene.aspect), scene)
    });
    let lone_heads = scene.heads.iter().zip(&scene.heads_of).filter(|(h, of)| **of == HeadOf::Nobody && h.moved);
    let heads = lone_heads.map(|(h, _)| {
        let head = &h.seen.bbox;
        // A body below the head. Feet below the picture's edge are at the edge, the height counts all the same.
        let (foot, height) = (foot_below_head(head), head.h * HEADS_PER_STATURE);
        let body = BoundingBox::new(head.x, foot.y - height, head.w, height);
        somebody(h, body, Place::of_head(head, scene.aspect), scene)
    });
    let muted = |track| !task.mutes.is_empty() && mute::is_muted(&task.mutes, scene, &scene.together(track));
    persons
        .chain(heads)
        .filter(|s| scene.pixels(&s.body) >= task.params.min_target_px as f32)
        .filter(|s| !task.is_excluded(&s.body) && !muted(s.track))
        .collect()
}

fn somebody(track: &Track, body: BoundingBox, place: Place, scene: &Scene<'_>) -> Somebody {
    Somebody { track: track.id, body, present: Present { seen_at: scene.at, place, score: track.seen.score } }
}
