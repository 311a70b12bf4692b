//! Terms 办理时限 of the closed loop: until when the next step is due, which light shows, when to remind.
//!
//! Pure; the clock is an argument. A person may set another due time than the term says.

use std::time::Duration;

use protocol::{Severity, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::lifecycle::State;

/// A due time's light 红黄灯.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DueLight)]
pub(crate) enum Light {
    /// Less than a quarter of the term is left.
    Yellow,
    /// Overdue.
    Red,
}

/// Reminders that one due time leads to at most: one when it passes, one more per further term.
pub(crate) const MOST_REMINDERS: i64 = 3;

/// How long an event may stay in `state`; `None` at the ends of the loop. Graver ones sooner.
pub(crate) const fn term(state: State, severity: Severity) -> Option<Duration> {
    let [red, orange, yellow] = match state {
        State::Pending => [30, 2 * 60, 8 * 60],
        State::Confirmed => [2 * 60, 8 * 60, 24 * 60],
        State::Dispatched | State::InProgress => [24 * 60, 3 * 24 * 60, 7 * 24 * 60],
        State::InReview => [24 * 60, 2 * 24 * 60, 3 * 24 * 60],
        State::Closed | State::FalseAlarm | State::Duplicate | State::Ignored => return None,
    };
    Some(Duration::from_mins(match severity {
        Severity::Red => red,
        Severity::Orange => orange,
        Severity::Yellow => yellow,
    }))
}

/// When the next step is due for an event that came into `state` now.
pub(crate) fn due(state: State, severity: Severity, now: Timestamp) -> Option<Timestamp> {
    term(state, severity).map(|term| now + term)
}

/// Which light shows.
pub(crate) fn light(state: State, severity: Severity, due: Option<Timestamp>, now: Timestamp) -> Option<Light> {
    let (due, term) = (due?, term(state, severity)?);
    if now >= due { Some(Light::Red) } else { (due.since(now) < term / 4).then_some(Light::Yellow) }
}

/// How many reminders there should have been by now, and when the next one is due.
pub(crate) fn reminders(due: Timestamp, term: Duration, now: Timestamp) -> (i64, Option<Timestamp>) {
    if now < due {
        return (0, Some(due));
    }
    let terms = now.since(due).as_micros() / term.as_micros().max(1);
    let level = i64::try_from(terms).unwrap_or(i64::MAX).saturating_add(1).min(MOST_REMINDERS);
    let next = (level < MOST_REMINDERS).then(|| due + term * u32::try_from(level).unwrap_or(1));
    (level, next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lights_change_with_the_time() {
        let now = Timestamp::from_secs(0);
        let due = due(State::Pending, Severity::Red, now);
        assert_eq!(due, Some(Timestamp::from_secs(1800)));
        let at = |secs| light(State::Pending, Severity::Red, due, Timestamp::from_secs(secs));
        assert_eq!([at(0), at(1350), at(1351), at(1799)], [None, None, Some(Light::Yellow), Some(Light::Yellow)]);
        assert_eq!([at(1800), at(9999)], [Some(Light::Red); 2]);
        assert_eq!(light(State::Closed, Severity::Red, due, Timestamp::from_secs(9999)), None);
    }

    proptest! {
        /// Whenever one looks, the count of reminders only grows, and the next is in the future until the last.
        #[test]
        fn reminders_come_in_order(term in 1_u64..100_000, looks in prop::collection::vec(0_i64..1_000_000, 1..20)) {
            let (term, due) = (Duration::from_secs(term), Timestamp::from_secs(1000));
            let mut looks = looks;
            looks.sort_unstable();
            let mut before = 0;
            for look in looks {
                let now = Timestamp::from_secs(look);
                let (level, next) = reminders(due, term, now);
                prop_assert!(level >= before && level <= MOST_REMINDERS);
                prop_assert_eq!(next.is_none(), level == MOST_REMINDERS);
                prop_assert!(next.is_none_or(|next| next > now));
                prop_assert_eq!(level > 0, now >= due);
                before = level;
            }
        }
    }
}
