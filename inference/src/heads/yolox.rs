//! YOLOX: one row per grid cell and level, `x y w h objectness class…`.
//!
//! Offsets are raw (`xy = (out + cell) * stride`, `wh = exp(out) * stride`), scores have been through the
//! sigmoid in the network. Cells run row by row, levels in the order of the strides.

use ndarray::ArrayView2;

use super::{
    Candidate, MAX_DECODED,
    cells::{self, Cell},
};

/// Columns before the classes.
pub(super) const BOX_COLUMNS: usize = 5;

#[derive(Debug)]
pub(crate) struct Yolox {
    cells: Vec<Cell>,
    classes: usize,
}

impl Yolox {
    pub(super) fn new(canvas: (u32, u32), strides: &[u32], classes: usize) -> Self {
        Self { cells: cells::all(canvas, strides), classes }
    }

    pub(super) fn decode(&self, output: &ArrayView2<'_, f32>, min_score: f32, out: &mut Vec<Candidate>) {
        for (row, cell) in output.outer_iter().zip(&self.cells) {
            let objectness = row[4];
            // No class can lift a cell over its objectness, and nearly every cell ends here. A NaN ends here too.
            if objectness.is_nan() || objectness < min_score {
                continue;
            }
            let mut best = (0, f32::NEG_INFINITY);
            for class in 0..self.classes {
                if row[BOX_COLUMNS + class] > best.1 {
                    best = (class, row[BOX_COLUMNS + class]);
                }
            }
            let score = objectness * best.1;
            if score < min_score {
                continue;
            }
            let (x, y) = ((row[0] + cell.x) * cell.stride, (row[1] + cell.y) * cell.stride);
            let (w, h) = (row[2].exp() * cell.stride / 2.0, row[3].exp() * cell.stride / 2.0);
            out.extend(Candidate::new(best.0, score, [x - w, y - h, x + w, y + h]));
            if out.len() >= MAX_DECODED {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// A 64 × 32 canvas, strides 8 and 32: 8 × 4 cells, then 2 × 1.
    fn decode(rows: &[(usize, [f32; 7])], min_score: f32) -> Vec<Candidate> {
        let head = Yolox::new((64, 32), &[8, 32], 2);
        let mut output = Array2::zeros((34, 7));
        for (row, values) in rows {
            output.row_mut(*row).assign(&ndarray::aview1(values));
        }
        let mut out = vec![];
        head.decode(&output.view(), min_score, &mut out);
        out
    }

    #[test]
    fn cells_offsets_and_scores() {
        let ln2 = 2f32.ln();
        let table = [
            // (row, values) -> class, score, corners
            ((0, [0.5, 0.5, 0.0, 0.0, 0.9, 0.5, 0.1]), (0, 0.45, [0.0, 0.0, 8.0, 8.0])),
            ((9, [0.0, 1.0, ln2, 0.0, 1.0, 0.2, 0.7]), (1, 0.7, [0.0, 12.0, 16.0, 20.0])),
            ((33, [0.5, 0.5, 0.0, ln2, 0.8, 1.0, 0.0]), (0, 0.8, [32.0, -16.0, 64.0, 48.0])),
        ];
        for (given, (class, score, [left, top, right, bottom])) in table {
            let found = decode(&[given], 0.1);
            assert_eq!(found.len(), 1, "{given:?}");
            assert_eq!(found[0].class, class);
            let close = |a: f32, b: f32| (a - b).abs() < 1e-3;
            assert!(
                close(found[0].score, score) && close(found[0].left, left) && close(found[0].top, top),
                "{found:?}"
            );
            assert!(close(found[0].right, right) && close(found[0].bottom, bottom), "{found:?}");
        }
    }

    #[test]
    fn weak_and_impossible_rows_are_left_out() {
        let row = |objectness, class| [0.5, 0.5, 0.0, 0.0, objectness, class, 0.0];
        assert_eq!(decode(&[(3, row(0.2, 0.4))], 0.1), []);
        assert_eq!(decode(&[(3, row(f32::NAN, 0.4))], 0.1), []);
        assert_eq!(decode(&[(3, row(0.9, f32::NAN)), (4, row(f32::INFINITY, 1.0))], 0.1), []);
        assert_eq!(decode(&[(3, [f32::INFINITY, 0.0, 0.0, 0.0, 0.9, 0.9, 0.0])], 0.1), []);
        assert_eq!(decode(&[(3, [0.0, 0.0, 1e9, 0.0, 0.9, 0.9, 0.0])], 0.1), []);
        assert!((decode(&[(3, row(8.0, 9.0))], 0.1)[0].score - 1.0).abs() < f32::EPSILON);
    }
}
