//! Numbers of reports 上报编号: `GS20261123-000017`, the local day of arrival and a count that never goes back.

use protocol::Timestamp;

use crate::china_time;

/// The number of the event that came in as number `seq` at `received`.
pub(crate) fn write(received: Timestamp, seq: i64) -> String {
    let (y, m, d) = china_time::date(china_time::day(received));
    format!("GS{y:04}{m:02}{d:02}-{seq:06}")
}

/// The count in a number, when `text` is one.
pub(crate) fn read(text: &str) -> Option<i64> {
    let (day, seq) = text.trim().get(2..)?.split_once('-')?;
    let ours = text.trim().get(..2)?.eq_ignore_ascii_case("gs") && day.len() == 8;
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if ours && digits(day) && digits(seq) { seq.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        let text = write(Timestamp::from_secs(1_795_365_000), 17);
        assert_eq!((text.as_str(), read(&text)), ("GS20261123-000017", Some(17)));
        for other in ["", "GS", "工", "工地南门-1", "GS20261123", "GS2026112-1", "gs20261123-x", "GS20261123--1"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
