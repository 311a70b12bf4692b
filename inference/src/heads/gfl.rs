//! Generalised focal loss, as NanoDet-Plus exports it: one row per cell, `class… left… top… right… bottom…`.
//!
//! Scores have been through the sigmoid in the network. The distance from the cell to each edge is the mean of a
//! distribution over `reg_max + 1` steps of one stride (Li et al., Generalized Focal Loss, 2020, section 3.1).

use ndarray::ArrayView2;

use super::{
    Candidate, MAX_DECODED,
    cells::{self, Cell},
};

#[derive(Debug)]
pub(crate) struct Gfl {
    cells: Vec<Cell>,
    classes: usize,
    steps: usize,
    cell_offset: f32,
}

impl Gfl {
    pub(super) fn new(canvas: (u32, u32), strides: &[u32], reg_max: usize, cell_offset: f32, classes: usize) -> Self {
        Self { cells: cells::all(canvas, strides), classes, steps: reg_max + 1, cell_offset }
    }

    pub(super) fn decode(&self, output: &ArrayView2<'_, f32>, min_score: f32, out: &mut Vec<Candidate>) {
        for (row, cell) in output.outer_iter().zip(&self.cells) {
            let mut best = (0, f32::NEG_INFINITY);
            for class in 0..self.classes {
                if row[class] > best.1 {
                    best = (class, row[class]);
                }
            }
            if best.1 < min_score {
                continue;
            }
            let side = |side: usize| {
                let start = self.classes + side * self.steps;
                expectation((start..start + self.steps).map(|at| row[at])) * cell.stride
            };
            let (x, y) = ((cell.x + self.cell_offset) * cell.stride, (cell.y + self.cell_offset) * cell.stride);
            out.extend(Candidate::new(best.0, best.1, [x - side(0), y - side(1), x + side(2), y + side(3)]));
            if out.len() >= MAX_DECODED {
                break;
            }
        }
    }
}

/// The mean index under the softmax of `logits`.
fn expectation(logits: impl Iterator<Item = f32> + Clone) -> f32 {
    let highest = logits.clone().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (step, logit) in logits.enumerate() {
        let weight = (logit - highest).exp();
        sum += weight;
        weighted += weight * step as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn distances_are_means_of_distributions() {
        // 64 × 64, strides 32 and 64: 4 + 1 cells; one class, four steps.
        let head = Gfl::new((64, 64), &[32, 64], 3, 0.0, 1);
        let mut output = Array2::zeros((5, 1 + 16));
        output[[3, 0]] = 0.8;
        // Certain of 1, certain of 2, even (mean 1.5), certain of 0.
        for (side, step) in [(0, 1), (1, 2), (3, 0)] {
            output[[3, 1 + side * 4 + step]] = 40.0;
        }
        let mut out = vec![];
        head.decode(&output.view(), 0.1, &mut out);
        let expect = Candidate { class: 0, score: 0.8, left: 0.0, top: -32.0, right: 80.0, bottom: 32.0 };
        assert_eq!(out, [expect]);

        let head = Gfl::new((64, 64), &[32, 64], 3, 0.5, 1);
        head.decode(&output.view(), 0.1, &mut out);
        assert!((out[1].left - 16.0).abs() < 1e-3, "counted from the middle of the cell: {:?}", out[1]);
    }

    #[test]
    fn rubbish_gives_no_box() {
        let head = Gfl::new((64, 64), &[64], 3, 0.0, 1);
        for (score, logit) in [(f32::NAN, 0.0), (0.9, f32::NAN), (0.9, f32::INFINITY), (f32::INFINITY, 0.0)] {
            let mut output = Array2::from_elem((1, 17), logit);
            output[[0, 0]] = score;
            let mut out = vec![];
            head.decode(&output.view(), 0.1, &mut out);
            assert_eq!(out, [], "{score} {logit}");
        }
    }
}
