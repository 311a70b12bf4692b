//! Days that do not follow the weekly grid 节假日: public holidays, and the working weekends 调休 that pay for them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A day of the calendar in the site's own time, written `2027-02-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day: write year-month-day, e.g. 2027-02-06")]
pub struct InvalidDate(String);

impl LocalDate {
    /// The day `days` after 1970-01-01; `None` outside the years 1 to 9999.
    pub fn from_days(days: i64) -> Option<Self> {
        // Proleptic Gregorian calendar in eras of 400 years that begin on 1 March, so that a leap day ends its year.
        let shifted = days.checked_add(719_468)?;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let year = u16::try_from(year).ok().filter(|y| (1..=9_999).contains(y))?;
        Some(Self { year, month: month as u8, day: day as u8 })
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for LocalDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let shape = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            let mut parts = text.split('-').filter(|_| shape);
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            let (year, month, day) = (year.parse::<u16>().ok()?, month.parse::<u8>().ok()?, day.parse::<u8>().ok()?);
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            let length = match month {
                2 => 28 + u8::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let real = year > 0 && (1..=12).contains(&month) && (1..=length).contains(&day);
            (real && parts.next().is_none()).then_some(Self { year, month, day })
        };
        // A written day has one form: `2027-2-6` and `0002027-02` are refused with the rest.
        parse().filter(|d| d.to_string() == text).ok_or_else(|| InvalidDate(text.chars().take(20).collect()))
    }
}

impl TryFrom<String> for LocalDate {
    type Error = InvalidDate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LocalDate> for String {
    fn from(date: LocalDate) -> Self {
        date.to_string()
    }
}

/// What a holiday means for a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayPlan {
    /// Armed all day 全天布防: the site is closed, whoever comes is an intruder.
    #[default]
    AllDay,
    /// Not armed at all 全天撤防.
    Off,
    /// Armed as on a Sunday.
    LikeSunday,
    /// Armed as on a Monday: a weekend that is worked 调休.
    LikeMonday,
}

/// One day that does not follow the weekly grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Which day, in the site's own time.
    pub date: LocalDate,
    /// What it means.
    #[serde(default)]
    pub plan: HolidayPlan,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_count_from_1970() {
        for (days, expect) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (20_780, "2026-11-23"),
            (20_855, "2027-02-06"),
            (-719_162, "0001-01-01"),
        ] {
            assert_eq!(LocalDate::from_days(days).unwrap().to_string(), expect);
        }
        assert_eq!(LocalDate::from_days(i64::MAX), None);
        assert_eq!(LocalDate::from_days(-719_163), None);
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in
            ["", "2027-02-29", "2027-13-01", "2027-00-10", "2027-2-6", "27-02-06", "2027-02-06 ", "２０２７-02-06"]
        {
            assert!(text.parse::<LocalDate>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_reads_back_and_days_follow_each_other(days in -700_000i64..2_900_000) {
            let day = LocalDate::from_days(days).unwrap();
            prop_assert_eq!(day.to_string().parse::<LocalDate>().unwrap(), day);
            prop_assert!(LocalDate::from_days(days + 1).unwrap() > day);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}") {
            let _ = text.parse::<LocalDate>();
        }
    }
}
