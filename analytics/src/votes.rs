//! Votes 投票: an attribute of a track is decided by k of the n newest looks at it, not by one.
//!
//! Looks are spaced in time: however many frames come per second, a slot of time has one vote, that of its
//! clearest look. The decision is asymmetric. To accuse, at least k looks must show the violation *and* their
//! weight must be a share of at least k ÷ n, where a clearing look never weighs less than [`CLEARING_FLOOR`]:
//! a blurred helmet outweighs a blurred bare head. To clear, the share must fall below half of k ÷ n.

use std::collections::VecDeque;

use protocol::Timestamp;

/// The least weight of a look that speaks for the subject.
const CLEARING_FLOOR: f32 = 0.5;

/// One look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Vote {
    /// Whether it shows the violation.
    pub(crate) violation: bool,
    /// How clear the look is, 0–1.
    pub(crate) weight: f32,
    /// Confidence of the detection.
    pub(crate) score: f32,
}

/// What the votes say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The violation is established.
    Accused,
    /// There is no violation.
    Cleared,
    /// Neither.
    Undecided,
}

/// How votes are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counting {
    /// Votes that must agree.
    pub(crate) needed: u32,
    /// Among how many newest.
    pub(crate) window: u32,
    /// Shortest time between two votes, seconds.
    pub(crate) spacing_secs: f32,
}

/// The newest votes on one subject.
#[derive(Clone, Debug, Default)]
pub(crate) struct Votes(VecDeque<(Timestamp, Vote)>);

impl Votes {
    /// Takes a look into account.
    pub(crate) fn push(&mut self, at: Timestamp, vote: Vote, counting: &Counting) {
        if let Some((slot, newest)) = self.0.back_mut()
            && at.since(*slot).as_secs_f32() < counting.spacing_secs
        {
            if vote.weight > newest.weight {
                *newest = vote;
            }
            return;
        }
        self.0.push_back((at, vote));
        while self.0.len() > counting.window as usize {
            self.0.pop_front();
        }
    }

    /// How many votes were for and against.
    pub(crate) fn counts(&self) -> (u32, u32) {
        let violations = self.0.iter().filter(|(_, v)| v.violation).count() as u32;
        (violations, self.0.len() as u32 - violations)
    }

    /// What the votes say.
    pub(crate) fn verdict(&self, counting: &Counting) -> Verdict {
        let (mut accusing, mut clearing) = (0.0, 0.0);
        for (_, vote) in &self.0 {
            if vote.violation {
                accusing += vote.weight;
            } else {
                clearing += vote.weight.max(CLEARING_FLOOR);
            }
        }
        let (votes_for, votes_against) = self.counts();
        let share: f32 = if accusing + clearing > 0.0 { accusing / (accusing + clearing) } else { 0.0 };
        let needed_share = counting.needed as f32 / counting.window.max(1) as f32;
        if votes_for >= counting.needed && share >= needed_share - 1e-4 {
            Verdict::Accused
        } else if votes_against >= counting.window.min(2) && share < needed_share / 2.0 {
            Verdict::Cleared
        } else {
            Verdict::Undecided
        }
    }

    /// Median score of the votes that show the violation; 0 without any.
    pub(crate) fn median_score(&self) -> f32 {
        let mut scores: Vec<f32> = self.0.iter().filter(|(_, v)| v.violation).map(|(_, v)| v.score).collect();
        scores.sort_by(f32::total_cmp);
        scores.get(scores.len() / 2).copied().unwrap_or(0.0)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many votes there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// `+` shows the violation, `-` does not; capital letters `P`, `M` are the same from a clear look.
    fn verdict(looks: &str, needed: u32, window: u32) -> Verdict {
        let counting = Counting { needed, window, spacing_secs: 0.3 };
        let mut votes = Votes::default();
        for (i, look) in looks.chars().enumerate() {
            let weight = if look.is_alphabetic() { 0.9 } else { 0.2 };
            let vote = Vote { violation: "+P".contains(look), weight, score: 0.6 };
            votes.push(Timestamp::from_secs(0) + Duration::from_millis(400 * i as u64), vote, &counting);
        }
        votes.verdict(&counting)
    }

    #[test]
    fn slow_to_accuse_quick_to_clear() {
        for (looks, needed, window, expect) in [
            ("", 3, 5, Verdict::Undecided),
            ("PP", 3, 5, Verdict::Undecided),
            ("PPP", 3, 5, Verdict::Accused),
            ("PMPMP", 3, 5, Verdict::Accused),
            ("PMMPM", 3, 5, Verdict::Undecided),
            ("PMMMM", 3, 5, Verdict::Cleared),
            ("MM", 3, 5, Verdict::Cleared),
            ("M", 3, 5, Verdict::Undecided),
            ("PPPMMMM", 3, 5, Verdict::Cleared),
            ("+++", 3, 5, Verdict::Accused),
            ("+-+-+", 3, 5, Verdict::Undecided), // unclear looks: two helmets outweigh three bare heads
            ("+M+M+", 3, 5, Verdict::Cleared),
            ("P-P-P", 3, 5, Verdict::Accused),
            ("P", 1, 1, Verdict::Accused),
            ("PM", 1, 1, Verdict::Cleared),
            ("PPPPP", 5, 5, Verdict::Accused),
            ("PPPMP", 5, 5, Verdict::Undecided),
            ("PPMMM", 2, 5, Verdict::Accused),
        ] {
            assert_eq!(verdict(looks, needed, window), expect, "{looks} ({needed} of {window})");
        }
    }

    #[test]
    fn a_slot_of_time_has_one_vote_the_clearest() {
        let counting = Counting { needed: 3, window: 5, spacing_secs: 0.4 };
        let mut votes = Votes::default();
        for i in 0..10 {
            let vote = Vote { violation: i != 4, weight: if i == 4 { 0.9 } else { 0.3 }, score: 0.5 };
            votes.push(Timestamp::from_micros(40_000 * i), vote, &counting);
        }
        assert_eq!(votes.counts(), (0, 1));
    }
}
