//! Heads: from the network's numbers to candidate boxes. One file per output format.

mod yolox;

use ndarray::ArrayView2;

use crate::manifest::{HeadKind, Manifest};

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

/// What decodes one output format.
#[derive(Debug)]
pub(crate) enum Head {
    Yolox(yolox::Yolox),
}

impl Head {
    pub(crate) fn new(manifest: &Manifest) -> Self {
        match manifest.output.head {
            HeadKind::Yolox => Self::Yolox(yolox::Yolox::new(
                manifest.input.width,
                manifest.input.height,
                &manifest.output.strides,
                manifest.classes.len(),
            )),
        }
    }

    /// Rows and columns of the output of one frame.
    pub(crate) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Yolox(head) => head.shape(),
        }
    }

    /// Columns of the output that are not classes.
    pub(crate) fn columns_beside_classes(&self) -> usize {
        match self {
            Self::Yolox(_) => yolox::BOX_COLUMNS,
        }
    }

    /// Appends every box with at least `min_score` to `out`.
    pub(crate) fn decode(&self, output: &ArrayView2<'_, f32>, min_score: f32, out: &mut Vec<Candidate>) {
        match self {
            Self::Yolox(head) => head.decode(output, min_score, out),
        }
    }
}
