//! From a frame to the network's input: scale, letterbox, convert and normalise in one pass.
//!
//! Per output row the two source rows are blended over their whole width (contiguous, so it vectorises), then
//! the columns are picked from the blended row, then colours are converted, and only the result is written:
//! no full-size RGB picture ever exists. Rows and tables live in the [`Letterbox`] and are reused.

mod tables;

use tables::{Plan, Tap};

use crate::{
    Frame, InferenceError,
    colour::Matrix,
    manifest::{ChannelOrder, Input},
};

/// Sizes that are remembered; more cameras with more sizes than this recompute tables now and then.
const MAX_PLANS: usize = 32;

/// Scales frames into the top left of a canvas and pads the rest.
#[derive(Debug)]
pub struct Letterbox {
    width: u32,
    height: u32,
    order: ChannelOrder,
    /// `tensor = pixel * gain + offset` per plane of the tensor.
    gain: [f32; 3],
    offset: [f32; 3],
    pad: f32,
    plans: Vec<Plan>,
    rows: Rows,
}

/// Reused row buffers.
#[derive(Debug, Default)]
struct Rows {
    /// Blended source rows.
    source: Vec<f32>,
    source_half: Vec<f32>,
    /// Three values per output column, one slice after the other.
    columns: Vec<f32>,
}

impl Letterbox {
    /// Prepares for the input that a manifest describes.
    pub fn new(input: &Input) -> Self {
        Self {
            width: input.width,
            height: input.height,
            order: input.order,
            gain: std::array::from_fn(|c| input.scale / input.std[c]),
            offset: std::array::from_fn(|c| -input.mean[c] / input.std[c]),
            pad: f32::from(input.pad),
            plans: Vec::with_capacity(MAX_PLANS),
            rows: Rows::default(),
        }
    }

    /// Values of one frame in the tensor.
    pub fn len(&self) -> usize {
        3 * self.width as usize * self.height as usize
    }

    /// Whether the canvas has no pixels; never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size of a `source` picture inside the canvas.
    pub fn fitted(&mut self, source: (u32, u32)) -> (f32, f32) {
        let (width, height) = plan(&mut self.plans, source, (self.width, self.height)).fitted;
        (width as f32, height as f32)
    }

    /// Writes `frame` as three planes into `out`.
    ///
    /// # Errors
    /// When the frame's description and its bytes do not fit.
    ///
    /// # Panics
    /// When `out` is not [`Letterbox::len`] long.
    pub fn fill(&mut self, frame: &Frame<'_>, out: &mut [f32]) -> Result<(), InferenceError> {
        frame.check()?;
        assert_eq!(out.len(), self.len(), "the caller slices the batch by `len`");
        let plan = plan(&mut self.plans, frame.size(), (self.width, self.height));
        let (fitted_w, fitted_h) = plan.fitted;
        let (width, plane) = (self.width as usize, self.width as usize * self.height as usize);
        self.rows.columns.resize(fitted_w * 3, 0.0);

        let paint = Paint { order: self.order, gain: self.gain, offset: self.offset };
        let pads: [f32; 3] = std::array::from_fn(|c| self.pad * self.gain[c] + self.offset[c]);
        let (first, rest) = out.split_at_mut(plane);
        let (second, third) = rest.split_at_mut(plane);
        let mut planes = [first, second, third];
        for row in 0..fitted_h {
            let mut outs = planes.each_mut().map(|plane| &mut plane[row * width..(row + 1) * width]);
            for (out, pad) in outs.iter_mut().zip(pads) {
                out[fitted_w..].fill(pad);
            }
            let outs = outs.map(|out| &mut out[..fitted_w]);
            match *frame {
                Frame::Nv12 { width, height, y, y_stride, uv, uv_stride } => {
                    let matrix = Matrix::for_height(height);
                    blend(y, y_stride, width as usize, plan.full.y[row], &mut self.rows.source);
                    blend(uv, uv_stride, width.div_ceil(2) as usize * 2, plan.half.y[row], &mut self.rows.source_half);
                    pick_nv12(plan, &mut self.rows);
                    paint.nv12(matrix, &self.rows.columns, outs);
                }
                Frame::Rgb { width, data, stride, .. } => {
                    blend(data, stride, width as usize * 3, plan.full.y[row], &mut self.rows.source);
                    pick_rgb(plan, &mut self.rows);
                    paint.rgb(&self.rows.columns, outs);
                }
            }
        }
        for (plane, pad) in planes.iter_mut().zip(pads) {
            plane[fitted_h * width..].fill(pad);
        }
        Ok(())
    }
}

