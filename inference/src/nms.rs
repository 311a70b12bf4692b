//! Non-maximum suppression: one box per object, class by class.

use crate::heads::Candidate;

/// The most candidates that are compared, strongest first: the work grows with the square, and a network gone
/// mad must not stop the edge.
const MAX_CANDIDATES: usize = 2000;

/// Keeps the strongest of each heap of boxes of one class that overlap by more than `max_iou`, or every box without
/// one; sorts by score.
pub(crate) fn suppress(candidates: &mut Vec<Candidate>, max_iou: Option<f32>, max_kept: usize) {
    // Ties are broken by place, so that the same frame gives the same answer in whatever batch it runs.
    candidates.sort_unstable_by(|a, b| {
        let place = |c: &Candidate| (c.class, c.left.to_bits(), c.top.to_bits());
        b.score.total_cmp(&a.score).then_with(|| place(a).cmp(&place(b)))
    });
    candidates.truncate(MAX_CANDIDATES);
    let Some(max_iou) = max_iou else {
        candidates.truncate(max_kept);
        return;
    };
    let mut kept = 0;
    for i in 0..candidates.len() {
        if kept == max_kept {
            break;
        }
        let candidate = candidates[i];
        let repeats = |other: &Candidate| other.class == candidate.class && iou(other, &candidate) > max_iou;
        if !candidates[..kept].iter().any(repeats) {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

fn iou(a: &Candidate, b: &Candidate) -> f32 {
    let area = |c: &Candidate| (c.right - c.left) * (c.bottom - c.top);
    let w = a.right.min(b.right) - a.left.max(b.left);
    let h = a.bottom.min(b.bottom) - a.top.max(b.top);
    let shared = w.max(0.0) * h.max(0.0);
    let union = area(a) + area(b) - shared;
    if union > 0.0 { shared / union } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(class: u16, score: f32, left: f32, width: f32) -> Candidate {
        Candidate { class, score, left, top: 0.0, right: left + width, bottom: 10.0 }
    }

    fn check(mut given: Vec<Candidate>, max_kept: usize, expect: &[f32]) {
        suppress(&mut given, Some(0.6), max_kept);
        assert_eq!(given.iter().map(|c| c.score).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn table() {
        check(vec![], 10, &[]);
        // The same object twice: the stronger stays.
        check(vec![at(0, 0.5, 0.0, 10.0), at(0, 0.9, 1.0, 10.0)], 10, &[0.9]);
        // Two classes in one place stay two.
        check(vec![at(0, 0.5, 0.0, 10.0), at(1, 0.9, 0.0, 10.0)], 10, &[0.9, 0.5]);
        // Overlap of a third is two objects.
        check(vec![at(0, 0.5, 0.0, 10.0), at(0, 0.9, 5.0, 10.0)], 10, &[0.9, 0.5]);
        // A suppressed box does not suppress in turn.
        check(vec![at(0, 0.9, 0.0, 10.0), at(0, 0.8, 2.0, 10.0), at(0, 0.7, 4.0, 10.0)], 10, &[0.9, 0.7]);
        check(vec![at(0, 0.9, 0.0, 10.0), at(0, 0.8, 20.0, 10.0), at(0, 0.7, 40.0, 10.0)], 2, &[0.9, 0.8]);
        let mut heap = vec![at(0, 0.5, 0.0, 10.0), at(0, 0.9, 0.0, 10.0), at(0, 0.7, 0.0, 10.0)];
        suppress(&mut heap, None, 2);
        assert_eq!(heap.iter().map(|c| c.score).collect::<Vec<_>>(), [0.9, 0.7], "nothing is suppressed");
        // Boxes without area never divide by zero.
        check(vec![at(0, 0.9, 0.0, 0.0), at(0, 0.8, 0.0, 0.0)], 10, &[0.9, 0.8]);
    }

    #[test]
    fn the_answer_does_not_depend_on_the_order() {
        let mut a: Vec<_> = (0..200).map(|i| at(0, 0.5, (i * 7 % 200) as f32, 10.0)).collect();
        let mut b: Vec<_> = a.iter().rev().copied().collect();
        suppress(&mut a, Some(0.6), 100);
        suppress(&mut b, Some(0.6), 100);
        assert_eq!(a, b);
    }

    #[test]
    fn a_network_gone_mad_is_cut_short() {
        let mut all: Vec<_> = (0..50_000).map(|i| at(0, 1.0, i as f32 * 20.0, 10.0)).collect();
        suppress(&mut all, Some(0.6), usize::MAX);
        assert_eq!(all.len(), MAX_CANDIDATES);
    }
}
