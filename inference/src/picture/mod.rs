//! What a picture is like: too dark, too flat, out of focus, discoloured, covered, or of another place.
//!
//! Most is measured with OpenCV on a small grey copy, so that the numbers of cameras with different resolutions
//! compare; noise is measured at full size, where it is.

mod chroma;
mod shrink;
mod signature;
mod texture;

pub(crate) use chroma::grid as chroma_grid;
use opencv::{
    core::{CV_64F, Mat, ToInputArray, Vector, VectorToVec as _, mean_std_dev_def},
    imgproc::laplacian_def,
};
pub(crate) use shrink::Grey;
pub use signature::{Signature, shift};

use crate::{Frame, InferenceError};

/// Width of the grey copy; the height follows the picture.
const WIDTH: u32 = 640;
/// Points at which colour is read: columns and rows.
const CHROMA: (usize, usize) = (160, 90);
/// White and black in video's limited range (16–235), with room for ringing; full-range pictures of cameras that do
/// not say so are whiter still.
const LIMITED: (u8, u8) = (233, 19);
/// White and black in full range.
const FULL: (u8, u8) = (252, 4);

/// Measures of one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureMeasures {
    /// Mean brightness, 0–255.
    pub mean_luma: f32,
    /// Standard deviation of brightness; near 0 for fog, a covered lens or a grey screen.
    pub contrast: f32,
    /// Variance of the Laplacian at 640 columns; falls when the picture is out of focus or smeared.
    pub sharpness: f32,
    /// Standard deviation of the noise at full size, grey levels; 0 when everything is too dark or too bright to tell.
    pub noise: f32,
    /// Mean distance of the colours from grey in the U-V plane, 0–128; near 0 at night under infrared light.
    pub saturation: f32,
    /// Mean of U and of V, less 128: a cast of the whole picture.
    pub cast: [f32; 2],
    /// Share of pixels that are as white as can be, 0–1.
    pub white_share: f32,
    /// Share of pixels that are black, 0–1.
    pub black_share: f32,
    /// Share of the picture's 16 × 9 blocks that show any edges, 0–1; few of them, the lens is covered.
    pub detail_blocks: f32,
    /// A thumbnail to compare with others, see [`shift`].
    pub signature: Signature,
}

/// Measures a frame.
///
/// # Errors
/// When the frame's description and its bytes do not fit.
pub fn measure(frame: &Frame<'_>) -> Result<PictureMeasures, InferenceError> {
    frame.check()?;
    let (width, height) = frame.size();
    let small_width = WIDTH.min(width);
    let small_height = (u64::from(height) * u64::from(small_width)).div_ceil(u64::from(width)).max(1) as u32;
    let grey = Grey::of(frame, (small_width, small_height))?;
    let (mean_luma, contrast, sharpness) = statistics(&grey).map_err(shrink::measure)?;
    let noise = texture::noise(frame);

    let (white, black) = if matches!(frame, Frame::Nv12 { .. }) { LIMITED } else { FULL };
    let count = grey.pixels.len() as f32;
    let share = |wanted: &dyn Fn(u8) -> bool| grey.pixels.iter().filter(|p| wanted(**p)).count() as f32 / count;
    let (mut saturation, mut cast, mut points) = (0.0, [0.0f32; 2], 0.0);
    for [u, v] in chroma_grid(frame, CHROMA.0, CHROMA.1) {
        saturation += u.hypot(v);
        cast = [cast[0] + u, cast[1] + v];
        points += 1.0;
    }
    Ok(PictureMeasures {
        mean_luma,
        contrast,
        sharpness,
        noise,
        saturation: saturation / points,
        cast: cast.map(|sum| sum / points),
        white_share: share(&|p| p >= white),
        black_share: share(&|p| p <= black),
        // Averaging areas has made the noise smaller by their side.
        detail_blocks: texture::detail(&grey, noise * small_width as f32 / width as f32),
        signature: Signature::of(&grey)?,
    })
}

/// Mean, standard deviation, and variance of the Laplacian.
fn statistics(grey: &Grey) -> opencv::Result<(f32, f32, f32)> {
    let (rows, columns) = (i32::try_from(grey.height)?, i32::try_from(grey.width)?);
    let mat = Mat::new_rows_cols_with_data(rows, columns, &grey.pixels)?;
    let (mean, contrast) = mean_and_deviation(&mat)?;
    let mut edges = Mat::default();
    laplacian_def(&mat, &mut edges, CV_64F)?;
    let (_, deviation) = mean_and_deviation(&edges)?;
    Ok((mean, contrast, deviation * deviation))
}

fn mean_and_deviation(mat: &impl ToInputArray) -> opencv::Result<(f32, f32)> {
    let (mut mean, mut deviation) = (Vector::<f64>::new(), Vector::<f64>::new());
    mean_std_dev_def(mat, &mut mean, &mut deviation)?;
    let first = |values: &Vector<f64>| values.to_vec().first().copied().unwrap_or_default() as f32;
    Ok((first(&mean), first(&deviation)))
}

#[cfg(test)]
mod tests;
