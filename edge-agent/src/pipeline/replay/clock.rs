//! When a clip began, as people write it.

use protocol::Timestamp;

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time; write it like 2026-11-22T08:00:00+08:00")]
pub struct NotATime(String);

/// Reads a time after RFC 3339, e.g. `2026-11-22T08:00:00+08:00`. Without an offset it is UTC, without a time of day
/// midnight.
///
/// # Errors
/// When it is none.
pub fn parse_start(text: &str) -> Result<Timestamp, NotATime> {
    let bad = || NotATime(text.to_owned());
    let parsed: toml::value::Datetime = text.trim().parse().map_err(|_| bad())?;
    let date = parsed.date.ok_or_else(bad)?;
    let secs_of_day =
        parsed.time.map_or(0, |t| i64::from(t.hour) * 3_600 + i64::from(t.minute) * 60 + t.second.map_or(0, i64::from));
    let micros = parsed.time.and_then(|t| t.nanosecond).map_or(0, |n| i64::from(n) / 1_000);
    let offset_minutes = match parsed.offset {
        Some(toml::value::Offset::Custom { minutes }) => i64::from(minutes),
        _ => 0,
    };
    let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    Ok(Timestamp::from_micros((days * 86_400 + secs_of_day - offset_minutes * 60) * 1_000_000 + micros))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March, so that the leap day is the
/// last of its year; eras of 400 years have 146,097 days each.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        let check = |text: &str, secs: i64| assert_eq!(parse_start(text), Ok(Timestamp::from_secs(secs)), "{text}");
        check("1970-01-01", 0);
        check("1970-01-01T00:00:01Z", 1);
        check("2026-11-23T00:30:00+08:00", 1_795_365_000);
        check("2000-02-29T12:00:00", 951_825_600);
        check("1969-12-31 23:59:59Z", -1);
        assert_eq!(parse_start("2026-11-22T08:00:00.25Z").unwrap().as_micros() % 1_000_000, 250_000);
        for bad in ["", "yesterday", "08:00:00", "2026-13-01"] {
            assert!(parse_start(bad).is_err(), "{bad}");
        }
    }
}
