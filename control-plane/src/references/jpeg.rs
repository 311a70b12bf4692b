//! The size of a JPEG, read from its frame header (ITU-T T.81, B.2.2), so that only pictures are taken as pictures.

/// Smallest and largest side of a picture that a camera makes, pixels.
const SIDES: std::ops::RangeInclusive<u32> = 64..=8_192;

/// Width and height; `None` when the bytes are no JPEG of a camera.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(&[0xff, 0xd8, 0xff]) || !bytes.ends_with(&[0xff, 0xd9]) {
        return None;
    }
    let mut rest = &bytes[2..];
    loop {
        let [0xff, marker, high, low, ..] = *rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        // SOF0 to SOF15 without the tables DHT, JPG and DAC that lie between them.
        if (0xc0..=0xcf).contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let [_, h1, h0, w1, w0, ..] = *segment else { return None };
            let (width, height) = (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
            return (SIDES.contains(&width) && SIDES.contains(&height)).then_some((width, height));
        }
        rest = rest.get(2 + length..)?;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A baseline JPEG as far as its headers go.
    pub(crate) fn headers_only(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8];
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
        bytes
    }

    #[test]
    fn reads_the_frame_header() {
        assert_eq!(size(&headers_only(1280, 720)), Some((1280, 720)));
    }

    #[test]
    fn refuses_what_is_no_picture() {
        for bytes in
            [&b""[..], b"\xff\xd8\xff", b"not a picture", &headers_only(1280, 720)[..12], &headers_only(8, 720)]
        {
            assert_eq!(size(bytes), None, "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn takes_any_bytes(mut bytes: Vec<u8>) {
            let _ = size(&bytes);
            bytes.splice(0..0, [0xff, 0xd8, 0xff]);
            bytes.extend([0xff, 0xd9]);
            let _ = size(&bytes);
        }
    }
}
