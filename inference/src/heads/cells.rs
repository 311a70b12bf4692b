//! Grid cells of heads that look at levels of different coarseness.

/// One cell: its column and row, in cells, and the pixels of its side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) stride: f32,
}

/// How many cells a level has; a canvas that is no multiple of the stride ends in a cut cell.
fn grid((width, height): (u32, u32), stride: u32) -> (u32, u32) {
    (width.div_ceil(stride), height.div_ceil(stride))
}

/// Cells of all levels.
pub(super) fn count(canvas: (u32, u32), strides: &[u32]) -> usize {
    strides.iter().map(|&stride| grid(canvas, stride)).map(|(columns, rows)| columns as usize * rows as usize).sum()
}

/// All cells: row by row, levels in the order of the strides.
pub(super) fn all(canvas: (u32, u32), strides: &[u32]) -> Vec<Cell> {
    let level = |&stride: &u32| {
        let (columns, rows) = grid(canvas, stride);
        (0..rows).flat_map(move |y| (0..columns).map(move |x| Cell { x: x as f32, y: y as f32, stride: stride as f32 }))
    };
    strides.iter().flat_map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_each_other_and_cut_cells_count() {
        let cells = all((64, 32), &[8, 32]);
        assert_eq!((cells.len(), count((64, 32), &[8, 32])), (34, 34));
        assert_eq!(cells[9], Cell { x: 1.0, y: 1.0, stride: 8.0 });
        assert_eq!(cells[33], Cell { x: 1.0, y: 0.0, stride: 32.0 });
        assert_eq!(count((416, 416), &[8, 16, 32, 64]), 3598, "NanoDet-Plus at 416");
    }
}
