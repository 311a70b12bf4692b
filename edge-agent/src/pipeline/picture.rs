//! Decoded pictures in buffers that are used again.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use inference::Frame;
use protocol::Timestamp;

/// Buffers that wait for the next picture. Few are needed: one being filled, one being looked at, one or two
/// being written as snapshots.
const KEPT: usize = 4;

/// The free buffers of one camera.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, buffer: Vec<u8>) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(buffer);
        }
    }
}

/// The chroma of a decoded picture, as decoders lay it out.
#[derive(Clone, Copy)]
pub(super) enum Chroma<'a> {
    /// U and V in turn.
    Interleaved { uv: &'a [u8], stride: usize },
    /// Two planes.
    Planar { u: &'a [u8], v: &'a [u8], stride: usize },
}

/// One picture in NV12 without padding.
pub struct Picture {
    /// Presentation time on the camera's media clock.
    pub pts_us: i64,
    /// Wall-clock time.
    pub at: Timestamp,
    width: u32,
    height: u32,
    data: Vec<u8>,
    pool: Arc<Pool>,
}

impl Picture {
    /// Copies a picture out of a decoder's buffer; `None` when the planes are shorter than they should be.
    pub(super) fn copy(
        pool: &Arc<Pool>,
        (pts_us, at): (i64, Timestamp),
        (width, height): (u32, u32),
        (luma, luma_stride): (&[u8], usize),
        chroma: Chroma<'_>,
    ) -> Option<Self> {
        let (w, h) = (width as usize, height as usize);
        let (pairs, chroma_rows) = (w.div_ceil(2), h.div_ceil(2));
        let mut data = pool.take();
        data.clear();
        data.reserve(w * h + pairs * 2 * chroma_rows);
        let complete = copy_rows(&mut data, luma, luma_stride, w, h).and_then(|()| match chroma {
            Chroma::Interleaved { uv, stride } => copy_rows(&mut data, uv, stride, pairs * 2, chroma_rows),
            Chroma::Planar { u, v, stride } => (0..chroma_rows).try_for_each(|row| {
                let at = row * stride..row * stride + pairs;
                let (u, v) = (u.get(at.clone())?, v.get(at)?);
                data.extend(u.iter().zip(v).flat_map(|(u, v)| [*u, *v]));
                Some(())
            }),
        });
        let picture = Self { pts_us, at, width, height, data, pool: Arc::clone(pool) };
        complete.map(|()| picture)
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The pixels.
    pub fn frame(&self) -> Frame<'_> {
        let (y, uv) = self.data.split_at(self.width as usize * self.height as usize);
        Frame::Nv12 {
            width: self.width,
            height: self.height,
            y,
            y_stride: self.width as usize,
            uv,
            uv_stride: self.width.div_ceil(2) as usize * 2,
        }
    }

    /// Luma, then interleaved chroma, without padding.
    pub(super) fn pixels(&self) -> &[u8] {
        &self.data
    }

    /// The brightness of the pixels, row by row.
    pub(super) fn luma(&self) -> &[u8] {
        &self.data[..self.width as usize * self.height as usize]
    }
}

/// Copies `rows` rows of `width` bytes that lie `stride` apart.
fn copy_rows(data: &mut Vec<u8>, plane: &[u8], stride: usize, width: usize, rows: usize) -> Option<()> {
    (0..rows).try_for_each(|row| {
        data.extend_from_slice(plane.get(row * stride..row * stride + width)?);
        Some(())
    })
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.data));
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{} at {} us)", self.width, self.height, self.pts_us)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A picture of one brightness.
    pub(in crate::pipeline) fn plain(luma: u8, at: Timestamp, (width, height): (u32, u32)) -> Picture {
        let pixels = vec![luma; width as usize * height as usize];
        let chroma = vec![128; pixels.len()];
        let uv = Chroma::Interleaved { uv: &chroma, stride: width as usize };
        Picture::copy(&Arc::default(), (0, at), (width, height), (&pixels, width as usize), uv).unwrap()
    }

    /// A grey picture that is drawn point by point.
    pub(in crate::pipeline) fn drawn(
        grey: impl Fn(usize, usize) -> u8,
        at: Timestamp,
        (width, height): (u32, u32),
    ) -> Picture {
        let pixels: Vec<u8> = (0..height as usize)
            .flat_map(|y| (0..width as usize).map(move |x| (x, y)))
            .map(|(x, y)| grey(x, y))
            .collect();
        let chroma = vec![128; pixels.len()];
        let uv = Chroma::Interleaved { uv: &chroma, stride: width as usize };
        Picture::copy(&Arc::default(), (0, at), (width, height), (&pixels, width as usize), uv).unwrap()
    }

    #[test]
    fn both_layouts_give_the_same_picture_and_padding_is_gone() {
        let pool = Arc::new(Pool::default());
        // 5 × 3 pixels, luma rows 8 apart, chroma rows 4 (planar) or 8 (interleaved) apart.
        let luma: Vec<u8> = (0..24).collect();
        let (u, v): (Vec<u8>, Vec<u8>) = ((100..108).collect(), (200..208).collect());
        let uv: Vec<u8> = (0..16).map(|i| if i % 2 == 0 { 100 + i / 2 } else { 200 + i / 2 }).collect();
        let at = (7, Timestamp::from_secs(1));
        let planar = Chroma::Planar { u: &u, v: &v, stride: 4 };
        let a = Picture::copy(&pool, at, (5, 3), (&luma, 8), planar).unwrap();
        let b = Picture::copy(&pool, at, (5, 3), (&luma, 8), Chroma::Interleaved { uv: &uv, stride: 8 }).unwrap();
        assert_eq!(a.data, b.data);
        assert_eq!(a.luma(), [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20]);
        assert_eq!(a.data[15..], [100, 200, 101, 201, 102, 202, 104, 204, 105, 205, 106, 206]);
        assert!(Picture::copy(&pool, at, (5, 4), (&luma, 8), planar).is_none(), "a plane that is too short");
        drop((a, b));
        assert_eq!(pool.0.lock().unwrap().len(), 3, "buffers come back");
    }
}
