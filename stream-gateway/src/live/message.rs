//! The text messages of the live view.

use protocol::{OverlayBox, StreamState};
use serde::Serialize;

/// What a viewer is told in words; pictures are binary messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message<'a> {
    /// Pictures begin, or begin anew: reset the player. The init segment follows as a binary message.
    Init {
        /// RFC 6381 name for `MediaSource.isTypeSupported`.
        codec: &'a str,
        /// Picture width.
        width: u32,
        /// Picture height.
        height: u32,
        /// Media time at which the fragments' clock is 0.
        base_pts_us: i64,
    },
    /// Boxes to draw over the picture of this media time.
    Overlay {
        /// Media time.
        pts_us: i64,
        /// The boxes.
        boxes: &'a [OverlayBox],
    },
    /// How the camera is, at the start when it is not online, and whenever it changes.
    State {
        /// Its state.
        state: StreamState,
        /// The reason in words.
        detail: &'a str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form() {
        let check = |message: Message<'_>, expect: &str| assert_eq!(serde_json::to_string(&message).unwrap(), expect);
        check(
            Message::Init { codec: "avc1.640028", width: 1280, height: 720, base_pts_us: 40_000 },
            r#"{"type":"init","codec":"avc1.640028","width":1280,"height":720,"base_pts_us":40000}"#,
        );
        check(Message::Overlay { pts_us: 7, boxes: &[] }, r#"{"type":"overlay","pts_us":7,"boxes":[]}"#);
        check(
            Message::State { state: StreamState::NotFound, detail: "the camera has no stream at /a" },
            r#"{"type":"state","state":"not_found","detail":"the camera has no stream at /a"}"#,
        );
    }
}
