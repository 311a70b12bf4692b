//! From a frame to the network's input: scale, letterbox, convert and normalise in one pass.
//!
//! Per output row the two source rows are blended over their whole width (contiguous, so it vectorises), then
//! the columns are picked from the blended row, then colours are converted, and only the result is written:
//! no full-size RGB picture ever exists. Rows and tables live in the [`Letterbox`] and are reused.

mod tables;

use std::ops::Range;

pub(crate) use tables::Region;
use tables::{Plan, Tap};

use crate::{
    Frame, InferenceError,
    colour::Matrix,
    manifest::{ChannelOrder, Input, Layout, Resize},
};

/// Sizes that are remembered; more cameras with more sizes than this recompute tables now and then.
const MAX_PLANS: usize = 32;

/// Scales frames, or parts of them, into a canvas and pads the rest.
#[derive(Debug)]
pub struct Letterbox {
    canvas: (u32, u32),
    resize: Resize,
    layout: Layout,
    order: ChannelOrder,
    /// `tensor = pixel * gain + offset` per colour of the tensor.
    gain: [f32; 3],
    offset: [f32; 3],
    pad: f32,
    plans: Vec<Plan>,
    crop: Plan,
    rows: Rows,
    /// Planes of a tensor whose colours lie side by side.
    planes: Vec<f32>,
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

/// Where the picture lies in the canvas, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fitted {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Letterbox {
    /// Prepares for the input that a manifest describes.
    pub fn new(input: &Input) -> Self {
        Self {
            canvas: (input.width, input.height),
            resize: input.resize,
            layout: input.layout,
            order: input.order,
            gain: std::array::from_fn(|c| input.scale / input.std[c]),
            offset: std::array::from_fn(|c| -input.mean[c] / input.std[c]),
            pad: f32::from(input.pad),
            plans: Vec::with_capacity(MAX_PLANS),
            crop: Plan::default(),
            rows: Rows::default(),
            planes: Vec::new(),
        }
    }

    /// Values of one frame in the tensor.
    pub fn len(&self) -> usize {
        3 * self.canvas.0 as usize * self.canvas.1 as usize
    }

    /// Whether the canvas has no pixels; never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a `source` picture lies inside the canvas.
    pub fn fitted(&mut self, source: (u32, u32)) -> Fitted {
        let Plan { origin, fitted, .. } = plan(&mut self.plans, source, self.canvas, self.resize);
        let [left, top, width, height] = [origin.0, origin.1, fitted.0, fitted.1].map(|v| v as f32);
        Fitted { left, top, width, height }
    }

    /// Writes `frame` into `out`.
    ///
    /// # Errors
    /// When the frame's description and its bytes do not fit.
    ///
    /// # Panics
    /// When `out` is not [`Letterbox::len`] long.
    pub fn fill(&mut self, frame: &Frame<'_>, out: &mut [f32]) -> Result<(), InferenceError> {
        frame.check()?;
        assert_eq!(out.len(), self.len(), "the caller slices the batch by `len`");
        let mut plans = std::mem::take(&mut self.plans);
        self.paint(frame, plan(&mut plans, frame.size(), self.canvas, self.resize), out);
        self.plans = plans;
        Ok(())
    }

    /// Writes a part of `frame` into `out`.
    ///
    /// # Errors
    /// When the frame's description and its bytes do not fit.
    ///
    /// # Panics
    /// When `out` is not [`Letterbox::len`] long.
    pub(crate) fn fill_region(
        &mut self,
        frame: &Frame<'_>,
        region: Region,
        out: &mut [f32],
    ) -> Result<(), InferenceError> {
        frame.check()?;
        assert_eq!(out.len(), self.len(), "the caller slices the batch by `len`");
        let mut plan = std::mem::take(&mut self.crop);
        plan.set(frame.size(), region, self.canvas, self.resize);
        self.paint(frame, &plan, out);
        self.crop = plan;
        Ok(())
    }

