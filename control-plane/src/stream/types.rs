//! Bodies of the change stream.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::events::EventSummary;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeKind {
    Event,
    Camera,
    Task,
    Edge,
}

/// `event: change`: one committed change. `id:` of the message is `seq`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    pub(crate) seq: i64,
    pub(crate) kind: ChangeKind,
    /// Of the thing that changed; ask for it if it matters.
    pub(crate) id: String,
    /// The event as it is now, for `kind` = `event`.
    pub(crate) event: Option<EventSummary>,
}

/// `event: hello`: where the stream starts.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct StreamHello {
    pub(crate) seq: i64,
}

/// Where to start.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// The last `seq` that was seen; from now on when left out. `Last-Event-ID` wins over it.
    pub(crate) cursor: Option<i64>,
}

impl ChangeKind {
    const ALL: [Self; 4] = [Self::Event, Self::Camera, Self::Task, Self::Edge];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Camera => "camera",
            Self::Task => "task",
            Self::Edge => "edge",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}
