//! Days and clock times of China Standard Time (UTC+8, no summer time), where the sites are.

use protocol::Timestamp;

const DAY: i64 = 24 * 3600 * 1_000_000;
const OFFSET: i64 = 8 * 3600 * 1_000_000;

/// Days since 1970-01-01 in local time.
pub(crate) const fn day(at: Timestamp) -> i64 {
    (at.as_micros().saturating_add(OFFSET)).div_euclid(DAY)
}

/// Hour of the local day, 0–23.
pub(crate) const fn hour(at: Timestamp) -> u8 {
    (at.as_micros().saturating_add(OFFSET).rem_euclid(DAY) / (DAY / 24)) as u8
}

/// When local day `day` begins.
pub(crate) const fn day_start(day: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(DAY).saturating_sub(OFFSET))
}

/// Year, month and day of a count of days since 1970-01-01, in the proleptic Gregorian calendar.
///
/// Eras of 400 years begin on 1 March, so that the leap day is the last day of a year.
pub(crate) const fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// `2026-11-23`.
pub(crate) fn date_text(day: i64) -> String {
    let (y, m, d) = date(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// `2026-11-23 00:30:05`.
pub(crate) fn text(at: Timestamp) -> String {
    let seconds = (at.as_micros().saturating_add(OFFSET)).rem_euclid(DAY) / 1_000_000;
    format!("{} {:02}:{:02}:{:02}", date_text(day(at)), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (day, expect) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_780, "2026-11-23"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date_text(day), expect);
        }
        let at = Timestamp::from_secs(1_795_365_005);
        assert_eq!((text(at).as_str(), day(at)), ("2026-11-23 00:30:05", 20_780));
        assert_eq!(day(day_start(20_780)), 20_780);
        assert_eq!(day(Timestamp::from_micros(day_start(20_780).as_micros() - 1)), 20_779);
    }
}
