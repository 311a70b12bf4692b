//! References as bytes, for keeping: magic, version, pixels, colours, and a bit per cell.

use super::{
    Reference,
    raster::{CELLS, Raster, SIZE},
};
use crate::picture::Grey;

/// Begins every kept reference; the last character is the version of the format.
const MAGIC: &[u8; 4] = b"GSR1";
const PIXELS: usize = SIZE.0 * SIZE.1;
const COUNT: usize = CELLS.0 * CELLS.1;

/// Why bytes are no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// They do not begin as a reference of this version does.
    #[error("these bytes are no reference of a version that this program reads: take the reference again")]
    Unknown,
    /// They are too few or too many.
    #[error("the reference has {found} bytes instead of {expected}, it is damaged: take it again")]
    Length {
        /// What a reference has.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// No cell is to be compared.
    #[error("the reference compares nothing, it is damaged: take it again")]
    Empty,
}

impl Reference {
    /// Bytes of every kept reference.
    pub const BYTES: usize = MAGIC.len() + PIXELS + 2 * COUNT + COUNT.div_ceil(8);

    /// The reference as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::BYTES);
        out.extend(MAGIC);
        out.extend(&self.raster.grey.pixels);
        out.extend(self.raster.colour.iter().flatten().map(|c| c.cast_unsigned()));
        let bit = |cells: &[bool]| cells.iter().enumerate().fold(0, |byte, (at, cell)| byte | u8::from(*cell) << at);
        out.extend(self.cells.chunks(8).map(bit));
        out
    }

    /// Reads what [`Reference::to_bytes`] wrote.
    ///
    /// # Errors
    /// When they are something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidReference> {
        let body = bytes.strip_prefix(MAGIC).ok_or(InvalidReference::Unknown)?;
        if bytes.len() != Self::BYTES {
            return Err(InvalidReference::Length { expected: Self::BYTES, found: bytes.len() });
        }
        let (pixels, rest) = body.split_at(PIXELS);
        let (colours, bits) = rest.split_at(2 * COUNT);
        let grey = Grey { width: SIZE.0, height: SIZE.1, pixels: pixels.to_vec() };
        let colour = colours.as_chunks::<2>().0.iter().map(|pair| pair.map(u8::cast_signed)).collect();
        let cells: Vec<bool> = (0..COUNT).map(|at| bits[at / 8] >> (at % 8) & 1 == 1).collect();
        if !cells.contains(&true) {
            return Err(InvalidReference::Empty);
        }
        Ok(Self { raster: Raster { grey, colour }, cells })
    }
}
