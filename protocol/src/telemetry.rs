//! What an edge counted in one hour at one camera: for the weekly rule of 画面质量异常 and for the entry and exit
//! log of 工程车辆.
//!
//! A message says all of its hour. A repeated one for the same camera and hour replaces the one before, so that an
//! edge may report an hour again after a restart, and delivery may happen twice.

use serde::{Deserialize, Serialize};

use crate::{CameraId, Timestamp};

/// The counts of one camera in one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourlyCounts {
    /// First instant of the hour: a multiple of 3600 s since 1970 (UTC).
    pub hour_start: Timestamp,
    /// Where.
    pub camera: CameraId,
    /// For how many seconds of the hour frames were analysed, 0–3600. An hour without a picture is not an hour
    /// without people.
    pub analysed_secs: u16,
    /// One row per kind, by kind; at most [`HourlyCounts::MAX_ROWS`].
    pub rows: Vec<CountRow>,
}

/// How many of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRow {
    /// `person`, or the class of a vehicle.
    pub kind: String,
    /// How many came in 进场.
    pub entered: u32,
    /// How many went out 出场.
    pub left: u32,
    /// How many different ones were seen.
    pub seen: u32,
}

/// Counts that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCounts {
    /// Not the start of an hour.
    #[error("hour_start must be a full hour (UTC)")]
    Hour,
    /// More than an hour has.
    #[error("analysed_secs must be within 0 to 3600")]
    Analysed,
    /// Too many rows.
    #[error("an hour has at most 64 rows")]
    TooManyRows,
    /// A row without a usable kind, or a kind twice.
    #[error("row {0} needs a kind of 1 to 60 characters that no other row has")]
    Kind(usize),
}

impl HourlyCounts {
    /// The most rows of one hour.
    pub const MAX_ROWS: usize = 64;

    /// Checks what came over the wire.
    ///
    /// # Errors
    /// When the hour is not a full one, or the rows are too many or without a kind of their own.
    pub fn validate(&self) -> Result<(), InvalidCounts> {
        if self.hour_start.as_micros().rem_euclid(3_600_000_000) != 0 {
            return Err(InvalidCounts::Hour);
        }
        if self.analysed_secs > 3_600 {
            return Err(InvalidCounts::Analysed);
        }
        if self.rows.len() > Self::MAX_ROWS {
            return Err(InvalidCounts::TooManyRows);
        }
        let bad = |(i, row): (usize, &CountRow)| {
            let named = (1..=60).contains(&row.kind.chars().count()) && !row.kind.trim().is_empty();
            (!named || self.rows[..i].iter().any(|r| r.kind == row.kind)).then_some(i)
        };
        self.rows.iter().enumerate().find_map(bad).map_or(Ok(()), |i| Err(InvalidCounts::Kind(i)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_hour() {
        let row = |kind: &str| CountRow { kind: kind.into(), entered: 1, left: 0, seen: 2 };
        let counts = |secs, rows| HourlyCounts {
            hour_start: Timestamp::from_secs(secs),
            camera: CameraId::new(Timestamp::from_secs(0)),
            analysed_secs: 3_600,
            rows,
        };
        assert_eq!(counts(7_200, vec![row("person"), row("dump_truck")]).validate(), Ok(()));
        assert_eq!(counts(7_201, vec![]).validate(), Err(InvalidCounts::Hour));
        assert_eq!(counts(0, vec![row("person"), row("person")]).validate(), Err(InvalidCounts::Kind(1)));
        assert_eq!(counts(0, vec![row(" ")]).validate(), Err(InvalidCounts::Kind(0)));
        let many = (0..65).map(|i| row(&i.to_string())).collect();
        assert_eq!(counts(0, many).validate(), Err(InvalidCounts::TooManyRows));
        let long = HourlyCounts { analysed_secs: 3_601, ..counts(0, vec![]) };
        assert_eq!(long.validate(), Err(InvalidCounts::Analysed));
    }
}
