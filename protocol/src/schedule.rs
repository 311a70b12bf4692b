//! When a task is armed 布防时段: a weekly grid in the site's own time, and the holidays that differ from it.
//!
//! The site's time is a fixed offset from UTC, as in all of China. Where clocks change twice a year, the plane sends
//! a new offset with the change.

use serde::{Deserialize, Serialize};

use crate::{Holiday, HolidayPlan, LocalDate, Timestamp};

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
    /// Days that do not follow the grid; of two entries for one day the first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
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
    /// More holidays than anybody enters.
    #[error("a schedule has at most 366 holidays")]
    TooManyHolidays,
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
        if self.holidays.len() > 366 {
            return Err(InvalidSchedule::TooManyHolidays);
        }
        if self.utc_offset_minutes.abs() > 14 * 60 {
            return Err(InvalidSchedule::Offset);
        }
        let bad = |s: &ScheduleSpan| s.weekday > 6 || s.from_minute >= s.to_minute || s.to_minute > 1440;
        self.spans.iter().position(bad).map_or(Ok(()), |i| Err(InvalidSchedule::Span(i)))
    }

    /// Whether the schedule is armed at `now`. Without spans every minute is armed that no holiday disarms.
    pub fn is_armed(&self, now: Timestamp) -> bool {
        let local = now.as_micros().div_euclid(MICROS_PER_MINUTE) + i64::from(self.utc_offset_minutes);
        let (day, minute) = (local.div_euclid(MINUTES_PER_DAY), local.rem_euclid(MINUTES_PER_DAY) as u16);
        // 1970-01-01 was a Thursday, weekday 3.
        let weekday = (day + 3).rem_euclid(7) as u8;
        let by_grid = |weekday| {
            let spans = &self.spans;
            spans.is_empty()
                || spans.iter().any(|s| s.weekday == weekday && (s.from_minute..s.to_minute).contains(&minute))
        };
        match self.plan_of(day) {
            None => by_grid(weekday),
            Some(HolidayPlan::AllDay) => true,
            Some(HolidayPlan::Off) => false,
            Some(HolidayPlan::LikeMonday) => by_grid(0),
            Some(HolidayPlan::LikeSunday) => by_grid(6),
        }
    }

    /// What the day `days` after 1970-01-01 means, when it does not follow the grid.
    fn plan_of(&self, days: i64) -> Option<HolidayPlan> {
        let holidays = Some(&self.holidays).filter(|h| !h.is_empty())?;
        let date = LocalDate::from_days(days)?;
        holidays.iter().find(|h| h.date == date).map(|h| h.plan)
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
            holidays: vec![],
        };
        assert!(grid(0).is_armed(now));
        assert!(!grid(6).is_armed(now));
        assert!(Schedule::default().is_armed(now));
    }

    #[test]
    fn holidays_go_before_the_grid() {
        // Monday 2026-11-23, 00:30 and 12:00 in Shanghai.
        let (night, noon) = (Timestamp::from_secs(1_795_365_000), Timestamp::from_secs(1_795_406_400));
        let schedule = |plan| Schedule {
            utc_offset_minutes: 480,
            spans: vec![
                ScheduleSpan { weekday: 0, from_minute: 0, to_minute: 60 },
                ScheduleSpan { weekday: 6, from_minute: 11 * 60, to_minute: 13 * 60 },
            ],
            holidays: vec![Holiday { date: "2026-11-23".parse().unwrap(), plan }],
        };
        for (plan, expect) in [
            (HolidayPlan::AllDay, (true, true)),
            (HolidayPlan::Off, (false, false)),
            (HolidayPlan::LikeMonday, (true, false)),
            (HolidayPlan::LikeSunday, (false, true)),
        ] {
            let got = (schedule(plan).is_armed(night), schedule(plan).is_armed(noon));
            assert_eq!(got, expect, "{plan:?}");
        }
        // The day before, in UTC still the same Sunday: the holiday counts in the site's time.
        let sunday_noon = noon - std::time::Duration::from_hours(24);
        assert!(schedule(HolidayPlan::Off).is_armed(sunday_noon));
        assert!(!Schedule { spans: vec![], ..schedule(HolidayPlan::Off) }.is_armed(noon));
    }
}