    fn paint(&mut self, frame: &Frame<'_>, plan: &Plan, out: &mut [f32]) {
        match self.layout {
            Layout::Nchw => self.paint_planes(frame, plan, out),
            Layout::Nhwc => {
                let mut planes = std::mem::take(&mut self.planes);
                planes.resize(out.len(), 0.0);
                self.paint_planes(frame, plan, &mut planes);
                let [first, second, third] = thirds(&mut planes);
                let colours = first.iter().zip(second).zip(third);
                for (pixel, ((a, b), c)) in out.chunks_exact_mut(3).zip(colours) {
                    pixel.copy_from_slice(&[*a, *b, *c]);
                }
                self.planes = planes;
            }
        }
    }

    fn paint_planes(&mut self, frame: &Frame<'_>, plan: &Plan, out: &mut [f32]) {
        let ((left, top), (fitted_w, fitted_h)) = (plan.origin, plan.fitted);
        let width = self.canvas.0 as usize;
        self.rows.columns.resize(fitted_w * 3, 0.0);

        let paint = Paint { order: self.order, gain: self.gain, offset: self.offset };
        let pads: [f32; 3] = std::array::from_fn(|c| self.pad * self.gain[c] + self.offset[c]);
        let mut planes = thirds(out);
        for row in 0..fitted_h {
            let start = (top + row) * width;
            let mut outs = planes.each_mut().map(|plane| &mut plane[start..start + width]);
            for (out, pad) in outs.iter_mut().zip(pads) {
                out[..left].fill(pad);
                out[left + fitted_w..].fill(pad);
            }
            let outs = outs.map(|out| &mut out[left..left + fitted_w]);
            match *frame {
                Frame::Nv12 { height, y, y_stride, uv, uv_stride, .. } => {
                    let matrix = Matrix::for_height(height);
                    let (full, half) = (&plan.full, &plan.half);
                    blend(y, y_stride, full.first..full.first + full.samples, full.y[row], &mut self.rows.source);
                    let chroma = half.first * 2..(half.first + half.samples) * 2;
                    blend(uv, uv_stride, chroma, half.y[row], &mut self.rows.source_half);
                    pick_nv12(plan, &mut self.rows);
                    paint.nv12(matrix, &self.rows.columns, outs);
                }
                Frame::Rgb { data, stride, .. } => {
                    let full = &plan.full;
                    let bytes = full.first * 3..(full.first + full.samples) * 3;
                    blend(data, stride, bytes, full.y[row], &mut self.rows.source);
                    pick_rgb(plan, &mut self.rows);
                    paint.rgb(&self.rows.columns, outs);
                }
            }
        }
        for (plane, pad) in planes.iter_mut().zip(pads) {
            plane[..top * width].fill(pad);
            plane[(top + fitted_h) * width..].fill(pad);
        }
    }
}

fn plan(plans: &mut Vec<Plan>, source: (u32, u32), canvas: (u32, u32), resize: Resize) -> &Plan {
    let found = plans.iter().position(|plan| plan.source == source);
    let at = found.unwrap_or_else(|| {
        if plans.len() == MAX_PLANS {
            plans.remove(0);
        }
        plans.push(Plan::new(source, Region::whole(source), canvas, resize));
        plans.len() - 1
    });
    &plans[at]
}

/// Blends the `bytes` of two neighbouring rows.
fn blend(plane: &[u8], stride: usize, bytes: Range<usize>, tap: Tap, out: &mut Vec<f32>) {
    let start = tap.index as usize * stride;
    let upper = &plane[start + bytes.start..start + bytes.end];
    let lower = &plane[start + stride + bytes.start..start + stride + bytes.end];
    out.resize(bytes.len(), 0.0);
    for ((out, &upper), &lower) in out[..].iter_mut().zip(upper).zip(lower) {
        let upper = f32::from(upper);
        *out = upper + (f32::from(lower) - upper) * tap.weight;
    }
}

fn thirds(values: &mut [f32]) -> [&mut [f32]; 3] {
    let third = values.len() / 3;
    let (first, rest) = values.split_at_mut(third);
    let (second, third) = rest.split_at_mut(third);
    [first, second, third]
}

#[inline]
fn mix(a: f32, b: f32, weight: f32) -> f32 {
    a + (b - a) * weight
}

fn pick_nv12(plan: &Plan, rows: &mut Rows) {
    let [ys, us, vs] = thirds(&mut rows.columns);
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
    let [reds, greens, blues] = thirds(&mut rows.columns);
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
