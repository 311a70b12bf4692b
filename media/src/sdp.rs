//! SDP (RFC 8866) in the dialect of GB/T 28181 (annex G of the 2016 edition): `y=` carries the SSRC, `f=` the
//! format, `s=` what is wanted.

use std::fmt::Write as _;

use core::net::IpAddr;

/// Longest description read, bytes.
const MAX_SIZE: usize = 16 * 1024;
/// Most media sections and attributes kept.
const MAX_PARTS: usize = 64;

/// A session description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdp {
    /// User in `o=`: the code of the sender.
    pub origin: String,
    /// `s=`: `Play`, `Playback`, `Download`, `Talk`.
    pub name: String,
    /// `u=`: the channel whose recording is wanted.
    pub uri: Option<String>,
    /// Address of `c=`, of the session or of its first medium.
    pub address: Option<IpAddr>,
    /// `t=`: seconds since 1970 in this dialect, 0 when live.
    pub time: (u64, u64),
    /// Media.
    pub media: Vec<Media>,
    /// `y=` as written.
    pub y: Option<String>,
    /// `f=` as written.
    pub f: Option<String>,
}

/// One `m=` section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `video` or `audio`.
    pub kind: String,
    /// Port; 0 refuses.
    pub port: u16,
    /// `RTP/AVP` or `TCP/RTP/AVP`.
    pub protocol: String,
    /// Payload types.
    pub formats: Vec<u8>,
    /// `a=` lines: name and value.
    pub attributes: Vec<(String, Option<String>)>,
}

/// A text that is no session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSdp {
    /// Too long.
    #[error("the session description is longer than 16 KiB")]
    TooLarge,
    /// No medium.
    #[error("the session description offers no medium")]
    NoMedia,
}

impl Media {
    /// The value of an attribute; empty for one without a value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// Whether RTP travels over TCP.
    pub fn is_tcp(&self) -> bool {
        self.protocol.to_ascii_uppercase().starts_with("TCP")
    }

    /// Encoding name of a payload type: `PS`, `H264` and so on.
    pub fn encoding(&self, payload: u8) -> Option<&str> {
        let maps = self.attributes.iter().filter(|(name, _)| name.eq_ignore_ascii_case("rtpmap"));
        maps.filter_map(|(_, value)| value.as_deref()?.trim().split_once(char::is_whitespace))
            .find(|(number, _)| number.parse() == Ok(payload))
            .map(|(_, encoding)| encoding.split('/').next().unwrap_or_default().trim())
    }
}

