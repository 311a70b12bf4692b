//! Subjects: who is being voted on, since when, and whether there is an alarm for them.
//!
//! The part that 未戴安全帽 and 人员非法进出 share. A rule says who was looked at and what was seen; this says
//! when that becomes an alarm and when the alarm is over:
//!
//! * raised when the votes accuse, the condition has lasted for the dwell, and no cool-down runs: not the
//!   subject's, not the task's, not the camera's; on a frame that itself shows the violation, so that the snapshot
//!   shows it too;
//! * held back at a muted place, or for a reason of the rule's own, and said so once per cool-down;
//! * over when the votes clear, or when nobody has seen the subject for a while;
//! * a newcomer near the place where a subject with an alarm was just lost *is* that subject: a track that
//!   changes its number does not alarm twice;
//! * a subject that never moved and comes back to the very same place within a day (or within the cool-down, if that
//!   is longer) is the same thing (a poster, a helmet on a post), however often the detector loses it.
//!
//! Cool-downs start when an alarm is raised and at no other time: what was filtered out costs nothing.

use std::{collections::BTreeMap, time::Duration};

use protocol::{TaskParams, Timestamp, Why};

use crate::{
    mute,
    numbers::Numbers,
    place::Place,
    scene::Scene,
    votes::{Counting, Verdict, Vote, Votes},
};

/// Same place and size for something that never moved: statures, and ratio of statures.
const SAME_SPOT: (f32, f32) = (0.15, 1.25);

/// How long the place of an alarm for something that never moved is remembered at least.
const STATIC_MEMORY: Duration = Duration::from_hours(24);
/// The most such places of one task; the oldest goes.
const MOST_SPOTS: usize = 128;
/// Shortest time between two notes that the same subject was held back.
const SHORTEST_NOTE: Duration = Duration::from_mins(1);

/// Whether something stands against an alarm that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing.
    No,
    /// Not yet; nobody needs to know.
    Wait,
    /// It is explained, for this reason.
    Suppress(&'static str),
}

/// How far the votes on somebody are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing speaks for it.
    Nothing,
    /// Some looks do, since then.
    Begun(Timestamp),
    /// The votes say so, and it has lasted for the dwell.
    Established,
}

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
    /// An alarm was due and is held back.
    Suppress { key: u64, reason: &'static str },
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
    /// Until when nobody is told again that it was held back.
    noted_until: Option<Timestamp>,
}

/// All subjects of one task.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    known: Vec<Subject>,
    /// Places of alarms for things that never moved, and until when they are remembered.
    spots: Vec<(Place, Timestamp)>,
    /// Places of things that never moved and were held back, and until when nobody is told again.
    noted: Vec<(Place, Timestamp)>,
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
        self.step_unless(scene, params, looks, |_| Hold::No, alarms, out);
    }

    /// Takes the looks of one frame; `hold` is asked when an alarm is due.
    pub(crate) fn step_unless(
        &mut self,
        scene: &Scene<'_>,
        params: &TaskParams,
        looks: &[Look],
        hold: impl Fn(&Look) -> Hold,
        alarms: &mut Numbers,
        out: &mut Vec<Change>,
    ) {
        let counting = counting(params);
        self.spots.retain(|(_, until)| *until > scene.at);
        self.noted.retain(|(_, until)| *until > scene.at);
        self.named.retain(|_, until| *until > scene.at);
        for look in looks {
            let index = self.find_or_inherit(scene, look, looks);
            let subject = &mut self.known[index];
            subject.look(scene, look, &counting, out);
            let muted = !subject.moved
                && !scene.mutes.is_empty()
                && mute::is_muted(scene.mutes, scene, &scene.together(look.track));
            if muted && let Some(alarm) = subject.alarm.take() {
                out.push(Change::End { alarm, at: scene.at });
            }
            let quiet = scene.camera_quiet
                || self.quiet_until.is_some_and(|t| t > scene.at)
                || self.named.contains_key(&look.track);
            if quiet || !subject.is_due(scene.at, params, &counting, look) {
                continue;
            }
            match if muted { Hold::Suppress("muted_place") } else { hold(look) } {
                Hold::No => self.raise(index, scene.at, params, &counting, look, alarms, out),
                Hold::Wait => {}
                Hold::Suppress(reason) => self.note(index, scene.at, params, reason, out),
            }
        }
        self.end_for_the_absent(scene, out);
        self.forget_the_gone(scene, params);
    }

    /// How far the votes on a subject are.
    pub(crate) fn progress(&self, key: u64, now: Timestamp, params: &TaskParams) -> Progress {
        let Some(subject) = self.known.iter().find(|s| s.key == key) else { return Progress::Nothing };
        let Some((since, _)) = subject.violation else { return Progress::Nothing };
        let lasted = now.since(since).as_secs_f32() >= params.dwell_secs;
        let accused = subject.votes.verdict(&counting(params)) == Verdict::Accused;
        if lasted && accused { Progress::Established } else { Progress::Begun(since) }
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
            noted_until: None,
        });
        self.known.len() - 1
    }

    /// Tells, once in a while, that a subject was held back. No cool-down begins.
    fn note(&mut self, index: usize, now: Timestamp, params: &TaskParams, reason: &'static str, out: &mut Vec<Change>) {
        let subject = &mut self.known[index];
        let known_place = !subject.moved && self.noted.iter().any(|(place, _)| same_spot(place, &subject.place));
        if known_place || subject.noted_until.is_some_and(|t| t > now) {
            return;
        }
        let until = now + Duration::from_secs_f32(params.cool_down_secs).max(SHORTEST_NOTE);
        subject.noted_until = Some(until);
        if !subject.moved {
            remember(&mut self.noted, subject.place, until);
        }
        out.push(Change::Suppress { key: subject.key, reason });
    }

    #[expect(clippy::too_many_arguments, reason = "what a step knows, and two places for what comes out")]
    fn raise(
        &mut self,
        index: usize,
        now: Timestamp,
        params: &TaskParams,
        counting: &Counting,
        look: &Look,
        alarms: &mut Numbers,
        out: &mut Vec<Change>,
    ) {
        let cool_down = Duration::from_secs_f32(params.cool_down_secs);
        let subject = &mut self.known[index];
        if !subject.moved
            && let Some((_, until)) = self.spots.iter_mut().find(|(place, _)| same_spot(place, &subject.place))
        {
            *until = now + cool_down.max(STATIC_MEMORY);
            return;
        }
        let Some((since, _)) = subject.violation else { return };
        self.named.insert(look.track, now + cool_down);
        let (votes_for, votes_against) = subject.votes.counts();
        let alarm = alarms.next();
        subject.alarm = Some(alarm);
        subject.quiet_until = Some(now + cool_down);
        let quiet_secs = params.task_cool_down_secs.max(params.camera_cool_down_secs);
        self.quiet_until = Some(now + Duration::from_secs_f32(quiet_secs));
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
                let cool_down = Duration::from_secs_f32(params.cool_down_secs);
                remember(spots, s.place, s.seen_at + cool_down.max(STATIC_MEMORY));
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

fn remember(spots: &mut Vec<(Place, Timestamp)>, place: Place, until: Timestamp) {
    spots.retain(|(known, _)| !same_spot(known, &place));
    if spots.len() == MOST_SPOTS {
        spots.remove(0);
    }
    spots.push((place, until));
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
