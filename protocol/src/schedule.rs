//! When a task is armed 布防时段: a weekly grid in the site's own time.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const MINUTES_PER_DAY: i64 = 24 * 60;
const MICROS_PER_MINUTE: i64 = 60 * 1_000_000;

/// One armed span within one weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpan {
    /// 0 = Monday … 6 = Sunday.
    pub weekday: u8,
    /// First armed minute of the day, 0–1439.
    pub from_minute: u16,
    /// First minute that is not armed any more, 1–1440.
    pub to_minute: u16,
}

/// A weekly grid; without spans it is always armed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Offset of the site's local time from UTC in minutes (China: 480).
    #[serde(default)]
    pub utc_offset_minutes: i16,
    /// Armed spans.
    #[serde(default)]
    pub spans: Vec<ScheduleSpan>,
}

/// Why a schedule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// A span that is empty or leaves its day.
    #[error("span {0} must lie within one weekday (0 to 6) and end after it begins")]
    Span(usize),
    /// More spans than half-hour cells in a week.
    #[error("a schedule has at most 336 spans")]
    TooMany,
    /// An offset no place on earth has.
    #[error("the offset from UTC must be within 14 hours")]
    Offset,
}

impl Schedule {
    /// Checks the spans.
    ///
    /// # Errors
    /// When a span is empty, leaves its day, or there are too many.
    pub fn validate(&self) -> Result<(), InvalidSchedule> {
        if self.spans.len() > 336 {
            return Err(InvalidSchedule::TooMany);
        }
        if self.utc_offset_minutes.abs() > 14 * 60 {
            return Err(InvalidSchedule::Offset);
        }
        let bad = |s: &ScheduleSpan| s.weekday > 6 || s.from_minute >= s.to_minute || s.to_minute > 1440;
        self.spans.iter().position(bad).map_or(Ok(()), |i| Err(InvalidSchedule::Span(i)))
    }

    /// Whether the schedule is armed at `now`.
    pub fn is_armed(&self, now: Timestamp) -> bool {
        if self.spans.is_empty() {
            return true;
        }
        let local = now.as_micros().div_euclid(MICROS_PER_MINUTE) + i64::from(self.utc_offset_minutes);
        let minute = local.rem_euclid(MINUTES_PER_DAY) as u16;
        // 1970-01-01 was a Thursday, weekday 3.
        let weekday = (local.div_euclid(MINUTES_PER_DAY) + 3).rem_euclid(7) as u8;
        self.spans.iter().any(|s| s.weekday == weekday && (s.from_minute..s.to_minute).contains(&minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armed_in_the_sites_own_time() {
        // Monday 2026-11-23 00:30 in Shanghai is Sunday 16:30 UTC.
        let now = Timestamp::from_secs(1_795_365_000);
        let grid = |weekday| Schedule {
            utc_offset_minutes: 480,
            spans: vec![ScheduleSpan { weekday, from_minute: 0, to_minute: 60 }],
        };
        assert!(grid(0).is_armed(now));
        assert!(!grid(6).is_armed(now));
        assert!(Schedule::default().is_armed(now));
    }
}
