//! Optimal assignment (Hungarian method with potentials, O(rows² · columns)).

/// Cost of a pair that must not be formed.
pub(super) const FORBIDDEN: f32 = 1e4;

/// Pairs rows with columns so that the sum of costs is least. `cost[row][column]`; gives `(row, column)` of
/// every pair that is not [`FORBIDDEN`], by row.
pub(super) fn assign(cost: &[Vec<f32>]) -> Vec<(usize, usize)> {
    let rows = cost.len();
    let columns = cost.first().map_or(0, Vec::len);
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let mut pairs = if rows <= columns {
        solve(rows, columns, |r, c| cost[r][c])
    } else {
        solve(columns, rows, |r, c| cost[c][r]).into_iter().map(|(c, r)| (r, c)).collect()
    };
    pairs.retain(|&(r, c)| cost[r][c] < FORBIDDEN);
    pairs.sort_unstable();
    pairs
}

/// The textbook form with a virtual row and column 0; needs `rows <= columns`.
fn solve(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f32) -> Vec<(usize, usize)> {
    let mut row_potential = vec![0.0f64; rows + 1];
    let mut column_potential = vec![0.0f64; columns + 1];
    let mut row_of = vec![0usize; columns + 1];
    let mut way = vec![0usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut used = vec![false; columns + 1];
        let mut column = 0;
        loop {
            used[column] = true;
            let current = row_of[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for candidate in 1..=columns {
                if used[candidate] {
                    continue;
                }
                let reduced =
                    f64::from(cost(current - 1, candidate - 1)) - row_potential[current] - column_potential[candidate];
                if reduced < least[candidate] {
                    least[candidate] = reduced;
                    way[candidate] = column;
                }
                if least[candidate] < delta {
                    delta = least[candidate];
                    next = candidate;
                }
            }
            for candidate in 0..=columns {
                if used[candidate] {
                    row_potential[row_of[candidate]] += delta;
                    column_potential[candidate] -= delta;
                } else {
                    least[candidate] -= delta;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            row_of[column] = row_of[way[column]];
            column = way[column];
        }
    }
    (1..=columns).filter(|&c| row_of[c] != 0).map(|c| (row_of[c] - 1, c - 1)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_greedy_choice_is_not_always_best() {
        assert_eq!(assign(&[vec![1.0, 2.0], vec![1.5, 9.0]]), [(0, 1), (1, 0)]);
        assert_eq!(assign(&[vec![FORBIDDEN, 2.0], vec![FORBIDDEN, 1.0]]), [(1, 1)]);
        assert_eq!(assign(&[]), []);
    }

    proptest! {
        #[test]
        fn no_permutation_is_cheaper(
            cost in (1usize..5, 1usize..5).prop_flat_map(|(r, c)| {
                proptest::collection::vec(proptest::collection::vec(0.0f32..1.0, c), r)
            })
        ) {
            let sum: f32 = assign(&cost).iter().map(|&(r, c)| cost[r][c]).sum();
            prop_assert!((sum - cheapest(&cost, 0, &mut vec![false; cost[0].len()])).abs() < 1e-4);
        }
    }

    /// By trying everything; a row may stay free only when there are more rows than columns.
    fn cheapest(cost: &[Vec<f32>], row: usize, taken: &mut Vec<bool>) -> f32 {
        if row == cost.len() {
            return if taken.iter().all(|t| *t) || taken.iter().filter(|t| **t).count() == cost.len() {
                0.0
            } else {
                f32::INFINITY
            };
        }
        let mut best = cheapest(cost, row + 1, taken);
        for column in 0..taken.len() {
            if !taken[column] {
                taken[column] = true;
                best = best.min(cost[row][column] + cheapest(cost, row + 1, taken));
                taken[column] = false;
            }
        }
        best
    }
}
