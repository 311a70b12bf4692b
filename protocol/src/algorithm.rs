//! The site algorithms and what the users call them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A site algorithm 算法 (row ids of the requirements in parentheses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// 未戴安全帽 (A0): a worker's bare head.
    NoHelmet,
    /// 周界入侵 / 人员非法进出 (A0): a person inside a forbidden zone.
    Intrusion,
    /// 人员聚集 (A0): too many people in a zone for too long.
    Crowd,
}

/// A name that no algorithm has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm {0:?}; known are no_helmet, intrusion, crowd")]
pub struct UnknownAlgorithm(String);

impl Algorithm {
    /// Every algorithm, in the order the console lists them.
    pub const ALL: [Self; 3] = [Self::NoHelmet, Self::Intrusion, Self::Crowd];

    /// Stable name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoHelmet => "no_helmet",
            Self::Intrusion => "intrusion",
            Self::Crowd => "crowd",
        }
    }

    /// The users' term.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::NoHelmet => "未戴安全帽",
            Self::Intrusion => "人员非法进出",
            Self::Crowd => "人员聚集",
        }
    }

    /// English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::NoHelmet => "No helmet",
            Self::Intrusion => "Intrusion",
            Self::Crowd => "Crowd",
        }
    }

    /// The row of the requirements that asks for it.
    pub const fn requirement(self) -> &'static str {
        "A0"
    }

    /// Classes that a model must know before this algorithm can run.
    pub const fn needed_classes(self) -> &'static [&'static str] {
        match self {
            Self::NoHelmet => &["person", "helmet", "head"],
            Self::Intrusion | Self::Crowd => &["person"],
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|a| a.as_str() == text).ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}
