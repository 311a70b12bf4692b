//! Noise and detail of a grey picture.

use super::shrink::Grey;
use crate::Frame;

/// Blocks in which detail is looked for: columns and rows.
pub(super) const BLOCKS: (usize, usize) = (16, 9);
/// Side of the patches in which noise is measured, pixels of the full picture.
const PATCH: usize = 16;
/// A step of brightness between neighbours that is an edge, grey levels.
const EDGE: f32 = 10.0;
/// Share of a block's pixels that must be edges.
const EDGES_NEEDED: f32 = 0.015;

/// Standard deviation of the noise of a frame that has been checked, grey levels, measured at full size.
///
/// Immerkær's estimate (Fast Noise Variance Estimation, 1996): the difference of two Laplacians cancels what
/// is even in the picture. Texture adds to it, so the quietest quarter of many patches speaks.
pub(super) fn noise(frame: &Frame<'_>) -> f32 {
    let (width, height) = frame.size();
    let (width, height) = (width as usize, height as usize);
    let mut found = Vec::with_capacity(BLOCKS.0 * BLOCKS.1);
    for row in 0..BLOCKS.1 {
        for column in 0..BLOCKS.0 {
            let left = ((2 * column + 1) * width / (2 * BLOCKS.0)).saturating_sub(PATCH / 2).min(width - PATCH);
            let top = ((2 * row + 1) * height / (2 * BLOCKS.1)).saturating_sub(PATCH / 2).min(height - PATCH);
            found.extend(patch_noise(|x, y| luma(frame, left + x, top + y)));
        }
    }
    found.sort_by(f32::total_cmp);
    found.get(found.len() / 4).copied().unwrap_or_default()
}

/// Noise in one patch; `None` where clipping hides it.
fn patch_noise(pixel: impl Fn(usize, usize) -> f32) -> Option<f32> {
    let mut sum = 0.0;
    let mut mean = 0.0;
    for y in 1..PATCH - 1 {
        for x in 1..PATCH - 1 {
            let row = |y: usize, weights: [f32; 3]| {
                weights[0] * pixel(x - 1, y) + weights[1] * pixel(x, y) + weights[2] * pixel(x + 1, y)
            };
            sum += (row(y - 1, [1., -2., 1.]) + row(y, [-2., 4., -2.]) + row(y + 1, [1., -2., 1.])).abs();
            mean += pixel(x, y);
        }
    }
    let count = ((PATCH - 2) * (PATCH - 2)) as f32;
    let visible = (22.0..230.0).contains(&(mean / count));
    visible.then(|| (std::f32::consts::PI / 2.0).sqrt() * sum / (6.0 * count))
}

fn luma(frame: &Frame<'_>, x: usize, y: usize) -> f32 {
    match *frame {
        Frame::Nv12 { y: plane, y_stride, .. } => f32::from(plane[y * y_stride + x]),
        Frame::Rgb { data, stride, .. } => {
            let at = y * stride + x * 3;
            0.299 * f32::from(data[at]) + 0.587 * f32::from(data[at + 1]) + 0.114 * f32::from(data[at + 2])
        }
    }
}

/// Share of the blocks that show any edges.
pub(super) fn detail(grey: &Grey, noise: f32) -> f32 {
    // Two differences of noise together exceed seven of its deviations once in hundreds.
    let edge = EDGE.max(7.0 * noise);
    let mut textured = 0;
    for row in 0..BLOCKS.1 {
        let rows = row * grey.height / BLOCKS.1..(row + 1) * grey.height / BLOCKS.1;
        for column in 0..BLOCKS.0 {
            let columns = column * grey.width / BLOCKS.0..(column + 1) * grey.width / BLOCKS.0;
            let (mut edges, mut all) = (0, 0);
            for y in rows.clone().filter(|y| y + 1 < grey.height) {
                for x in columns.clone().filter(|x| x + 1 < grey.width) {
                    let here = f32::from(grey.row(y)[x]);
                    let step =
                        (f32::from(grey.row(y)[x + 1]) - here).abs() + (f32::from(grey.row(y + 1)[x]) - here).abs();
                    edges += usize::from(step > edge);
                    all += 1;
                }
            }
            textured += usize::from(all > 0 && edges as f32 > EDGES_NEEDED * all as f32);
        }
    }
    textured as f32 / (BLOCKS.0 * BLOCKS.1) as f32
}