fn plan(plans: &mut Vec<Plan>, source: (u32, u32), canvas: (u32, u32)) -> &Plan {
    let found = plans.iter().position(|plan| plan.source == source);
    let at = found.unwrap_or_else(|| {
        if plans.len() == MAX_PLANS {
            plans.remove(0);
        }
        plans.push(Plan::new(source, canvas));
        plans.len() - 1
    });
    &plans[at]
}

/// Blends two neighbouring rows of `bytes` values.
fn blend(plane: &[u8], stride: usize, bytes: usize, tap: Tap, out: &mut Vec<f32>) {
    let start = tap.index as usize * stride;
    let upper = &plane[start..start + bytes];
    let lower = &plane[start + stride..start + stride + bytes];
    out.resize(bytes, 0.0);
    for ((out, &upper), &lower) in out[..].iter_mut().zip(upper).zip(lower) {
        let upper = f32::from(upper);
        *out = upper + (f32::from(lower) - upper) * tap.weight;
    }
}

fn split_columns(columns: &mut [f32]) -> [&mut [f32]; 3] {
    let third = columns.len() / 3;
    let (first, rest) = columns.split_at_mut(third);
    let (second, third) = rest.split_at_mut(third);
    [first, second, third]
}

#[inline]
fn mix(a: f32, b: f32, weight: f32) -> f32 {
    a + (b - a) * weight
}

fn pick_nv12(plan: &Plan, rows: &mut Rows) {
    let [ys, us, vs] = split_columns(&mut rows.columns);
    for (out, tap) in ys.iter_mut().zip(&plan.full.x) {
        let at = tap.index as usize;
        let pair = &rows.source[at..at + 2];
        *out = mix(pair[0], pair[1], tap.weight);
    }
    for ((u, v), tap) in us.iter_mut().zip(vs).zip(&plan.half.x) {
        let at = tap.index as usize * 2;
        let four = &rows.source_half[at..at + 4];
        *u = mix(four[0], four[2], tap.weight);
        *v = mix(four[1], four[3], tap.weight);
    }
}

fn pick_rgb(plan: &Plan, rows: &mut Rows) {
    let [reds, greens, blues] = split_columns(&mut rows.columns);
    for (((r, g), b), tap) in reds.iter_mut().zip(greens).zip(blues).zip(&plan.full.x) {
        let at = tap.index as usize * 3;
        let six = &rows.source[at..at + 6];
        *r = mix(six[0], six[3], tap.weight);
        *g = mix(six[1], six[4], tap.weight);
        *b = mix(six[2], six[5], tap.weight);
    }
}

/// How colours become tensor values.
struct Paint {
    order: ChannelOrder,
    gain: [f32; 3],
    offset: [f32; 3],
}

impl Paint {
    /// Brings red, green and blue into the order of the tensor's planes.
    fn ordered<T>(&self, [red, green, blue]: [T; 3]) -> [T; 3] {
        match self.order {
            ChannelOrder::Rgb => [red, green, blue],
            ChannelOrder::Bgr => [blue, green, red],
        }
    }

    fn nv12(&self, matrix: Matrix, columns: &[f32], [first, second, third]: [&mut [f32]; 3]) {
        let (ys, rest) = columns.split_at(columns.len() / 3);
        let (us, vs) = rest.split_at(ys.len());
        let (gain, offset) = (self.gain, self.offset);
        let inputs = ys.iter().zip(us).zip(vs);
        for ((((&y, &u), &v), first), (second, third)) in inputs.zip(first).zip(second.iter_mut().zip(third)) {
            let [a, b, c] = self.ordered(matrix.rgb(y, u, v));
            *first = a * gain[0] + offset[0];
            *second = b * gain[1] + offset[1];
            *third = c * gain[2] + offset[2];
        }
    }

    fn rgb(&self, columns: &[f32], outs: [&mut [f32]; 3]) {
        let (reds, rest) = columns.split_at(columns.len() / 3);
        let (greens, blues) = rest.split_at(reds.len());
        let inputs = self.ordered([reds, greens, blues]);
        for (plane, (out, input)) in outs.into_iter().zip(inputs).enumerate() {
            let (gain, offset) = (self.gain[plane], self.offset[plane]);
            for (out, value) in out.iter_mut().zip(input) {
                *out = value * gain + offset;
            }
        }
    }
}

#[cfg(test)]
mod tests;
