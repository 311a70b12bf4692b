//! A thumbnail that is enough to tell whether a camera still looks where it did.

use std::fmt;

use crate::align::{self, Features};

use super::shrink::Grey;

/// A grey thumbnail, 64 × 36.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signature").field(&self.0.len()).finish()
    }
}

impl Signature {
    /// Columns and rows.
    pub const SIZE: (usize, usize) = (64, 36);

    pub(super) fn of(grey: &Grey) -> Result<Self, crate::InferenceError> {
        Ok(Self(grey.resized(Self::SIZE)?.pixels))
    }

    /// Grey levels, row by row; empty for a default signature.
    pub fn pixels(&self) -> &[u8] {
        &self.0
    }

    /// Takes pixels that were kept.
    ///
    /// Returns `None` when they are not 64 × 36.
    pub fn from_pixels(pixels: Vec<u8>) -> Option<Self> {
        (pixels.len() == Self::SIZE.0 * Self::SIZE.1).then_some(Self(pixels))
    }

    /// Mean absolute difference, grey levels; `None` when either is empty.
    pub fn difference(&self, other: &Self) -> Option<f32> {
        let sum: u32 = self.0.iter().zip(&other.0).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        (!self.0.is_empty() && !other.0.is_empty()).then(|| sum as f32 / self.0.len() as f32)
    }

    fn features(&self) -> Option<Features> {
        let (width, height) = Self::SIZE;
        (!self.0.is_empty()).then(|| Features::of(&Grey { width, height, pixels: self.0.clone() }))
    }
}

/// How far the view of `now` lies from that of `reference`: right and down as shares of the picture's width and
/// height, and how sure that is, 0–1; up to a quarter of the picture. `None` when one of them shows too little.
///
/// Directions of edges are compared, not brightness, so that day and dusk agree. Confidence below about 0.25 means
/// that the two hardly show the same place: the camera was turned away, or is covered.
pub fn shift(reference: &Signature, now: &Signature) -> Option<(f32, f32, f32)> {
    let (reference, now) = (reference.features()?, now.features()?);
    let (width, height) = Signature::SIZE;
    let found = align::search(&reference, &now, (0, 0), (align::signed(width) / 4, align::signed(height) / 4))?;
    Some((found.dx / width as f32, found.dy / height as f32, found.score))
}
