//! A place as it should be 参考画面, and how a later picture differs from it: fences, edge protection, scaffolds.
//!
//! ```text
//! frame ─▶ raster ─▶ align (whole picture, small shifts) ─▶ cells of the region ─▶ changed | same | masked
//! ```
//!
//! Brightness says little outdoors, so that it is never compared. A *cell* is a small square; its surroundings are
//! compared by normalised correlation, which light that changes evenly leaves alone, looking a few pixels around for
//! what wind and mounting move. A cell without texture is compared by its colour. Cells under people and vehicles,
//! in glare, in darkness, or where fog has taken all texture cannot be compared: they are masked, and the caller
//! decides how many of those it accepts. Shifts of the whole view are followed; a camera turned about its own axis by
//! more than half a degree looks like a change.

mod bytes;
mod compare;
mod raster;

use protocol::{BoundingBox, Point, Polygon};

pub use bytes::InvalidReference;
use raster::{CELLS, Raster};

use crate::{Frame, InferenceError};

/// A picture of a place as it should be, and the region of it that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    raster: Raster,
    /// One per cell: whether it is to be compared.
    cells: Vec<bool>,
}

/// How a picture differs from the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReferenceLook {
    /// Share of what could be compared that differs, 0–1; cells with texture count four times those without.
    pub changed: f32,
    /// Share of the region that could not be compared, 0–1.
    pub masked: f32,
    /// Whether the view still fits the reference; when not, `changed` is 0 and `masked` 1.
    pub aligned: bool,
    /// How far the view has moved, right and down as shares of the picture; 0 when that is not known.
    pub shift: (f32, f32),
    /// How much brighter the picture is than the reference, as a factor.
    pub light: f32,
    /// The largest connected change on the new picture; empty when there is none.
    pub at: BoundingBox,
}

impl Reference {
    /// Takes `frame` as the state that `region` should be in.
    ///
    /// # Errors
    /// When the frame's description and its bytes do not fit.
    pub fn from_frame(frame: &Frame<'_>, region: &Polygon) -> Result<Self, InferenceError> {
        let raster = Raster::of(frame)?;
        let middle = |at: usize, count: usize| (at as f32 + 0.5) / count as f32;
        let inside = |at: usize| {
            let (column, row) = (at % CELLS.0, at / CELLS.0);
            region.contains(Point::new(middle(column, CELLS.0), middle(row, CELLS.1)))
        };
        let mut cells: Vec<bool> = (0..CELLS.0 * CELLS.1).map(inside).collect();
        if !cells.contains(&true) {
            // A region thinner than a cell: the cells it passes through.
            for point in region.points() {
                let at = |share: f32, count: usize| ((share * count as f32) as usize).min(count - 1);
                cells[at(point.y, CELLS.1) * CELLS.0 + at(point.x, CELLS.0)] = true;
            }
        }
        Ok(Self { raster, cells })
    }

    /// Leaves out what was in the way when the reference was taken: people, vehicles.
    #[must_use]
    pub fn without(mut self, masks: &[BoundingBox]) -> Self {
        for (at, cell) in self.cells.iter_mut().enumerate() {
            *cell &= !raster::is_under(masks, at % CELLS.0, at / CELLS.0, (0.0, 0.0));
        }
        self
    }

    /// How many cells are compared.
    pub fn cells(&self) -> usize {
        self.cells.iter().filter(|cell| **cell).count()
    }
}

/// Compares `frame` with its reference; what `masks` cover on it, people and vehicles, is left out.
///
/// Shifts of the camera up to a tenth of the picture are followed. The frame should be of the same camera and have
/// the same shape; its resolution does not matter.
///
/// # Errors
/// When the frame's description and its bytes do not fit.
pub fn compare(
    reference: &Reference,
    frame: &Frame<'_>,
    masks: &[BoundingBox],
) -> Result<ReferenceLook, InferenceError> {
    Ok(compare::compare(reference, &Raster::of(frame)?, masks))
}

#[cfg(test)]
mod tests;
