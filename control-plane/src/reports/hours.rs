//! The weekly rule of A12 摄像头画面质量异常 (a): during the working hours of a whole week, fewer than 10 person
//! sightings on each day, means that the camera sees nothing of the work.
//!
//! Pure: rows of counts in, a verdict out.

/// Sightings of one camera in one local hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HourlyCount {
    /// Days since 1970-01-01, local.
    pub(crate) day: i64,
    /// 0–23, local.
    pub(crate) hour: u8,
    pub(crate) persons: u64,
}

/// When people work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkingHours {
    /// First hour, 0–23.
    pub(crate) from: u8,
    /// First hour after, 1–24.
    pub(crate) to: u8,
}

/// Fewer sightings than this on a day are none worth the name (requirement A12).
pub(crate) const FEWEST_PER_DAY: u64 = 10;

/// Days of the rule.
pub(crate) const DAYS: i64 = 7;

/// What a week of counts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Week {
    /// A day is missing: the edge or the camera was away, which other alarms tell.
    Unknown,
    /// On some day enough people were seen.
    Normal,
    /// On each day fewer than [`FEWEST_PER_DAY`].
    Deserted,
}

/// Judges the [`DAYS`] days before `today`. A day counts when all of its working hours were reported; two rows of
/// one hour are added.
pub(crate) fn judge(rows: &[HourlyCount], today: i64, hours: WorkingHours) -> Week {
    let mut deserted = true;
    for day in today - DAYS..today {
        let of_day = || rows.iter().filter(|r| r.day == day && (hours.from..hours.to).contains(&r.hour));
        if !(hours.from..hours.to).all(|hour| of_day().any(|r| r.hour == hour)) {
            return Week::Unknown;
        }
        deserted &= of_day().map(|r| r.persons).sum::<u64>() < FEWEST_PER_DAY;
    }
    if deserted { Week::Deserted } else { Week::Normal }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOURS: WorkingHours = WorkingHours { from: 8, to: 18 };

    fn week(per_hour: u64) -> Vec<HourlyCount> {
        (93..100).flat_map(|day| (8..18).map(move |hour| HourlyCount { day, hour, persons: per_hour })).collect()
    }

    #[test]
    fn a_week_without_people_is_deserted() {
        assert_eq!(judge(&week(0), 100, HOURS), Week::Deserted);
        assert_eq!(judge(&week(1), 100, HOURS), Week::Normal, "ten a day are enough");
        let mut nine = week(1);
        nine.iter_mut().filter(|r| r.hour == 8).for_each(|r| r.persons = 0);
        assert_eq!(judge(&nine, 100, HOURS), Week::Deserted, "nine on each day are not");
        let mut one_day = nine.clone();
        one_day[0].persons = 1;
        assert_eq!(judge(&one_day, 100, HOURS), Week::Normal, "one ordinary day is enough");
        let mut at_night = week(0);
        at_night.push(HourlyCount { day: 95, hour: 22, persons: 500 });
        assert_eq!(judge(&at_night, 100, HOURS), Week::Deserted, "only working hours count");
        assert_eq!(judge(&week(0), 101, HOURS), Week::Unknown, "today's yesterday is missing");
        assert_eq!(judge(&week(0)[1..], 100, HOURS), Week::Unknown);
        assert_eq!(judge(&[], 100, HOURS), Week::Unknown);
    }

    proptest! {
        /// The order of rows does not matter, and more people never make a week deserted.
        #[test]
        fn more_people_never_desert(persons in prop::collection::vec(0_u64..4, 70), more in 0_usize..70) {
            let mut rows = week(0);
            rows.iter_mut().zip(&persons).for_each(|(r, p)| r.persons = *p);
            let verdict = judge(&rows, 100, HOURS);
            let mut fuller = rows.clone();
            fuller[more].persons += 5;
            fuller.reverse();
            prop_assert!(verdict == Week::Deserted || judge(&fuller, 100, HOURS) == Week::Normal);
            rows.reverse();
            prop_assert_eq!(judge(&rows, 100, HOURS), verdict);
        }
    }
}
