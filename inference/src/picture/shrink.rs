//! Small grey copies of a frame, averaged over areas by OpenCV, so that cameras of different resolutions compare.

use opencv::{
    core::{Mat, MatTraitConst as _, MatTraitConstManual as _, Rect, Size},
    imgproc::{COLOR_RGB2GRAY, INTER_AREA, cvt_color_def, resize},
};

use crate::{Frame, InferenceError};

/// A grey picture without padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grey {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u8>,
}

impl Grey {
    /// The brightness of `frame`, which has been checked, at another size.
    pub(crate) fn of(frame: &Frame<'_>, (width, height): (u32, u32)) -> Result<Self, InferenceError> {
        let mat = shrunk(frame, Size::new(width.cast_signed(), height.cast_signed())).map_err(measure)?;
        Ok(Self { width: width as usize, height: height as usize, pixels: mat.data_bytes().map_err(measure)?.to_vec() })
    }

    /// The same at another size.
    pub(crate) fn resized(&self, (width, height): (usize, usize)) -> Result<Self, InferenceError> {
        let run = || {
            let mat =
                Mat::new_rows_cols_with_data(i32::try_from(self.height)?, i32::try_from(self.width)?, &self.pixels)?;
            let mut out = Mat::default();
            let size = Size::new(i32::try_from(width)?, i32::try_from(height)?);
            resize(&mat, &mut out, size, 0.0, 0.0, INTER_AREA)?;
            Ok::<_, opencv::Error>(out.data_bytes()?.to_vec())
        };
        Ok(Self { width, height, pixels: run().map_err(measure)? })
    }

    /// Pixels of row `y`.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width..(y + 1) * self.width]
    }
}

pub(super) fn measure(error: opencv::Error) -> InferenceError {
    InferenceError::Measure(error.message)
}

fn shrunk(frame: &Frame<'_>, size: Size) -> opencv::Result<Mat> {
    let mut small = Mat::default();
    match *frame {
        Frame::Nv12 { width, height, y, y_stride, .. } => {
            shrink(y, y_stride, (width, height), 1, size, &mut small)?;
            Ok(small)
        }
        Frame::Rgb { width, height, data, stride } => {
            shrink(data, stride, (width, height), 3, size, &mut small)?;
            let mut grey = Mat::default();
            cvt_color_def(&small, &mut grey, COLOR_RGB2GRAY)?;
            Ok(grey)
        }
    }
}

/// Averages areas of a plane with padded rows to `size`.
fn shrink(
    data: &[u8],
    stride: usize,
    (width, height): (u32, u32),
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
