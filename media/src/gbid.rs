//! The 20-digit codes of GB/T 28181 (annex D of the 2016, annex E of the 2022 edition).
//!
//! ```text
//!  34 02 00 00   00        132     0        000001
//!  centre code   industry  type    network  number
//! ```

use std::{fmt, str::FromStr};

/// Code of a device, channel or platform.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GbId([u8; 20]);

/// What a code stands for, by its digits 11 to 13.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GbType {
    /// 111: digital video recorder.
    Dvr,
    /// 112: video server.
    VideoServer,
    /// 113: encoder.
    Encoder,
    /// 118: network video recorder.
    Nvr,
    /// 131: analogue camera.
    Camera,
    /// 132: network camera.
    NetworkCamera,
    /// 133: display.
    Display,
    /// 134: alarm input.
    AlarmInput,
    /// 135: alarm output.
    AlarmOutput,
    /// 136: voice input.
    VoiceInput,
    /// 137: voice output.
    VoiceOutput,
    /// 200: signalling centre.
    Platform,
    /// 215: business group.
    BusinessGroup,
    /// 216: virtual organisation.
    VirtualOrganisation,
    /// All else.
    Other(u16),
}

/// A text that is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGbId {
    /// Too short or too long.
    #[error("a GB/T 28181 code has 20 digits, this one has {0} characters")]
    Length(usize),
    /// Something else than a digit.
    #[error("a GB/T 28181 code has digits only, character {0} is none")]
    Digit(usize),
}

impl GbId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        // digits are ASCII
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What it stands for.
    pub fn kind(&self) -> GbType {
        match self.0[10..13].iter().fold(0_u16, |n, d| n * 10 + u16::from(d - b'0')) {
            111 => GbType::Dvr,
            112 => GbType::VideoServer,
            113 => GbType::Encoder,
            118 => GbType::Nvr,
            131 => GbType::Camera,
            132 => GbType::NetworkCamera,
            133 => GbType::Display,
            134 => GbType::AlarmInput,
            135 => GbType::AlarmOutput,
            136 => GbType::VoiceInput,
            137 => GbType::VoiceOutput,
            200 => GbType::Platform,
            215 => GbType::BusinessGroup,
            216 => GbType::VirtualOrganisation,
            other => GbType::Other(other),
        }
    }

    /// The SIP domain: the first ten digits.
    pub fn domain(&self) -> &str {
        &self.as_str()[..10]
    }

    /// Administrative division: the first six digits.
    pub fn civil_code(&self) -> &str {
        &self.as_str()[..6]
    }
}

impl FromStr for GbId {
    type Err = InvalidGbId;

    fn from_str(text: &str) -> Result<Self, InvalidGbId> {
        let digits: [u8; 20] = text.as_bytes().try_into().map_err(|_| InvalidGbId::Length(text.chars().count()))?;
        match digits.iter().position(|d| !d.is_ascii_digit()) {
            Some(at) => Err(InvalidGbId::Digit(at + 1)),
            None => Ok(Self(digits)),
        }
    }
}

impl fmt::Display for GbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for GbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let id: GbId = "34020000001320000001".parse().unwrap();
        assert_eq!((id.kind(), id.domain(), id.civil_code()), (GbType::NetworkCamera, "3402000000", "340200"));
        assert_eq!("34020000002000000001".parse::<GbId>().unwrap().kind(), GbType::Platform);
        assert_eq!("3402".parse::<GbId>(), Err(InvalidGbId::Length(4)));
        assert_eq!("3402000000132000000x".parse::<GbId>(), Err(InvalidGbId::Digit(20)));
        assert_eq!("工地工地工地工12".parse::<GbId>().unwrap_err(), InvalidGbId::Length(9));
    }
}
