//! The eight bytes that move a camera (annex A of GB/T 28181-2016).
//!
//! ```text
//!  A5   0F            01       cmd   d1    d2    d3           sum
//!  head version,check address  what  pan   tilt  zoom|addr hi of all before, mod 256
//! ```

use crate::digest::hex;

/// How a camera moves. Speeds are 0 to 255 for pan and tilt, 0 to 15 for zoom; 0 stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Motion {
    /// Negative is left, −255 to 255.
    pub pan: i16,
    /// Negative is down, −255 to 255.
    pub tilt: i16,
    /// Negative is out, −15 to 15.
    pub zoom: i8,
}

/// What a lens does. Speeds as in bytes 5 and 6, 0 to 255; 0 stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lens {
    /// Negative is far, −255 to 255.
    pub focus: i16,
    /// Negative closes, −255 to 255.
    pub iris: i16,
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ptz {
    /// Pan, tilt and zoom; all zeros stop.
    Move(Motion),
    /// Focus and iris; all zeros stop.
    Lens(Lens),
    /// Stores the place as preset 1 to 255.
    SetPreset(u8),
    /// Goes to a preset.
    CallPreset(u8),
    /// Forgets a preset.
    DeletePreset(u8),
    /// Adds a preset to a cruise.
    CruiseAdd {
        /// Cruise, 0 to 255.
        cruise: u8,
        /// Preset, 1 to 255.
        preset: u8,
    },
    /// Takes a preset out of a cruise; preset 0 takes out all.
    CruiseDelete {
        /// Cruise.
        cruise: u8,
        /// Preset.
        preset: u8,
    },
    /// Sets how fast a cruise goes.
    CruiseSpeed {
        /// Cruise.
        cruise: u8,
        /// 0 to 4095.
        speed: u16,
    },
    /// Sets how long a cruise stays at each preset.
    CruiseStay {
        /// Cruise.
        cruise: u8,
        /// Seconds, 0 to 4095.
        secs: u16,
    },
    /// Starts a cruise; [`Ptz::Move`] with zeros ends it.
    CruiseStart(u8),
    /// Starts to scan between two borders.
    ScanStart(u8),
    /// Sets the left border here.
    ScanLeft(u8),
    /// Sets the right border here.
    ScanRight(u8),
    /// Sets how fast a scan goes.
    ScanSpeed {
        /// Scan, 0 to 255.
        scan: u8,
        /// 0 to 4095.
        speed: u16,
    },
    /// Switches something, e.g. 1 for the wiper.
    Auxiliary {
        /// Which switch.
        switch: u8,
        /// Whether on.
        on: bool,
    },
}

/// Text that is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPtz {
    /// Not 16 hexadecimal digits.
    #[error("a PTZ command has 16 hexadecimal digits")]
    Form,
    /// It does not begin with A5, or its check digit is wrong.
    #[error("a PTZ command begins with A5 and the check digit of its version")]
    Head,
    /// The sum is wrong.
    #[error("the sum of the PTZ command is {found:02X}, it should be {expected:02X}")]
    Sum {
        /// As written.
        found: u8,
        /// As computed.
        expected: u8,
    },
    /// Nobody knows this command.
    #[error("PTZ command {0:02X} is unknown")]
    Unknown(u8),
}

impl Ptz {
    /// Stops all movement.
    pub const STOP: Self = Self::Move(Motion { pan: 0, tilt: 0, zoom: 0 });

    /// The command for the camera at `address` (0 to 4095; 1 for most), as 16 hexadecimal digits.
    pub fn encode(self, address: u16) -> String {
        let address = address & 0x0fff;
        let split = |number: u16| ((number & 0xff) as u8, (number >> 8 & 0x0f) as u8);
        let (cmd, d1, d2, d3) = match self {
            Self::Move(Motion { pan, tilt, zoom }) => {
                let bits = bit(pan > 0, 0) | bit(pan < 0, 1) | bit(tilt < 0, 2) | bit(tilt > 0, 3);
                let cmd = bits | bit(zoom > 0, 4) | bit(zoom < 0, 5);
                (cmd, speed(pan), speed(tilt), zoom.unsigned_abs().min(15))
            }
            Self::Lens(Lens { focus, iris }) => {
                let cmd = 0x40 | bit(focus < 0, 0) | bit(focus > 0, 1) | bit(iris > 0, 2) | bit(iris < 0, 3);
                (cmd, speed(focus), speed(iris), 0)
            }
            Self::SetPreset(preset) => (0x81, 0, preset, 0),
            Self::CallPreset(preset) => (0x82, 0, preset, 0),
            Self::DeletePreset(preset) => (0x83, 0, preset, 0),
            Self::CruiseAdd { cruise, preset } => (0x84, cruise, preset, 0),
            Self::CruiseDelete { cruise, preset } => (0x85, cruise, preset, 0),
            Self::CruiseSpeed { cruise, speed } => (0x86, cruise, split(speed).0, split(speed).1),
            Self::CruiseStay { cruise, secs } => (0x87, cruise, split(secs).0, split(secs).1),
            Self::CruiseStart(cruise) => (0x88, cruise, 0, 0),
            Self::ScanStart(scan) => (0x89, scan, 0, 0),
            Self::ScanLeft(scan) => (0x89, scan, 1, 0),
            Self::ScanRight(scan) => (0x89, scan, 2, 0),
            Self::ScanSpeed { scan, speed } => (0x8a, scan, split(speed).0, split(speed).1),
            Self::Auxiliary { switch, on } => (if on { 0x8c } else { 0x8d }, switch, 0, 0),
        };
        let mut bytes = [0xa5, 0x0f, address as u8, cmd, d1, d2, d3 << 4 | (address >> 8) as u8, 0];
        bytes[7] = sum(bytes);
        hex(&bytes).to_uppercase()
    }

