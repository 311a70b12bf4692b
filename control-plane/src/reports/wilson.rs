//! The Wilson score interval of a share: honest about few samples, never outside 0 to 1.
//!
//! Source: E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, 1927.

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Lower and upper end of the 95 % interval of `hits` out of `of`; `None` without samples.
pub(crate) fn interval(hits: u64, of: u64) -> Option<(f64, f64)> {
    if of == 0 {
        return None;
    }
    let (n, p) = (of as f64, hits.min(of) as f64 / of as f64);
    let denominator = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / denominator;
    let half = Z / denominator * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((centre - half).max(0.0), (centre + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_samples_say_little() {
        assert_eq!(interval(0, 0), None);
        // Values from R: binom::binom.wilson(3, 112), (0, 10), (10, 10).
        for (hits, of, low, high) in [(3, 112, 0.00915, 0.07583), (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0)] {
            let (l, h) = interval(hits, of).unwrap();
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{hits}/{of}: {l} {h}");
        }
    }

    proptest! {
        #[test]
        fn the_share_is_inside(of in 1_u64..100_000, part in 0.0_f64..=1.0) {
            let hits = (of as f64 * part) as u64;
            let (low, high) = interval(hits, of).unwrap();
            let share = hits as f64 / of as f64;
            prop_assert!(0.0 <= low && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1.0);
        }
    }
}
