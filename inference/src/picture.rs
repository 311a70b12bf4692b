//! What a picture is like: too dark, too flat, out of focus. Measured with OpenCV on a small grey copy, so that
//! the numbers of cameras with different resolutions compare.

use opencv::{
    core::{CV_64F, Mat, MatTraitConst as _, Rect, Size, Vector, VectorToVec as _, mean_std_dev_def},
    imgproc::{COLOR_RGB2GRAY, INTER_AREA, cvt_color_def, laplacian_def, resize},
};

use crate::{Frame, InferenceError};

/// Width of the grey copy; the height follows the picture.
const WIDTH: u32 = 320;

/// Measures of one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PictureMeasures {
    /// Mean brightness, 0–255.
    pub mean_luma: f32,
    /// Standard deviation of brightness; near 0 for fog, a covered lens or a grey screen.
    pub contrast: f32,
    /// Variance of the Laplacian; falls when the picture is out of focus or smeared.
    pub sharpness: f32,
}

/// Measures a frame.
///
/// # Errors
/// When the frame's description and its bytes do not fit.
pub fn measure(frame: &Frame<'_>) -> Result<PictureMeasures, InferenceError> {
    frame.check()?;
    measure_checked(frame).map_err(|e| InferenceError::Measure(e.message))
}

fn measure_checked(frame: &Frame<'_>) -> opencv::Result<PictureMeasures> {
    let (width, height) = frame.size();
    let small_width = WIDTH.min(width);
    let small_height = (height * small_width).div_ceil(width).max(1);
    let size = Size::new(small_width.cast_signed(), small_height.cast_signed());
    let mut small = Mat::default();
    let grey = match *frame {
        Frame::Nv12 { y, y_stride, .. } => {
            shrink(y, y_stride, width, height, 1, size, &mut small)?;
            small
        }
        Frame::Rgb { data, stride, .. } => {
            shrink(data, stride, width, height, 3, size, &mut small)?;
            let mut grey = Mat::default();
            cvt_color_def(&small, &mut grey, COLOR_RGB2GRAY)?;
            grey
        }
    };
    let (mean_luma, contrast) = mean_and_deviation(&grey)?;
    let mut edges = Mat::default();
    laplacian_def(&grey, &mut edges, CV_64F)?;
    let (_, deviation) = mean_and_deviation(&edges)?;
    Ok(PictureMeasures { mean_luma, contrast, sharpness: deviation * deviation })
}

/// Averages areas of a plane with padded rows down to `size`.
fn shrink(
    data: &[u8],
    stride: usize,
    width: u32,
    height: u32,
    channels: i32,
    size: Size,
    out: &mut Mat,
) -> opencv::Result<()> {
    // A last row without its padding is left out: one row in hundreds says nothing about the picture.
    let rows = (data.len() / stride).min(height as usize);
    let (count, bytes) = (i32::try_from(rows)?, i32::try_from(stride)?);
    let padded = Mat::new_rows_cols_with_data(count, bytes, &data[..rows * stride])?;
    let picture = Mat::roi(&padded, Rect::new(0, 0, width.cast_signed() * channels, count))?;
    resize(&picture.reshape(channels, 0)?, out, size, 0.0, 0.0, INTER_AREA)
}

fn mean_and_deviation(mat: &Mat) -> opencv::Result<(f32, f32)> {
    let (mut mean, mut deviation) = (Vector::<f64>::new(), Vector::<f64>::new());
    mean_std_dev_def(mat, &mut mean, &mut deviation)?;
    let first = |values: &Vector<f64>| values.to_vec().first().copied().unwrap_or_default() as f32;
    Ok((first(&mean), first(&deviation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nv12(width: usize, height: usize, stride: usize, luma: impl Fn(usize, usize) -> u8) -> PictureMeasures {
        let y: Vec<u8> = (0..stride * height).map(|i| luma(i % stride, i / stride)).collect();
        let uv = vec![128; stride * height / 2];
        let (w, h) = (width as u32, height as u32);
        measure(&Frame::Nv12 { width: w, height: h, y: &y, y_stride: stride, uv: &uv, uv_stride: stride }).unwrap()
    }

    #[test]
    fn flat_pictures_have_no_contrast_and_padding_does_not_count() {
        let measures = nv12(640, 360, 704, |x, _| if x < 640 { 77 } else { 255 });
        assert_eq!(measures, PictureMeasures { mean_luma: 77.0, contrast: 0.0, sharpness: 0.0 });
    }

    #[test]
    fn sharp_edges_count_more_than_soft_ones() {
        let sharp = nv12(640, 360, 640, |x, _| if x / 40 % 2 == 0 { 50 } else { 200 });
        let soft = nv12(640, 360, 640, |x, _| (125.0 + 75.0 * (x as f32 / 40.0 * std::f32::consts::PI).sin()) as u8);
        assert!(sharp.sharpness > 10.0 * soft.sharpness, "{sharp:?} {soft:?}");
        assert!((sharp.mean_luma - 125.0).abs() < 2.0 && sharp.contrast > 70.0, "{sharp:?}");
    }

    #[test]
    fn rgb_is_measured_by_its_brightness() {
        let data: Vec<u8> = [255u8, 0, 0].into_iter().cycle().take(100 * 80 * 3).collect();
        let measures = measure(&Frame::Rgb { width: 100, height: 80, data: &data, stride: 300 }).unwrap();
        assert!((measures.mean_luma - 76.0).abs() < 1.0, "{measures:?}");
    }

    #[test]
    fn a_bad_frame_is_an_error() {
        assert!(measure(&Frame::Rgb { width: 100, height: 80, data: &[0; 10], stride: 300 }).is_err());
    }
}