    /// Reads a command and its address.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<(u16, Self), InvalidPtz> {
        let text = text.trim();
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidPtz::Form);
        }
        let mut bytes = [0_u8; 8];
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| InvalidPtz::Form)?;
        }
        let version = bytes[1] >> 4;
        if bytes[0] != 0xa5 || bytes[1] & 0x0f != (0x0a + 0x05 + version) % 16 {
            return Err(InvalidPtz::Head);
        }
        if sum(bytes) != bytes[7] {
            return Err(InvalidPtz::Sum { found: bytes[7], expected: sum(bytes) });
        }
        let [_, _, low, cmd, d1, d2, d3, _] = bytes;
        let address = u16::from(d3 & 0x0f) << 8 | u16::from(low);
        let wide = u16::from(d3 >> 4) << 8 | u16::from(d2);
        let signed = |speed: u8, up: u8, down: u8| match (cmd >> up & 1, cmd >> down & 1) {
            (1, 0) => i16::from(speed),
            (0, 1) => -i16::from(speed),
            _ => 0,
        };
        let command = match cmd {
            0x00..=0x3f => {
                Self::Move(Motion { pan: signed(d1, 0, 1), tilt: signed(d2, 3, 2), zoom: signed(d3 >> 4, 4, 5) as i8 })
            }
            0x40..=0x4f => Self::Lens(Lens { focus: signed(d1, 1, 0), iris: signed(d2, 2, 3) }),
            0x81 => Self::SetPreset(d2),
            0x82 => Self::CallPreset(d2),
            0x83 => Self::DeletePreset(d2),
            0x84 => Self::CruiseAdd { cruise: d1, preset: d2 },
            0x85 => Self::CruiseDelete { cruise: d1, preset: d2 },
            0x86 => Self::CruiseSpeed { cruise: d1, speed: wide },
            0x87 => Self::CruiseStay { cruise: d1, secs: wide },
            0x88 => Self::CruiseStart(d1),
            0x89 if d2 == 0 => Self::ScanStart(d1),
            0x89 if d2 == 1 => Self::ScanLeft(d1),
            0x89 if d2 == 2 => Self::ScanRight(d1),
            0x8a => Self::ScanSpeed { scan: d1, speed: wide },
            0x8c => Self::Auxiliary { switch: d1, on: true },
            0x8d => Self::Auxiliary { switch: d1, on: false },
            other => return Err(InvalidPtz::Unknown(other)),
        };
        Ok((address, command))
    }
}

fn bit(set: bool, at: u8) -> u8 {
    u8::from(set) << at
}

fn speed(signed: i16) -> u8 {
    signed.unsigned_abs().min(255) as u8
}

fn sum(bytes: [u8; 8]) -> u8 {
    bytes[..7].iter().fold(0, |sum: u8, b| sum.wrapping_add(*b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_commands() {
        assert_eq!(Ptz::STOP.encode(0), "A50F0000000000B4");
        assert_eq!(Ptz::STOP.encode(1), "A50F0100000000B5");
        assert_eq!(Ptz::CallPreset(1).encode(1), "A50F018200010038");
        assert_eq!(Ptz::Move(Motion { pan: -31, tilt: 0, zoom: 0 }).encode(1), "A50F01021F0000D6");
        assert_eq!(Ptz::Move(Motion { pan: 0, tilt: 0, zoom: 1 }).encode(1), "A50F0110000010D5");
        assert_eq!(Ptz::parse("A50F0100000000B6"), Err(InvalidPtz::Sum { found: 0xb6, expected: 0xb5 }));
        assert_eq!(Ptz::parse("A50E0100000000B4"), Err(InvalidPtz::Head));
        assert_eq!(Ptz::parse("A5"), Err(InvalidPtz::Form));
        assert_eq!(Ptz::parse("A50F01FF000000B4"), Err(InvalidPtz::Unknown(0xff)));
    }

    fn command() -> impl Strategy<Value = Ptz> {
        let (a, b, wide) = (any::<u8>(), any::<u8>(), 0..4096_u16);
        let motion = (-255..256_i16, -255..256_i16, -15..16_i8);
        prop_oneof![
            motion.prop_map(|(pan, tilt, zoom)| Ptz::Move(Motion { pan, tilt, zoom })),
            (-255..256_i16, -255..256_i16).prop_map(|(focus, iris)| Ptz::Lens(Lens { focus, iris })),
            any::<u8>().prop_map(Ptz::SetPreset),
            any::<u8>().prop_map(Ptz::CallPreset),
            any::<u8>().prop_map(Ptz::DeletePreset),
            (a, b).prop_map(|(cruise, preset)| Ptz::CruiseAdd { cruise, preset }),
            (any::<u8>(), wide.clone()).prop_map(|(cruise, speed)| Ptz::CruiseSpeed { cruise, speed }),
            (any::<u8>(), wide.clone()).prop_map(|(cruise, secs)| Ptz::CruiseStay { cruise, secs }),
            any::<u8>().prop_map(Ptz::CruiseStart),
            any::<u8>().prop_map(Ptz::ScanLeft),
            (any::<u8>(), wide).prop_map(|(scan, speed)| Ptz::ScanSpeed { scan, speed }),
            any::<(u8, bool)>().prop_map(|(switch, on)| Ptz::Auxiliary { switch, on }),
        ]
    }

    proptest! {
        #[test]
        fn there_and_back(address in 0..4096_u16, command in command()) {
            prop_assert_eq!(Ptz::parse(&command.encode(address)), Ok((address, command)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(A50F)?[0-9A-F]{0,16}|\\PC{0,16}") {
            let _ = Ptz::parse(&text);
        }
    }
}
