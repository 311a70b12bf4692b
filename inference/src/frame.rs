//! A decoded picture, borrowed from whoever decoded it.

use crate::InferenceError;

/// Pixels of one frame. Strides are bytes from one row to the next.
#[derive(Clone, Copy, Debug)]
pub enum Frame<'a> {
    /// Luma plane and interleaved half-size chroma plane, limited range: what decoders give.
    Nv12 {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Luma.
        y: &'a [u8],
        /// Bytes per luma row.
        y_stride: usize,
        /// Chroma, U and V in turn.
        uv: &'a [u8],
        /// Bytes per chroma row.
        uv_stride: usize,
    },
    /// Interleaved red, green, blue: what picture files give.
    Rgb {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Pixels in rows.
        data: &'a [u8],
        /// Bytes per row.
        stride: usize,
    },
}

impl Frame<'_> {
    /// Narrowest and lowest picture that is taken.
    pub const MIN_SIDE: u32 = 16;
    /// Widest and highest picture that is taken.
    pub const MAX_SIDE: u32 = 16_384;

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        match *self {
            Self::Nv12 { width, height, .. } | Self::Rgb { width, height, .. } => (width, height),
        }
    }

    /// Checks that every pixel the description promises is in the slices.
    ///
    /// # Errors
    /// [`InferenceError::BadFrame`] with the reason.
    pub fn check(&self) -> Result<(), InferenceError> {
        let (width, height) = self.size();
        let sides = Self::MIN_SIDE..=Self::MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(InferenceError::BadFrame(format!(
                "{width}x{height} pixels is outside of {min} to {max} a side",
                min = Self::MIN_SIDE,
                max = Self::MAX_SIDE
            )));
        }
        let (w, h) = (width as usize, height as usize);
        match *self {
            Self::Nv12 { y, y_stride, uv, uv_stride, .. } => {
                check_plane("luma", y, y_stride, w, h)?;
                check_plane("chroma", uv, uv_stride, w.div_ceil(2) * 2, h.div_ceil(2))
            }
            Self::Rgb { data, stride, .. } => check_plane("RGB", data, stride, w * 3, h),
        }
    }
}

fn check_plane(name: &str, data: &[u8], stride: usize, row_bytes: usize, rows: usize) -> Result<(), InferenceError> {
    if stride < row_bytes {
        return Err(InferenceError::BadFrame(format!("{name} rows are {stride} bytes apart, but have {row_bytes}")));
    }
    // The last row may end without its padding.
    let needed = stride.checked_mul(rows - 1).and_then(|n| n.checked_add(row_bytes));
    match needed {
        Some(needed) if data.len() >= needed => Ok(()),
        _ => Err(InferenceError::BadFrame(format!(
            "the {name} plane has {} bytes, {rows} rows of {stride} need more",
            data.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_planes_and_strides_are_refused() {
        let data = vec![0; 64 * 64 * 3];
        let nv12 = |y: usize, y_stride, uv: usize, uv_stride| {
            Frame::Nv12 { width: 64, height: 64, y: &data[..y], y_stride, uv: &data[..uv], uv_stride }.check()
        };
        assert!(nv12(64 * 64, 64, 64 * 32, 64).is_ok());
        assert!(nv12(80 * 63 + 64, 80, 64 * 32, 64).is_ok(), "the last row needs no padding");
        assert!(nv12(64 * 64 - 1, 64, 64 * 32, 64).is_err());
        assert!(nv12(64 * 64, 63, 64 * 32, 64).is_err());
        assert!(nv12(64 * 64, 64, 64 * 32 - 1, 64).is_err());
        assert!(nv12(64 * 64, usize::MAX, 64 * 32, 64).is_err());
        let rgb = |width, height, stride| Frame::Rgb { width, height, data: &data, stride }.check();
        assert!(rgb(64, 64, 192).is_ok());
        assert!(rgb(64, 65, 192).is_err());
        assert!(rgb(0, 64, 192).is_err());
        assert!(rgb(u32::MAX, u32::MAX, usize::MAX).is_err());
    }
}
