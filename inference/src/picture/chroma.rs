//! Colour of a frame, read at a grid of points.

use crate::Frame;

/// U and V less 128 at the middle of each of `columns` × `rows` fields of a frame that has been checked.
pub(crate) fn grid(frame: &Frame<'_>, columns: usize, rows: usize) -> impl Iterator<Item = [f32; 2]> {
    let (width, height) = frame.size();
    let middle = |at: usize, count: usize, side: u32| (2 * at + 1) * side as usize / (2 * count);
    (0..rows).flat_map(move |row| {
        (0..columns).map(move |column| at(frame, middle(column, columns, width), middle(row, rows, height)))
    })
}

fn at(frame: &Frame<'_>, x: usize, y: usize) -> [f32; 2] {
    match *frame {
        Frame::Nv12 { uv, uv_stride, .. } => {
            let at = y / 2 * uv_stride + x / 2 * 2;
            [f32::from(uv[at]) - 128.0, f32::from(uv[at + 1]) - 128.0]
        }
        Frame::Rgb { data, stride, .. } => {
            let at = y * stride + x * 3;
            let [red, green, blue] = [data[at], data[at + 1], data[at + 2]].map(f32::from);
            // ITU-R BT.601, full range to limited range.
            [-0.148 * red - 0.291 * green + 0.439 * blue, 0.439 * red - 0.368 * green - 0.071 * blue]
        }
    }
}
