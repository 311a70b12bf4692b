//! Text as GB/T 28181 devices write it: GB2312, GBK, GB18030 or UTF-8, whatever they declare.
//!
//! What is declared is often wrong, and one document may hold both (a cascade of two vendors). So the
//! bytes decide, for the document first and then for each piece of text. GB18030 is a superset of GBK
//! and GB2312, and in none of them is `<`, `>` or `&` part of a longer character: markup can be found
//! before the charset is known.

use std::borrow::Cow;

use encoding_rs::{GB18030, GBK};

/// How text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// What the 2011 and 2016 editions ask for. Characters beyond GBK are written as references.
    Gb2312,
    /// What the 2022 edition asks for.
    #[default]
    Gb18030,
    /// What some devices speak all the same.
    Utf8,
}

impl Charset {
    /// The name in an XML declaration.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gb2312 => "GB2312",
            Self::Gb18030 => "GB18030",
            Self::Utf8 => "UTF-8",
        }
    }

    /// Encodes text of an XML document. What the charset lacks becomes a character reference.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Gb2312 => GBK.encode(text).0.into_owned(),
            Self::Gb18030 => GB18030.encode(text).0.into_owned(),
            Self::Utf8 => text.as_bytes().to_vec(),
        }
    }

    /// Decodes a piece of a document that was sniffed to be in this charset. A piece that is not falls
    /// back to the other one, so that it spoils nothing else.
    pub fn decode(self, piece: &[u8]) -> Cow<'_, str> {
        if self == Self::Utf8
            && let Ok(text) = std::str::from_utf8(piece)
        {
            return Cow::Borrowed(text);
        }
        GB18030.decode_without_bom_handling(piece).0
    }
}

/// Finds out how a document is written. `declared_gb` is whether it says itself that it is in a GB charset.
pub fn sniff(document: &[u8], declared_gb: bool) -> Charset {
    let (mut two_byte, mut longer, mut broken) = (0_usize, 0_usize, 0_usize);
    for chunk in document.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c.len_utf8() {
                1 => {}
                2 => two_byte += 1,
                _ => longer += 1,
            }
        }
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // Chinese takes three bytes in UTF-8; pairs alone are rather single GB2312 characters
    let utf8 = if broken == 0 { longer > 0 || !declared_gb || two_byte == 0 } else { longer > 2 * broken };
    if utf8 { Charset::Utf8 } else { Charset::Gb18030 }
}

/// Decodes a document on its own, for example the value of a SIP header.
pub fn decode(document: &[u8]) -> String {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if let Ok(text) = std::str::from_utf8(document) {
        return text.to_owned();
    }
    sniff(document, false).decode(document).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tells_the_charsets_apart() {
        for text in ["工地大门", "萳", "camera 1", "塔吊𠮷"] {
            assert_eq!(decode(text.as_bytes()), text, "UTF-8");
            assert_eq!(decode(&GB18030.encode(text).0), text, "GB18030");
        }
        // the two bytes of 贸 are a letter in UTF-8
        let lone = GBK.encode("贸").0;
        assert_eq!(sniff(&lone, true), Charset::Gb18030);
    }

    #[test]
    fn a_broken_piece_stays_alone() {
        let mut document = "塔吊一号、塔吊二号、基坑东侧".as_bytes().to_vec();
        document.extend(GBK.encode("大门").0.iter());
        assert_eq!(sniff(&document, true), Charset::Utf8);
        assert_eq!(Charset::Utf8.decode(&GBK.encode("大门").0), "大门");
    }

    #[test]
    fn what_gb2312_lacks_becomes_a_reference() {
        assert_eq!(Charset::Gb2312.encode("𠮷"), b"&#134071;");
    }

    proptest! {
        #[test]
        fn any_text_survives_gb18030(text in "\\PC{0,40}") {
            // these are private use in the table of encoding_rs
            let back = Charset::Gb18030.decode(&Charset::Gb18030.encode(&text)).into_owned();
            prop_assert_eq!(back.chars().count(), text.chars().count());
        }

        #[test]
        fn any_bytes_decode(bytes in prop::collection::vec(any::<u8>(), 0..200), declared in any::<bool>()) {
            let _ = sniff(&bytes, declared).decode(&bytes);
            let _ = decode(&bytes);
        }
    }
}
