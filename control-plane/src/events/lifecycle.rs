//! The closed loop 处置闭环 of an event, as a pure function: which step leads from where to where.
//!
//! ```text
//! 待处理 ─confirm─▶ 已确认 ─dispatch─▶ 已派单 ─start─▶ 整改中 ─submit─▶ 待复核 ─close─▶ 已闭环
//!   │ └────────dispatch─┼────────────▲                 ▲                 │
//!   │                 │                                └─────reject──────┘
//!   └───── false_alarm │ duplicate │ ignore (both) ─▶ 误报 │ 重复 │ 忽略
//! ```
//! `undo` takes back one's own last step within ten minutes.

use std::time::Duration;

use protocol::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an event is in its closed loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EventState)]
pub(crate) enum State {
    /// 待处理
    #[default]
    Pending,
    /// 已确认
    Confirmed,
    /// 已派单
    Dispatched,
    /// 整改中
    InProgress,
    /// 待复核
    InReview,
    /// 已闭环
    Closed,
    /// 误报
    FalseAlarm,
    /// 重复
    Duplicate,
    /// 忽略
    Ignored,
}

/// A step a person takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EventAction)]
pub(crate) enum Action {
    /// It is true.
    Confirm,
    /// It is not; a reason is needed.
    FalseAlarm,
    /// Told already.
    Duplicate,
    /// True, but nothing to do.
    Ignore,
    /// Given to the responsible unit.
    Dispatch,
    /// The unit works on it.
    Start,
    /// The unit says it is done.
    Submit,
    /// The work was checked.
    Close,
    /// The check failed: back to 整改中.
    Reject,
    /// Take back one's own last step.
    Undo,
}

/// Why an alarm was false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FalseAlarmReason)]
pub(crate) enum Reason {
    /// 反光
    Reflection,
    /// 遮挡
    Occlusion,
    /// 相似物
    SimilarObject,
    /// 区域错误
    WrongZone,
    /// 镜头脏污
    DirtyLens,
    /// 其他
    Other,
}

/// The last step that can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastStep {
    pub(crate) by: UserId,
    pub(crate) at: Timestamp,
    pub(crate) from: State,
}

/// How long a step can be taken back.
pub(crate) const UNDO_WITHIN: Duration = Duration::from_mins(10);

impl State {
    pub(crate) const ALL: [Self; 9] = [
        Self::Pending,
        Self::Confirmed,
        Self::Dispatched,
        Self::InProgress,
        Self::InReview,
        Self::Closed,
        Self::FalseAlarm,
        Self::Duplicate,
        Self::Ignored,
    ];

    /// Stable name in the API and the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Dispatched => "dispatched",
            Self::InProgress => "in_progress",
            Self::InReview => "in_review",
            Self::Closed => "closed",
            Self::FalseAlarm => "false_alarm",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Where `action` leads from here; `None` when it cannot be taken here. `Undo` is not a step of the graph.
    pub(crate) const fn after(self, action: Action) -> Option<Self> {
        use Action as A;
        Some(match (self, action) {
            (Self::Pending, A::Confirm) => Self::Confirmed,
            (Self::Pending | Self::Confirmed, A::FalseAlarm) => Self::FalseAlarm,
            (Self::Pending | Self::Confirmed, A::Duplicate) => Self::Duplicate,
            (Self::Pending | Self::Confirmed, A::Ignore) => Self::Ignored,
            (Self::Pending | Self::Confirmed, A::Dispatch) => Self::Dispatched,
            (Self::Dispatched, A::Start) | (Self::InReview, A::Reject) => Self::InProgress,
            (Self::InProgress, A::Submit) => Self::InReview,
            (Self::InReview, A::Close) => Self::Closed,
            _ => return None,
        })
    }
}