impl Sdp {
    /// Reads a description. Lines may come in any order, unknown ones are skipped, missing ones left empty.
    ///
    /// # Errors
    /// When it is too large or has no medium.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidSdp> {
        if body.len() > MAX_SIZE {
            return Err(InvalidSdp::TooLarge);
        }
        let text = crate::charset::decode(body);
        let mut sdp = Self::default();
        for line in text.lines() {
            let Some((kind, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim();
            match kind.trim() {
                "o" => value.split_whitespace().next().unwrap_or_default().clone_into(&mut sdp.origin),
                "s" => value.clone_into(&mut sdp.name),
                "u" => sdp.uri = Some(value.to_owned()),
                "c" if sdp.address.is_none() => {
                    sdp.address = value.split_whitespace().nth(2).and_then(|a| a.split('/').next()?.parse().ok());
                }
                "t" => {
                    let mut times = value.split_whitespace().map(|t| t.parse().unwrap_or(0));
                    sdp.time = (times.next().unwrap_or(0), times.next().unwrap_or(0));
                }
                "m" if sdp.media.len() < MAX_PARTS => sdp.media.extend(media(value)),
                "a" => {
                    let (name, value) = value.split_once(':').map_or((value, None), |(n, v)| (n, Some(v.trim())));
                    if let Some(media) = sdp.media.last_mut()
                        && media.attributes.len() < MAX_PARTS
                    {
                        media.attributes.push((name.trim().to_owned(), value.map(str::to_owned)));
                    }
                }
                "y" => sdp.y = Some(value.to_owned()).filter(|y| !y.is_empty()),
                "f" => sdp.f = Some(value.to_owned()).filter(|f| !f.is_empty()),
                _ => {}
            }
        }
        if sdp.media.is_empty() { Err(InvalidSdp::NoMedia) } else { Ok(sdp) }
    }

    /// The bytes to send, in the order that devices expect.
    pub fn encode(&self) -> Vec<u8> {
        let Self { origin, name, uri, address, time, media, y, f } = self;
        let address = address.map_or_else(
            || "IN IP4 0.0.0.0".to_owned(),
            |a| format!("IN {} {a}", if a.is_ipv6() { "IP6" } else { "IP4" }),
        );
        let mut out = format!("v=0\r\no={origin} 0 0 {address}\r\ns={name}\r\n");
        if let Some(uri) = uri {
            let _ = write!(out, "u={uri}\r\n");
        }
        let _ = write!(out, "c={address}\r\nt={} {}\r\n", time.0, time.1);
        for Media { kind, port, protocol, formats, attributes } in media {
            let _ = write!(out, "m={kind} {port} {protocol}");
            for format in formats {
                let _ = write!(out, " {format}");
            }
            out.push_str("\r\n");
            for (name, value) in attributes {
                let _ = match value {
                    Some(value) => write!(out, "a={name}:{value}\r\n"),
                    None => write!(out, "a={name}\r\n"),
                };
            }
        }
        if let Some(y) = y {
            let _ = write!(out, "y={y}\r\n");
        }
        if let Some(f) = f {
            let _ = write!(out, "f={f}\r\n");
        }
        out.into_bytes()
    }

    /// The first medium of `kind`.
    pub fn medium(&self, kind: &str) -> Option<&Media> {
        self.media.iter().find(|media| media.kind.eq_ignore_ascii_case(kind))
    }

    /// The SSRC that `y=` announces; see [`parse_ssrc`].
    pub fn ssrc(&self) -> Option<u32> {
        parse_ssrc(self.y.as_deref()?)
    }
}

/// Reads an SSRC as devices write it: ten decimal digits, fewer when leading zeros are dropped, or
/// hexadecimal with letters. `None` for zeros, which devices send when they have no opinion.
pub fn parse_ssrc(text: &str) -> Option<u32> {
    let text = text.trim();
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match hex {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        None => u32::from_str_radix(text, 16).ok()?,
    };
    (number != 0).then_some(number)
}

fn media(value: &str) -> Option<Media> {
    let mut words = value.split_whitespace();
    let (kind, port, protocol) = (words.next()?, words.next()?, words.next()?);
    let port = port.split('/').next()?.parse().ok()?;
    let formats = words.filter_map(|w| w.parse().ok()).filter(|f| *f < 128).take(MAX_PARTS).collect();
    Some(Media { kind: kind.to_owned(), port, protocol: protocol.to_owned(), formats, attributes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_an_answer() {
        let text = b"v=0\r\no=34020000001320000001 0 0 IN IP4 192.168.1.64\r\ns=Play\r\nc=IN IP4 192.168.1.64\r\nt=0 0\r\n\
            m=video 15060 TCP/RTP/AVP 96\r\na=setup:active\r\na=sendonly\r\na=rtpmap:96 PS/90000 \r\na=filesize:1024\r\n\
            y=0100000009\r\nf=v/2/6/25/1/4000a/1/8/1\r\n";
        let sdp = Sdp::parse(text).unwrap();
        let video = sdp.medium("video").unwrap();
        assert_eq!((video.port, video.is_tcp(), video.encoding(96)), (15060, true, Some("PS")));
        assert_eq!((video.attribute("setup"), video.attribute("sendonly")), (Some("active"), Some("")));
        assert_eq!((sdp.ssrc(), sdp.time), (Some(100_000_009), (0, 0)));
        assert_eq!(sdp.address, Some([192, 168, 1, 64].into()));
    }

    #[test]
    fn reads_ssrcs_of_all_kinds() {
        let cases = [
            ("0100000009", Some(100_000_009)),
            ("100000009", Some(100_000_009)),
            ("0000000000", None),
            ("", None),
            ("05F5E109", Some(100_000_009)),
            ("0x05f5e109", Some(100_000_009)),
            ("99999999999", None),
            ("xyz", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse_ssrc(text), expect, "{text}");
        }
    }

    #[test]
    fn refuses_what_offers_nothing() {
        assert_eq!(Sdp::parse(b"v=0\r\ns=Play\r\n"), Err(InvalidSdp::NoMedia));
        assert_eq!(Sdp::parse(&vec![b'a'; MAX_SIZE + 1]), Err(InvalidSdp::TooLarge));
    }

    proptest! {
        #[test]
        fn written_descriptions_read_back(
            port in any::<u16>(), formats in prop::collection::vec(0..128_u8, 0..6), y in prop::option::of("[0-9]{10}"),
            time in any::<(u32, u32)>(), address in any::<[u8; 4]>(), value in prop::option::of("[a-z0-9 /]{1,12}")
        ) {
            let value = value.map(|v| v.trim().to_owned());
            let media = Media { kind: "video".into(), port, protocol: "TCP/RTP/AVP".into(), formats, attributes: vec![("x".into(), value)] };
            let sdp = Sdp {
                origin: "34020000002000000001".into(), name: "Playback".into(), uri: Some("1:0".into()), address: Some(address.into()),
                time: (time.0.into(), time.1.into()), media: vec![media], y, f: None,
            };
            prop_assert_eq!(Sdp::parse(&sdp.encode()), Ok(sdp));
        }

        #[test]
        fn any_text_is_read_or_refused(lines in prop::collection::vec("[vostucmayf]=[ -~]{0,30}", 0..20)) {
            if let Ok(sdp) = Sdp::parse(lines.join("\n").as_bytes()) {
                let _ = (sdp.ssrc(), sdp.media[0].encoding(96), sdp.encode());
            }
        }
    }
}
