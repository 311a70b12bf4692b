//! Subjects: who is being voted on, since when, and whether there is an alarm for them.
//!
//! The part that 未戴安全帽 and 人员非法进出 share. A rule says who was looked at and what was seen; this says
//! when that becomes an alarm and when the alarm is over:
//!
//! * raised when the votes accuse, the condition has lasted for the dwell, and neither the subject's nor the
//!   task's cool-down runs; on a frame that itself shows the violation, so that the snapshot shows it too;
//! * over when the votes clear, or when nobody has seen the subject for a while;
//! * a newcomer near the place where a subject with an alarm was just lost *is* that subject: a track that
//!   changes its number does not alarm twice;
//! * a subject that never moved and comes back to the very same place within the cool-down is the same thing
//!   (a poster, a helmet on a post), however often the detector loses it.
//!
//! Cool-downs start when an alarm is raised and at no other time: what was filtered out costs nothing.

use std::{collections::BTreeMap, time::Duration};

use protocol::{TaskParams, Timestamp, Why};

use crate::{
    numbers::Numbers,
    place::Place,
    scene::Scene,
    votes::{Counting, Verdict, Vote, Votes},
};

/// Same place and size for something that never moved: statures, and ratio of statures.
const SAME_SPOT: (f32, f32) = (0.15, 1.25);

/// What a rule saw of somebody on this frame.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Who: a number of the rule's own choice.
    pub(crate) key: u64,
    /// The track that an alarm would name.
    pub(crate) track: u64,
    /// Where.
    pub(crate) place: Place,
    /// Whether it ever moved.
    pub(crate) moved: bool,
    /// Whether it counts here; somebody outside the zone keeps the cool-down, but not the alarm.
    pub(crate) inside: bool,
    /// What it says; `None` when it says nothing either way.
    pub(crate) vote: Option<Vote>,
}

/// What changed for a subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// An alarm began.
    Raise { key: u64, alarm: u64, started_at: Timestamp, score: f32, why: Why },
    /// An alarm is over.
    End { alarm: u64, at: Timestamp },
}

#[derive(Debug)]
struct Subject {
    key: u64,
    place: Place,
    moved: bool,
    /// When it was last seen at all, and when it was last seen inside.
    seen_at: Timestamp,
    inside_at: Timestamp,
    votes: Votes,
    /// Since when the violation lasts, and when it was last seen.
    violation: Option<(Timestamp, Timestamp)>,
    alarm: Option<u64>,
    /// Whether an alarm ended because nobody saw the subject any more.
    ended_unseen: bool,
    quiet_until: Option<Timestamp>,
}

/// All subjects of one task.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    known: Vec<Subject>,
    /// Places of alarms for things that never moved, and until when they are remembered.
    spots: Vec<(Place, Timestamp)>,
    /// Tracks that alarms named, and until when they are quiet: a track may pass from subject to subject.
    named: BTreeMap<u64, Timestamp>,
    quiet_until: Option<Timestamp>,
}

impl Subjects {
    /// Takes the looks of one frame.
    pub(crate) fn step(
        &mut self,
        scene: &Scene<'_>,
        params: &TaskParams,
        looks: &[Look],
        alarms: &mut Numbers,
        out: &mut Vec<Change>,
    ) {
        let counting = counting(params);
        self.spots.retain(|(_, until)| *until > scene.at);
        self.named.retain(|_, until| *until > scene.at);
        for look in looks {
            let index = self.find_or_inherit(scene, look, looks);
            let subject = &mut self.known[index];
            subject.look(scene, look, &counting, out);
            let quiet = self.quiet_until.is_some_and(|t| t > scene.at) || self.named.contains_key(&look.track);
            if !quiet && subject.is_due(scene.at, params, &counting, look) {
                self.named.insert(look.track, scene.at + Duration::from_secs_f32(params.cool_down_secs));
                self.raise(index, scene.at, params, &counting, alarms, out);
            }
        }
        self.end_for_the_absent(scene, out);
        self.forget_the_gone(scene, params);
    }

    /// Takes `other` for `key`, when it turns out that both are one.
    pub(crate) fn merge(&mut self, key: u64, other: u64, at: Timestamp, out: &mut Vec<Change>) {
        let Some(from) = self.known.iter().position(|s| s.key == other) else { return };
        let mut from = self.known.remove(from);
        let Some(into) = self.known.iter_mut().find(|s| s.key == key) else {
            from.key = key;
            self.known.push(from);
            return;
        };
        if from.votes.len() > into.votes.len() {
            into.votes = from.votes;
            into.violation = from.violation;
        }
        into.quiet_until = into.quiet_until.max(from.quiet_until);
        if let Some(alarm) = from.alarm {
            if into.alarm.is_none() {
                into.alarm = Some(alarm);
            } else {
                out.push(Change::End { alarm, at });
            }
        }
    }

    /// Ends every alarm and forgets everybody; cool-downs of subjects are lost with them.
    pub(crate) fn end_all(&mut self, at: Timestamp, out: &mut Vec<Change>) {
        let ends = self.known.drain(..).filter_map(|s| s.alarm);
        out.extend(ends.map(|alarm| Change::End { alarm, at }));
    }

    /// The subjects with an open alarm.
    pub(crate) fn alarmed(&self) -> impl Iterator<Item = u64> {
        self.known.iter().filter(|s| s.alarm.is_some()).map(|s| s.key)
    }

