//! Snapshots: a frame as JPEG.

use image::{GenericImageView, Rgb, codecs::jpeg::JpegEncoder};

use crate::{Frame, InferenceError, colour::Matrix};

/// Writes `frame` as JPEG of `quality` (1–100) into `out`, replacing what is there.
///
/// # Errors
/// When the frame's description and its bytes do not fit.
pub fn encode_nv12(frame: &Frame<'_>, quality: u8, out: &mut Vec<u8>) -> Result<(), InferenceError> {
    frame.check()?;
    out.clear();
    JpegEncoder::new_with_quality(out, quality.clamp(1, 100))
        .encode_image(&Pixels { frame, matrix: Matrix::for_height(frame.size().1) })
        .map_err(|e| InferenceError::Jpeg(e.to_string()))
}

/// Converts a frame pixel by pixel while the encoder reads it, so that no RGB copy is made.
struct Pixels<'a> {
    frame: &'a Frame<'a>,
    matrix: Matrix,
}

impl GenericImageView for Pixels<'_> {
    type Pixel = Rgb<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.frame.size()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        let (px, py) = (x as usize, y as usize);
        match *self.frame {
            Frame::Nv12 { y, y_stride, uv, uv_stride, .. } => {
                let chroma = py / 2 * uv_stride + px / 2 * 2;
                let (luma, u, v) = (y[py * y_stride + px], uv[chroma], uv[chroma + 1]);
                Rgb(self.matrix.rgb(f32::from(luma), f32::from(u), f32::from(v)).map(|c| c.round() as u8))
            }
            Frame::Rgb { data, stride, .. } => {
                let at = py * stride + px * 3;
                Rgb([data[at], data[at + 1], data[at + 2]])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive() {
        // Left half red, right half white, in BT.601 code points.
        let (width, height, stride) = (64usize, 48usize, 80usize);
        let y: Vec<u8> = (0..stride * height).map(|i| if i % stride < 32 { 81 } else { 235 }).collect();
        let uv: Vec<u8> = (0..stride * height / 2)
            .map(|i| match (i % stride < 32, i % 2) {
                (true, 0) => 90,
                (true, _) => 240,
                (false, _) => 128,
            })
            .collect();
        let frame = Frame::Nv12 { width: 64, height: 48, y: &y, y_stride: stride, uv: &uv, uv_stride: stride };
        let mut jpeg = vec![1, 2, 3];
        encode_nv12(&frame, 90, &mut jpeg).unwrap();
        let picture = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (width as u32, height as u32));
        let close = |x, y, expect: [u8; 3]| {
            let got = picture.get_pixel(x, y).0;
            assert!(got.iter().zip(expect).all(|(a, b)| a.abs_diff(b) < 12), "{x},{y}: {got:?} for {expect:?}");
        };
        close(4, 4, [255, 0, 0]);
        close(60, 44, [255, 255, 255]);
    }

    #[test]
    fn a_bad_frame_is_an_error() {
        let frame = Frame::Rgb { width: 64, height: 48, data: &[0; 64], stride: 192 };
        assert!(encode_nv12(&frame, 90, &mut vec![]).is_err());
    }
}
