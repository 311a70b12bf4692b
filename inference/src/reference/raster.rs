//! A picture at the one size in which references are kept and compared.

use protocol::BoundingBox;

use crate::{
    Frame, InferenceError,
    picture::{Grey, chroma_grid},
};

/// Pixels.
pub(super) const SIZE: (usize, usize) = (640, 360);
/// Side of a cell, pixels.
pub(super) const CELL: usize = 8;
/// Columns and rows of cells.
pub(super) const CELLS: (usize, usize) = (SIZE.0 / CELL, SIZE.1 / CELL);
/// Colour is read at so many points per cell and direction.
const POINTS: usize = 2;

/// Brightness, and colour cell by cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raster {
    pub(super) grey: Grey,
    /// Mean U and V of each cell, less 128.
    pub(super) colour: Vec<[i8; 2]>,
}

impl Raster {
    pub(super) fn of(frame: &Frame<'_>) -> Result<Self, InferenceError> {
        frame.check()?;
        let grey = Grey::of(frame, (SIZE.0 as u32, SIZE.1 as u32))?;
        let mut sums = vec![[0.0f32; 2]; CELLS.0 * CELLS.1];
        let columns = CELLS.0 * POINTS;
        for (at, [u, v]) in chroma_grid(frame, columns, CELLS.1 * POINTS).enumerate() {
            let sum = &mut sums[at / columns / POINTS * CELLS.0 + at % columns / POINTS];
            *sum = [sum[0] + u, sum[1] + v];
        }
        let mean = |sum: f32| (sum / (POINTS * POINTS) as f32).round().clamp(-127.0, 127.0) as i8;
        Ok(Self { grey, colour: sums.into_iter().map(|sum| sum.map(mean)).collect() })
    }
}

/// Whether the cell, moved by `shift` cells, is touched by any of the boxes.
pub(super) fn is_under(boxes: &[BoundingBox], column: usize, row: usize, shift: (f32, f32)) -> bool {
    let (w, h) = (1.0 / CELLS.0 as f32, 1.0 / CELLS.1 as f32);
    let cell = BoundingBox::new((column as f32 + shift.0) * w, (row as f32 + shift.1) * h, w, h);
    boxes.iter().any(|other| other.intersection(&cell) > 0.0)
}
