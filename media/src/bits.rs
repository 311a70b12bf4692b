//! A bit reader over the payload of a NAL unit (ITU-T H.264 section 7.2, 9.1).

/// Why bits could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitsError {
    /// The payload ended.
    #[error("the payload ends at bit {0}")]
    Ended(usize),
    /// An Exp-Golomb code of more than 32 bits.
    #[error("a number at bit {0} has more than 32 bits")]
    TooLong(usize),
}

/// Reads bits, most significant first.
pub(crate) struct Bits {
    data: Vec<u8>,
    at: usize,
}

impl Bits {
    /// Takes the payload of `nal` after its header of `header` bytes, without emulation prevention bytes.
    pub(crate) fn new(nal: &[u8], header: usize) -> Self {
        let mut data = Vec::with_capacity(nal.len());
        let mut zeros = 0;
        for &byte in nal.get(header..).unwrap_or_default() {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            data.push(byte);
        }
        Self { data, at: 0 }
    }

    pub(crate) fn bit(&mut self) -> Result<bool, BitsError> {
        let byte = self.data.get(self.at / 8).ok_or(BitsError::Ended(self.at))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// An unsigned number of `count` bits, 32 at most: `u(n)`.
    pub(crate) fn u(&mut self, count: u32) -> Result<u32, BitsError> {
        (0..count).try_fold(0, |value, _| Ok(value << 1 | u32::from(self.bit()?)))
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), BitsError> {
        let end = self.at + count;
        if end > self.data.len() * 8 {
            return Err(BitsError::Ended(self.data.len() * 8));
        }
        self.at = end;
        Ok(())
    }

    /// An unsigned Exp-Golomb number: `ue(v)`.
    pub(crate) fn ue(&mut self) -> Result<u32, BitsError> {
        let start = self.at;
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(BitsError::TooLong(start));
            }
        }
        Ok(((1_u64 << zeros) - 1) as u32 + self.u(zeros)?)
    }

    /// A signed Exp-Golomb number: `se(v)`.
    pub(crate) fn se(&mut self) -> Result<i32, BitsError> {
        let code = i64::from(self.ue()?);
        Ok(if code % 2 == 0 { -(code / 2) } else { code / 2 + 1 } as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exp_golomb() {
        // 1 | 010 | 011 | 00100 | 00101, from H.264 table 9-2; then the signed map of table 9-3
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000], 0);
        let values: Vec<_> = (0..5).map(|_| bits.ue().unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000], 0);
        let values: Vec<_> = (0..5).map(|_| bits.se().unwrap()).collect();
        assert_eq!(values, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn drops_emulation_prevention_and_ends() {
        let mut bits = Bits::new(&[0x67, 0, 0, 3, 1], 1);
        assert_eq!(bits.u(24), Ok(1));
        assert_eq!(bits.bit(), Err(BitsError::Ended(24)));
        assert_eq!(Bits::new(&[0; 8], 0).ue(), Err(BitsError::TooLong(0)));
    }
}
