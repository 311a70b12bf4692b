//! Sets of boxes (DETR, RT-DETR, D-FINE, DEIM): each query is one object, nothing is suppressed.
//!
//! Two kinds of export: the network decides classes and scores itself, or gives numbers per query and class.

use super::{Candidate, MAX_DECODED};
use crate::{
    manifest::{Activation, BoxFormat, DetrScores, DetrSpec},
    outputs::Outputs,
};

/// The most queries; published networks have 100 to 900.
pub(super) const MAX_QUERIES: usize = 10_000;

/// Columns of the numbers per query that are not classes: softmax has one for *no object*, the last.
pub(super) fn columns_beside_classes(activation: Activation) -> usize {
    usize::from(activation == Activation::Softmax)
}

#[derive(Debug)]
pub(crate) struct Detr {
    canvas: (f32, f32),
    box_format: BoxFormat,
    /// `None`: decided in the network.
    activation: Option<Activation>,
    classes: usize,
    probabilities: Vec<f32>,
}

impl Detr {
    pub(super) fn new(canvas: (u32, u32), spec: &DetrSpec, classes: usize) -> Self {
        let activation = match spec.scores {
            DetrScores::Decided { .. } => None,
            DetrScores::Logits { activation, .. } => Some(activation),
        };
        let canvas = (canvas.0 as f32, canvas.1 as f32);
        Self { canvas, box_format: spec.box_format, activation, classes, probabilities: Vec::new() }
    }

    pub(super) fn decode(&mut self, outputs: &Outputs<'_>, slot: usize, min_score: f32, out: &mut Vec<Candidate>) {
        let boxes = outputs.matrix(0, slot);
        let corners = |query: usize| self.corners([0, 1, 2, 3].map(|at| boxes[[query, at]]));
        let Some(activation) = self.activation else {
            let (scores, labels) = (outputs.vector(1, slot), outputs.integers(2, slot));
            for (query, (&score, &label)) in scores.iter().zip(labels).enumerate().take(boxes.nrows()) {
                match usize::try_from(label) {
                    Ok(class) if class < self.classes && score >= min_score => {
                        out.extend(Candidate::new(class, score, corners(query)));
                    }
                    _ => {}
                }
            }
            return;
        };
        let logits = outputs.matrix(1, slot);
        for (query, logits) in logits.outer_iter().enumerate().take(boxes.nrows()) {
            let mut probabilities = std::mem::take(&mut self.probabilities);
            probabilities.clear();
            probabilities.extend(logits);
            activate(activation, &mut probabilities);
            // One query may be two things at once; published post-processing takes both too.
            for (class, &score) in probabilities.iter().take(self.classes).enumerate() {
                if score >= min_score && out.len() < MAX_DECODED {
                    out.extend(Candidate::new(class, score, self.corners([0, 1, 2, 3].map(|at| boxes[[query, at]]))));
                }
            }
            self.probabilities = probabilities;
        }
    }

    fn corners(&self, [a, b, c, d]: [f32; 4]) -> [f32; 4] {
        let (width, height) = self.canvas;
        match self.box_format {
            BoxFormat::CornersPixels => [a, b, c, d],
            BoxFormat::CornersNormalised => [a * width, b * height, c * width, d * height],
            BoxFormat::CenterNormalised => {
                let (half_w, half_h) = (c / 2.0 * width, d / 2.0 * height);
                let middle = (a * width, b * height);
                [middle.0 - half_w, middle.1 - half_h, middle.0 + half_w, middle.1 + half_h]
            }
        }
    }
}

/// Makes probabilities of a network's numbers, in place.
pub(crate) fn activate(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::Sigmoid => {
            for value in values {
                *value = 1.0 / (1.0 + (-*value).exp());
            }
        }
        Activation::Softmax => {
            let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for value in &mut *values {
                *value = (*value - highest).exp();
                sum += *value;
            }
            for value in values {
                *value /= sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;
    use crate::outputs::Values;

    fn spec(box_format: BoxFormat, activation: Option<Activation>) -> DetrSpec {
        let name = String::from;
        let scores = match activation {
            None => DetrScores::Decided { labels: name("labels"), scores: name("scores") },
            Some(activation) => DetrScores::Logits { logits: name("logits"), activation },
        };
        DetrSpec { boxes: name("boxes"), box_format, scores }
    }

    fn floats(shape: &[usize], values: &[f32]) -> ArrayD<f32> {
        ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
    }

    #[test]
    fn decided_in_the_network() {
        let boxes = floats(&[1, 4, 4], &[1., 2., 3., 4., 5., 6., 7., 8., 1., 1., 2., 2., 0., 0., 9., 9.]);
        let scores = floats(&[1, 4], &[0.9, 0.05, 0.8, 0.7]);
        let labels = ArrayD::from_shape_vec(IxDyn(&[1, 4]), vec![1i64, 0, 2, -1]).unwrap();
        let outputs =
            Outputs::of([Values::Floats(boxes.view()), Values::Floats(scores.view()), Values::Integers(labels.view())]);
        let mut out = vec![];
        Detr::new((64, 32), &spec(BoxFormat::CornersPixels, None), 2).decode(&outputs, 0, 0.1, &mut out);
        // The others are weak, or of classes that the manifest does not have.
        assert_eq!(out, [Candidate { class: 1, score: 0.9, left: 1.0, top: 2.0, right: 3.0, bottom: 4.0 }]);
    }

    #[test]
    fn numbers_per_query_and_class() {
        let boxes = floats(&[1, 1, 4], &[0.5, 0.5, 0.5, 0.25]);
        let check = |activation, numbers: &[f32], expect: &[(u16, f32)]| {
            let logits = floats(&[1, 1, numbers.len()], numbers);
            let outputs = Outputs::of([Values::Floats(boxes.view()), Values::Floats(logits.view())]);
            let mut out = vec![];
            let spec = spec(BoxFormat::CenterNormalised, Some(activation));
            Detr::new((64, 32), &spec, 2).decode(&outputs, 0, 0.1, &mut out);
            assert_eq!(out.iter().map(|c| c.class).collect::<Vec<_>>(), expect.iter().map(|e| e.0).collect::<Vec<_>>());
            for (found, expect) in out.iter().zip(expect) {
                assert!((found.score - expect.1).abs() < 1e-3, "{found:?} for {expect:?}");
                assert!((found.left - 16.0).abs() < 1e-4 && (found.bottom - 20.0).abs() < 1e-4, "{found:?}");
            }
        };
        check(Activation::Sigmoid, &[0.0, -5.0], &[(0, 0.5)]);
        check(Activation::Sigmoid, &[0.0, 1.0], &[(0, 0.5), (1, 0.731)]);
        // The last column is *no object*, and never a class.
        check(Activation::Softmax, &[1.0, 0.0, 5.0], &[]);
        check(Activation::Softmax, &[5.0, 0.0, 1.0], &[(0, 0.976)]);
        check(Activation::None, &[0.3, 0.05], &[(0, 0.3)]);
        check(Activation::Sigmoid, &[f32::NAN, f32::INFINITY], &[(1, 1.0)]);
    }
}
