//! Heads: from the network's numbers to candidate boxes. One file per output format.

mod cells;
mod detr;
mod gfl;
#[cfg(test)]
mod hostile_tests;
mod yolov8;
mod yolox;

pub(crate) use detr::activate;

use crate::{
    manifest::{DetrScores, HeadSpec, Manifest},
    outputs::{Outputs, Side, Wanted},
};

/// The most candidates that are taken from one frame: far above any real picture, and a bound for memory when a
/// network is certain of everything.
const MAX_DECODED: usize = 100_000;
/// The most queries of a set-prediction head, and the most candidates of a head that decodes by itself.
const MAX_ROWS: usize = 1 << 20;

/// A box before non-maximum suppression: corners in pixels of the network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) class: u16,
    pub(crate) score: f32,
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
}

impl Candidate {
    /// A box with a class, unless a number is none.
    fn new(class: usize, score: f32, [left, top, right, bottom]: [f32; 4]) -> Option<Self> {
        let finite = [score, left, top, right, bottom].iter().all(|v| v.is_finite());
        finite.then_some(Self { class: class as u16, score: score.min(1.0), left, top, right, bottom })
    }
}

/// What decodes one output format.
#[derive(Debug)]
pub(crate) enum Head {
    Yolox(yolox::Yolox),
    Yolov8(yolov8::Yolov8),
    Gfl(gfl::Gfl),
    Detr(detr::Detr),
}

impl Head {
    /// The decoder of a detector; `None` for a second stage.
    pub(crate) fn new(manifest: &Manifest) -> Option<Self> {
        let (canvas, classes) = ((manifest.input.width, manifest.input.height), manifest.classes.len());
        match &manifest.head {
            HeadSpec::Yolox { strides, .. } => Some(Self::Yolox(yolox::Yolox::new(canvas, strides, classes))),
            HeadSpec::Yolov8 { .. } => Some(Self::Yolov8(yolov8::Yolov8::new(classes))),
            HeadSpec::Gfl { strides, reg_max, cell_offset, .. } => {
                Some(Self::Gfl(gfl::Gfl::new(canvas, strides, *reg_max, *cell_offset, classes)))
            }
            HeadSpec::Detr(spec) => Some(Self::Detr(detr::Detr::new(canvas, spec, classes))),
            HeadSpec::Classifier { .. } | HeadSpec::Embedding { .. } => None,
        }
    }

    /// Appends every box of frame `slot` with at least `min_score` to `out`.
    pub(crate) fn decode(&mut self, outputs: &Outputs<'_>, slot: usize, min_score: f32, out: &mut Vec<Candidate>) {
        // A floor of 0 or below would take every cell of every frame.
        let min_score = min_score.max(1e-6);
        match self {
            Self::Yolox(head) => head.decode(&outputs.matrix(0, slot), min_score, out),
            Self::Yolov8(head) => head.decode(&outputs.matrix(0, slot), min_score, out),
            Self::Gfl(head) => head.decode(&outputs.matrix(0, slot), min_score, out),
            Self::Detr(head) => head.decode(outputs, slot, min_score, out),
        }
    }

    /// Overlap from which on two boxes of a class are one object; `None` when the network has seen to that.
    pub(crate) fn nms_iou(manifest: &Manifest) -> Option<f32> {
        match manifest.head {
            HeadSpec::Yolox { nms_iou, .. } | HeadSpec::Yolov8 { nms_iou, .. } | HeadSpec::Gfl { nms_iou, .. } => {
                Some(nms_iou)
            }
            _ => None,
        }
    }
}

/// The outputs that the manifest promises, in the order in which they are decoded.
pub(crate) fn wanted(manifest: &Manifest) -> Vec<Wanted> {
    let (canvas, count) = ((manifest.input.width, manifest.input.height), manifest.classes.len());
    match &manifest.head {
        HeadSpec::Yolox { name, strides, .. } => {
            let cells = cells::count(canvas, strides);
            vec![Wanted::floats(name, [Side::Exactly(cells), Side::Classes { beside: yolox::BOX_COLUMNS, count }])]
        }
        HeadSpec::Yolov8 { name, .. } => {
            vec![Wanted::floats(name, [Side::Classes { beside: yolov8::BOX_ROWS, count }, Side::UpTo(MAX_ROWS)])]
        }
        HeadSpec::Gfl { name, strides, reg_max, .. } => {
            let (cells, beside) = (cells::count(canvas, strides), 4 * (reg_max + 1));
            vec![Wanted::floats(name, [Side::Exactly(cells), Side::Classes { beside, count }])]
        }
        HeadSpec::Detr(spec) => {
            let queries = Side::UpTo(detr::MAX_QUERIES);
            let boxes = Wanted::floats(&spec.boxes, [queries, Side::Exactly(4)]);
            match &spec.scores {
                DetrScores::Decided { labels, scores } => {
                    vec![boxes, Wanted::floats(scores, [queries]), Wanted::integers(labels, [queries])]
                }
                DetrScores::Logits { logits, activation } => {
                    let beside = detr::columns_beside_classes(*activation);
                    vec![boxes, Wanted::floats(logits, [queries, Side::Classes { beside, count }])]
                }
            }
        }
        HeadSpec::Classifier { name, .. } => vec![Wanted::floats(name, [Side::Classes { beside: 0, count }])],
        HeadSpec::Embedding { name, dim } => vec![Wanted::floats(name, [Side::Exactly(*dim)])],
    }
}
