//! `YOLOv8` and its relatives (`YOLOv9`, `YOLO11`, …): decoded in the network, `4 + classes` rows of candidates.
//!
//! Rows 0–3 are middle, width and height in pixels of the input; each further row is one class after the sigmoid.
//! There is no objectness.

use ndarray::ArrayView2;

use super::{Candidate, MAX_DECODED};

/// Rows before the classes.
pub(super) const BOX_ROWS: usize = 4;

#[derive(Debug)]
pub(crate) struct Yolov8 {
    classes: usize,
    /// Best class and score of each candidate, reused.
    best: Vec<(u16, f32)>,
}

impl Yolov8 {
    pub(super) fn new(classes: usize) -> Self {
        Self { classes, best: Vec::new() }
    }

    pub(super) fn decode(&mut self, output: &ArrayView2<'_, f32>, min_score: f32, out: &mut Vec<Candidate>) {
        self.best.clear();
        self.best.resize(output.ncols(), (0, f32::NEG_INFINITY));
        // Class by class, because that is how the numbers lie in memory.
        for class in 0..self.classes {
            for (best, &score) in self.best.iter_mut().zip(output.row(BOX_ROWS + class)) {
                if score > best.1 {
                    *best = (class as u16, score);
                }
            }
        }
        for (at, &(class, score)) in self.best.iter().enumerate() {
            if score < min_score {
                continue;
            }
            let [x, y, w, h] = [0, 1, 2, 3].map(|row| output[[row, at]]);
            let corners = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
            out.extend(Candidate::new(usize::from(class), score, corners));
            if out.len() >= MAX_DECODED {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn candidates_are_columns() {
        // Two classes, four candidates: one strong, one weak, one of the second class, one that is no number.
        let output = array![
            [50.0, 10.0, 30.0, f32::NAN],
            [40.0, 10.0, 20.0, 5.0],
            [20.0, 4.0, 6.0, 5.0],
            [10.0, 4.0, 8.0, 5.0],
            [0.9, 0.05, 0.2, 0.9],
            [0.3, 0.02, 0.7, f32::NAN],
        ];
        let mut out = vec![];
        Yolov8::new(2).decode(&output.view(), 0.1, &mut out);
        let strong = Candidate { class: 0, score: 0.9, left: 40.0, top: 35.0, right: 60.0, bottom: 45.0 };
        let second = Candidate { class: 1, score: 0.7, left: 27.0, top: 16.0, right: 33.0, bottom: 24.0 };
        assert_eq!(out, [strong, second]);
    }
}
