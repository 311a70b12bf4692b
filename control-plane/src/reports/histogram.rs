//! Durations as counts in buckets that grow geometrically, so that quantiles of any selection of days can be
//! added up from rows.

use std::time::Duration;

/// Buckets per doubling: a quantile is off by at most 1/16 of a doubling, 4.5 %.
const PER_DOUBLING: f64 = 8.0;

/// The bucket of a duration; under a second is bucket 0.
pub(crate) fn bucket(duration: Duration) -> i64 {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 { 0 } else { (seconds.log2() * PER_DOUBLING).floor() as i64 + 1 }
}

/// The geometric middle of a bucket, seconds.
pub(crate) fn middle(bucket: i64) -> f64 {
    if bucket <= 0 { 0.5 } else { ((bucket as f64 - 0.5) / PER_DOUBLING).exp2() }
}

/// The `q` quantile (0–1) in seconds of counts by bucket, in ascending order of buckets; `None` without counts.
pub(crate) fn quantile(counts: &[(i64, i64)], q: f64) -> Option<f64> {
    let total: i64 = counts.iter().map(|(_, n)| n.max(&0)).sum();
    // The rank of the nearest-rank method: the smallest duration that at least q of all do not exceed.
    let rank = ((total as f64 * q).ceil() as i64).max(1);
    let mut seen = 0;
    for (bucket, n) in counts {
        seen += n.max(&0);
        if seen >= rank {
            return Some(middle(*bucket));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The quantile of the histogram is within a bucket of the quantile of the durations themselves.
        #[test]
        fn quantiles_are_close(mut secs in prop::collection::vec(1.0_f64..1e6, 1..200), q in 0.0_f64..=1.0) {
            let mut counts = BTreeMap::new();
            for s in &secs {
                *counts.entry(bucket(Duration::from_secs_f64(*s))).or_insert(0_i64) += 1;
            }
            let counts: Vec<_> = counts.into_iter().collect();
            secs.sort_by(f64::total_cmp);
            let rank = ((secs.len() as f64 * q).ceil() as usize).max(1);
            let exact = secs[rank - 1];
            let found = quantile(&counts, q).unwrap();
            prop_assert!((found / exact).log2().abs() <= 0.5 / PER_DOUBLING + 1e-9, "{found} {exact}");
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[(3, 0)], 0.5), None);
        assert!(quantile(&[(0, 2)], 0.9).unwrap() < 1.0);
    }
}