    fn find_or_inherit(&mut self, scene: &Scene<'_>, look: &Look, looks: &[Look]) -> usize {
        if let Some(index) = self.known.iter().position(|s| s.key == look.key) {
            return index;
        }
        let lost_near = |s: &Subject| {
            let unseen_secs = scene.at.since(s.seen_at).as_secs_f32();
            let open = s.alarm.is_some() || s.quiet_until.is_some_and(|t| t > scene.at);
            let distance = s.place.distance(&look.place);
            let near = distance <= 0.5 + 0.8 * unseen_secs && s.place.size_ratio(&look.place) <= 2.0;
            let lost = !looks.iter().any(|l| l.key == s.key);
            (open && lost && near && unseen_secs <= scene.inherit_secs).then_some(distance)
        };
        let heir = self.known.iter().enumerate().filter_map(|(i, s)| lost_near(s).map(|d| (i, d)));
        if let Some((index, _)) = heir.min_by(|a, b| a.1.total_cmp(&b.1)) {
            self.known[index].key = look.key;
            return index;
        }
        self.known.push(Subject {
            key: look.key,
            place: look.place,
            moved: look.moved,
            seen_at: scene.at,
            inside_at: scene.at,
            votes: Votes::default(),
            violation: None,
            alarm: None,
            ended_unseen: false,
            quiet_until: None,
        });
        self.known.len() - 1
    }

    fn raise(
        &mut self,
        index: usize,
        now: Timestamp,
        params: &TaskParams,
        counting: &Counting,
        alarms: &mut Numbers,
        out: &mut Vec<Change>,
    ) {
        let cool_down = Duration::from_secs_f32(params.cool_down_secs);
        let subject = &mut self.known[index];
        if !subject.moved
            && let Some((_, until)) = self.spots.iter_mut().find(|(place, _)| same_spot(place, &subject.place))
        {
            *until = now + cool_down;
            subject.quiet_until = Some(*until);
            return;
        }
        let Some((since, _)) = subject.violation else { return };
        let (votes_for, votes_against) = subject.votes.counts();
        let alarm = alarms.next();
        subject.alarm = Some(alarm);
        subject.quiet_until = Some(now + cool_down);
        self.quiet_until = Some(now + Duration::from_secs_f32(params.task_cool_down_secs));
        out.push(Change::Raise {
            key: subject.key,
            alarm,
            started_at: since,
            score: subject.votes.median_score(),
            why: Why {
                votes_for,
                votes_against,
                votes_needed: counting.needed,
                votes_window: counting.window,
                lasted_secs: now.since(since).as_secs_f32(),
                dwell_secs: params.dwell_secs,
                ..Why::default()
            },
        });
    }

    fn end_for_the_absent(&mut self, scene: &Scene<'_>, out: &mut Vec<Change>) {
        for subject in &mut self.known {
            if scene.at.since(subject.inside_at).as_secs_f32() > scene.patience_secs
                && let Some(alarm) = subject.alarm.take()
            {
                // For something that never moved: it counts as raised until the cool-down has passed unseen.
                subject.ended_unseen = subject.seen_at == subject.inside_at;
                out.push(Change::End { alarm, at: subject.inside_at });
            }
        }
    }

    fn forget_the_gone(&mut self, scene: &Scene<'_>, params: &TaskParams) {
        let (subjects, spots) = (&mut self.known, &mut self.spots);
        subjects.retain(|s| {
            if scene.at.since(s.seen_at).as_secs_f32() <= scene.patience_secs {
                return true;
            }
            let raised = s.ended_unseen || s.quiet_until.is_some_and(|t| t > scene.at);
            if raised && !s.moved {
                spots.retain(|(place, _)| !same_spot(place, &s.place));
                spots.push((s.place, s.seen_at + Duration::from_secs_f32(params.cool_down_secs)));
            }
            false
        });
    }
}

impl Subject {
    fn look(&mut self, scene: &Scene<'_>, look: &Look, counting: &Counting, out: &mut Vec<Change>) {
        let unseen_secs = self.violation.map_or(0.0, |(_, last)| scene.at.since(last).as_secs_f32());
        if unseen_secs > scene.patience_secs && self.alarm.is_none() {
            self.violation = None;
            self.votes.clear();
        }
        self.place = look.place;
        self.moved |= look.moved;
        self.ended_unseen = false;
        self.seen_at = scene.at;
        if look.inside {
            self.inside_at = scene.at;
        }
        let Some(vote) = look.vote else { return };
        self.votes.push(scene.at, vote, counting);
        if vote.violation {
            self.violation = Some((self.violation.map_or(scene.at, |(since, _)| since), scene.at));
        }
        if self.votes.verdict(counting) == Verdict::Cleared {
            self.violation = None;
            if let Some(alarm) = self.alarm.take() {
                out.push(Change::End { alarm, at: scene.at });
            }
        }
    }

    fn is_due(&self, now: Timestamp, params: &TaskParams, counting: &Counting, look: &Look) -> bool {
        self.alarm.is_none()
            && look.vote.is_some_and(|v| v.violation)
            && self.violation.is_some_and(|(since, _)| now.since(since).as_secs_f32() >= params.dwell_secs)
            && self.quiet_until.is_none_or(|t| t <= now)
            && self.votes.verdict(counting) == Verdict::Accused
    }
}

fn same_spot(a: &Place, b: &Place) -> bool {
    a.distance(b) <= SAME_SPOT.0 && a.size_ratio(b) <= SAME_SPOT.1
}

/// Spaces the votes so that a full window spans the dwell, whatever the rate of frames.
fn counting(params: &TaskParams) -> Counting {
    let window = params.votes_window.max(1);
    let spacing_secs = (params.dwell_secs / window as f32).clamp(0.1, 1.0) * 0.9;
    Counting { needed: params.votes_needed.max(1), window, spacing_secs }
}
