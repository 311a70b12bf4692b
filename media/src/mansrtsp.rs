//! MANSRTSP (annex B of GB/T 28181-2016): how a recording that plays is steered, in the body of INFO.

use std::fmt::Write as _;

/// Content type of the body.
pub const CONTENT_TYPE: &str = "Application/MANSRTSP";

/// What a player asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Steer {
    /// Stand still.
    Pause,
    /// Go on from where it stands.
    Resume,
    /// Go to a place, milliseconds after the beginning.
    Seek(u64),
    /// Play faster or slower; 1 is as recorded.
    Speed(f32),
    /// End.
    Teardown,
}

impl Steer {
    /// The body. `cseq` counts up within the call.
    pub fn encode(self, cseq: u32) -> Vec<u8> {
        let method = match self {
            Self::Pause => "PAUSE",
            Self::Teardown => "TEARDOWN",
            Self::Resume | Self::Seek(_) | Self::Speed(_) => "PLAY",
        };
        let mut out = format!("{method} RTSP/1.0\r\nCSeq: {cseq}\r\n");
        match self {
            Self::Pause => out.push_str("PauseTime: now\r\n"),
            Self::Resume => out.push_str("Range: npt=now-\r\n"),
            Self::Seek(ms) if ms % 1_000 == 0 => {
                let _ = write!(out, "Range: npt={}-\r\n", ms / 1_000);
            }
            Self::Seek(ms) => {
                let _ = write!(out, "Range: npt={}.{:03}-\r\n", ms / 1_000, ms % 1_000);
            }
            Self::Speed(scale) => {
                let _ = write!(out, "Scale: {scale:?}\r\n");
            }
            Self::Teardown => {}
        }
        out.push_str("\r\n");
        out.into_bytes()
    }

    /// Reads a request, with its `CSeq`; `None` for anything else. A `PLAY` with a scale and a range of `now`
    /// changes the speed.
    pub fn parse(body: &[u8]) -> Option<(u32, Self)> {
        let text = std::str::from_utf8(body).ok()?;
        let mut lines = text.lines();
        let method = lines.next()?.split_whitespace().next()?.to_ascii_uppercase();
        let header = |name: &str| {
            let lines = text.lines().skip(1).filter_map(|line| line.split_once(':'));
            lines.filter(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
        };
        let cseq = header("CSeq").and_then(|n| n.parse().ok()).unwrap_or(0);
        let scale = header("Scale").and_then(|s| s.parse::<f32>().ok()).filter(|s| s.is_finite() && *s != 0.0);
        let range = header("Range").and_then(|range| range.strip_prefix("npt=")?.split('-').next());
        let place = range.and_then(|start| start.trim().parse::<f64>().ok()).filter(|s| (0.0..1e9).contains(s));
        let steer = match (method.as_str(), place, scale) {
            ("PAUSE", ..) => Self::Pause,
            ("TEARDOWN", ..) => Self::Teardown,
            ("PLAY", Some(place), _) => Self::Seek((place * 1_000.0).round() as u64),
            ("PLAY", None, Some(scale)) => Self::Speed(scale),
            ("PLAY", None, None) => Self::Resume,
            _ => return None,
        };
        Some((cseq, steer))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_what_devices_know() {
        let text = |steer: Steer, cseq| String::from_utf8(steer.encode(cseq)).unwrap();
        assert_eq!(text(Steer::Pause, 1), "PAUSE RTSP/1.0\r\nCSeq: 1\r\nPauseTime: now\r\n\r\n");
        assert_eq!(text(Steer::Seek(120_000), 2), "PLAY RTSP/1.0\r\nCSeq: 2\r\nRange: npt=120-\r\n\r\n");
        assert_eq!(text(Steer::Speed(2.0), 3), "PLAY RTSP/1.0\r\nCSeq: 3\r\nScale: 2.0\r\n\r\n");
        assert_eq!(Steer::parse(b"SETUP x"), None);
    }

    proptest! {
        #[test]
        fn there_and_back(cseq in any::<u32>(), ms in 0..1_000_000_000_u64, scale in 0.1_f32..32.0) {
            for steer in [Steer::Pause, Steer::Resume, Steer::Seek(ms), Steer::Speed(scale), Steer::Teardown] {
                prop_assert_eq!(Steer::parse(&steer.encode(cseq)), Some((cseq, steer)));
            }
        }

        #[test]
        fn any_body_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Steer::parse(&body);
        }
    }
}
