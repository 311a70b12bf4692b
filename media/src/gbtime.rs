//! Dates as GB/T 28181 writes them: local time without a zone, `2026-06-14T12:00:00[.000]`.

use std::fmt;

/// A date and time of day at the site. Fields are in range by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    milli: u16,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl LocalTime {
    /// The local time `offset_minutes` east of Greenwich, from milliseconds since 1970. Years are 1970 to
    /// 9999; times outside of that are the nearest of them.
    pub fn from_unix_ms(unix_ms: i64, offset_minutes: i32) -> Self {
        let ms = unix_ms.saturating_add(i64::from(offset_minutes) * 60_000).clamp(0, 253_402_300_799_999);
        let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let secs = of_day / 1_000;
        Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: (secs / 3_600) as u8,
            minute: (secs / 60 % 60) as u8,
            second: (secs % 60) as u8,
            milli: (of_day % 1_000) as u16,
        }
    }

    /// Milliseconds since 1970 of this time at a place `offset_minutes` east of Greenwich.
    pub fn unix_ms(self, offset_minutes: i32) -> i64 {
        let days = days(self.year.into(), self.month.into(), self.day.into());
        let secs = days * 86_400 + i64::from(self.hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second);
        (secs - i64::from(offset_minutes) * 60) * 1_000 + i64::from(self.milli)
    }

    /// Reads the forms seen in the field: `T`, space or nothing but digits between date and time, with or without
    /// fractions and `Z`, and the form of RFC 1123 (`Sun, 22 Nov 2026 02:27:11 GMT`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains(',') { rfc1123(text) } else { iso(text) }
    }

    /// The form of RFC 1123, which 2011 devices know; the zone is written as GMT whatever it is.
    pub fn rfc1123(self) -> String {
        let days = days(self.year.into(), self.month.into(), self.day.into());
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days.rem_euclid(7) as usize];
        let month = MONTHS[usize::from(self.month) - 1];
        let Self { year, day, hour, minute, second, .. } = self;
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    /// The form of the SIP `Date` header: with milliseconds.
    pub fn with_millis(self) -> String {
        format!("{self}.{:03}", self.milli)
    }

    fn checked([year, month, day, hour, minute, second]: [u32; 6], milli: u16) -> Option<Self> {
        let valid = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (hour < 24 && minute < 60 && second < 61);
        if !valid || civil(days(year.into(), month.into(), day.into())).1 != i64::from(month) {
            return None;
        }
        Some(Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: hour as u8,
            minute: minute as u8,
            second: second.min(59) as u8,
            milli,
        })
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

fn iso(text: &str) -> Option<LocalTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: Vec<u32> = whole.chars().filter_map(|c| c.to_digit(10)).collect();
    let strange = whole.chars().any(|c| !c.is_ascii_digit() && !"-/: TZtz".contains(c));
    // with separators each part is there in full; `2026-6-14` is written by some recorders
    let parts: Vec<u32> = if whole.contains(['-', '/', ':']) {
        let parts = whole.split(['-', '/', ':', 'T', 't', ' ']).map(|p| p.trim_end_matches(['Z', 'z']));
        parts.filter(|p| !p.is_empty()).map(|p| p.parse().ok()).collect::<Option<_>>()?
    } else if digits.len() == 14 {
        let number = |range: std::ops::Range<usize>| digits[range].iter().fold(0, |n, d| n * 10 + d);
        [0..4, 4..6, 6..8, 8..10, 10..12, 12..14].map(number).to_vec()
    } else {
        return None;
    };
    let parts: [u32; 6] = parts.try_into().ok()?;
    let milli = fraction.bytes().filter(u8::is_ascii_digit).chain(*b"000").take(3);
    let milli = milli.fold(0, |n, d| n * 10 + u16::from(d - b'0'));
    if strange { None } else { LocalTime::checked(parts, milli) }
}

fn rfc1123(text: &str) -> Option<LocalTime> {
    let mut words = text.split([' ', ',', ':']).filter(|w| !w.is_empty()).skip(1);
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))? as u32 + 1;
    let [year, hour, minute, second] = [(); 4].map(|()| words.next().and_then(|w| w.parse().ok()));
    LocalTime::checked([year?, month, day, hour?, minute?, second?], 0)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(LocalTime::parse(text).map(|t| t.to_string()).as_deref(), expect, "{text}");
    }

    #[test]
    fn reads_what_devices_write() {
        check("2026-06-14T12:00:00.000", Some("2026-06-14T12:00:00"));
        check("2026-11-22T02:27:11", Some("2026-11-22T02:27:11"));
        check("2026-11-22T02:27:11Z", Some("2026-11-22T02:27:11"));
        check("2026-6-4 2:07:11", Some("2026-06-04T02:07:11"));
        check("20261122022711", Some("2026-11-22T02:27:11"));
        check("Sun, 22 Nov 2026 02:27:11 GMT", Some("2026-11-22T02:27:11"));
        check("2026-02-30T00:00:00", None);
        check("now", None);
        check("2026-11-22", None);
    }

    #[test]
    fn writes_local_time() {
        let time = LocalTime::from_unix_ms(1_795_314_431_012, 480);
        assert_eq!(time.with_millis(), "2026-11-22T10:27:11.012");
        assert_eq!(time.rfc1123(), "Sun, 22 Nov 2026 10:27:11 GMT");
        assert_eq!(time.unix_ms(480), 1_795_314_431_012);
    }

    proptest! {
        #[test]
        fn there_and_back(ms in 0..253_402_000_000_000_i64, offset in -720..840) {
            prop_assume!(ms + i64::from(offset) * 60_000 >= 0);
            let time = LocalTime::from_unix_ms(ms, offset);
            prop_assert_eq!(time.unix_ms(offset), ms);
            prop_assert_eq!(LocalTime::parse(&time.with_millis()), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = LocalTime::parse(&text);
        }
    }
}