impl Action {
    pub(crate) const ALL: [Self; 10] = [
        Self::Confirm,
        Self::FalseAlarm,
        Self::Duplicate,
        Self::Ignore,
        Self::Dispatch,
        Self::Start,
        Self::Submit,
        Self::Close,
        Self::Reject,
        Self::Undo,
    ];

    /// Stable name in the API and the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::FalseAlarm => "false_alarm",
            Self::Duplicate => "duplicate",
            Self::Ignore => "ignore",
            Self::Dispatch => "dispatch",
            Self::Start => "start",
            Self::Submit => "submit",
            Self::Close => "close",
            Self::Reject => "reject",
            Self::Undo => "undo",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

impl Reason {
    pub(crate) const ALL: [Self; 6] =
        [Self::Reflection, Self::Occlusion, Self::SimilarObject, Self::WrongZone, Self::DirtyLens, Self::Other];

    /// Stable name in the API and the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reflection => "reflection",
            Self::Occlusion => "occlusion",
            Self::SimilarObject => "similar_object",
            Self::WrongZone => "wrong_zone",
            Self::DirtyLens => "dirty_lens",
            Self::Other => "other",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// Where `user` would come to by taking `action` now; `None` when that is not possible.
pub(crate) fn step(
    state: State,
    action: Action,
    last: Option<LastStep>,
    user: UserId,
    now: Timestamp,
) -> Option<State> {
    match action {
        Action::Undo => last.filter(|l| l.by == user && now.since(l.at) < UNDO_WITHIN).map(|l| l.from),
        forward => state.after(forward),
    }
}

/// What `user` may do now.
pub(crate) fn allowed(state: State, last: Option<LastStep>, user: UserId, now: Timestamp) -> Vec<Action> {
    Action::ALL.into_iter().filter(|a| step(state, *a, last, user, now).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(format!("{n:032x}").parse::<UserId>().unwrap().as_uuid())
    }

    proptest! {
        /// Whatever people do, in whatever order: the loop stays inside its graph, only its owner undoes a
        /// step, an undo restores exactly what was, and one can always see what is possible.
        #[test]
        fn any_sequence_stays_in_the_graph(steps in prop::collection::vec((0_usize..10, 0_u128..2, 0_u64..900), 0..60)) {
            let (mut state, mut last, mut now) = (State::Pending, None, Timestamp::from_secs(0));
            for (action, by, wait) in steps {
                let (action, by) = (Action::ALL[action], user(by));
                now = now + Duration::from_secs(wait);
                let offered = allowed(state, last, by, now);
                let next = step(state, action, last, by, now);
                prop_assert_eq!(next.is_some(), offered.contains(&action));
                let Some(next) = next else { continue };
                if action == Action::Undo {
                    let undone: LastStep = last.take().unwrap();
                    prop_assert!(undone.by == by && now.since(undone.at) < UNDO_WITHIN);
                    prop_assert_eq!(next, undone.from);
                } else {
                    prop_assert!(next != state);
                    last = Some(LastStep { by, at: now, from: state });
                }
                state = next;
            }
        }
    }

    #[test]
    fn every_state_can_be_reached_and_the_ends_are_ends() {
        let mut reached = vec![State::Pending];
        let mut i = 0;
        while let Some(state) = reached.get(i).copied() {
            for next in Action::ALL.into_iter().filter_map(|a| state.after(a)) {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            i += 1;
        }
        reached.sort_unstable();
        assert_eq!(reached, State::ALL);
        for end in [State::Closed, State::FalseAlarm, State::Duplicate, State::Ignored] {
            assert!(Action::ALL.into_iter().all(|a| end.after(a).is_none()));
        }
    }

    #[test]
    fn names_read_back() {
        assert!(State::ALL.into_iter().all(|s| State::parse(s.as_str()) == Some(s)));
        assert!(Action::ALL.into_iter().all(|a| Action::parse(a.as_str()) == Some(a)));
        assert!(Reason::ALL.into_iter().all(|r| Reason::parse(r.as_str()) == Some(r)));
    }
}
