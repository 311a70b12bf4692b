//! From video's luma and chroma to red, green and blue.

/// Coefficients from limited-range YCbCr to full-range RGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix {
    luma: f32,
    red_v: f32,
    green_u: f32,
    green_v: f32,
    blue_u: f32,
}

impl Matrix {
    /// ITU-R BT.601, standard definition.
    pub(crate) const BT601: Self =
        Self { luma: 1.164_384, red_v: 1.596_027, green_u: -0.391_762, green_v: -0.812_968, blue_u: 2.017_232 };
    /// ITU-R BT.709, high definition.
    pub(crate) const BT709: Self =
        Self { luma: 1.164_384, red_v: 1.792_741, green_u: -0.213_249, green_v: -0.532_909, blue_u: 2.112_402 };

    /// The matrix that players take when the stream does not say: BT.601 up to 576 lines, BT.709 above.
    pub(crate) fn for_height(height: u32) -> Self {
        if height <= 576 { Self::BT601 } else { Self::BT709 }
    }

    /// Red, green and blue, each 0–255.
    #[inline]
    pub(crate) fn rgb(&self, y: f32, u: f32, v: f32) -> [f32; 3] {
        let (y, u, v) = ((y - 16.0) * self.luma, u - 128.0, v - 128.0);
        [y + self.red_v * v, y + self.green_u * u + self.green_v * v, y + self.blue_u * u]
            .map(|channel| channel.clamp(0.0, 255.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_colours() {
        for matrix in [Matrix::BT601, Matrix::BT709] {
            assert!(matrix.rgb(16.0, 128.0, 128.0).iter().all(|c| *c < 0.5));
            assert!(matrix.rgb(235.0, 128.0, 128.0).iter().all(|c| *c > 254.5));
        }
        // Pure red in each standard (the integer code points of the standards are rounded, hence the slack).
        for (matrix, y, u, v) in [(Matrix::BT601, 81.0, 90.0, 240.0), (Matrix::BT709, 63.0, 102.0, 240.0)] {
            let [r, g, b] = matrix.rgb(y, u, v);
            assert!(r > 253.0 && g < 2.0 && b < 2.0, "{r} {g} {b}");
        }
    }
}
