//! What can be wrong with a camera, each with its state and a sentence that says what to do.

use std::time::Duration;

use protocol::{Camera, StreamState, Transport};

/// A camera that does not deliver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Fault {
    /// Which kind of fault.
    pub state: StreamState,
    /// What it is and what to do about it, without credentials.
    pub detail: String,
}

impl Fault {
    /// Makes a fault.
    pub fn new(state: StreamState, detail: impl Into<String>) -> Self {
        Self { state, detail: detail.into() }
    }

    /// The camera did not answer in time.
    pub(crate) fn silent(camera: &Camera, patience: Duration) -> Self {
        let (host, secs) = (host(camera), patience.as_secs());
        let detail = format!("{host} did not answer within {secs} s: check its power, its network and the address");
        Self::new(StreamState::Unreachable, detail)
    }

    /// No picture came for a while.
    pub(crate) fn no_frames(camera: &Camera, patience: Duration) -> Self {
        let secs = patience.as_secs();
        let hint = match camera.transport {
            Transport::Tcp => "restart its stream or the camera",
            Transport::Udp => "if a firewall drops the datagrams, choose TCP",
        };
        let detail = format!("the camera is connected but has sent no picture for {secs} s: {hint}");
        Self::new(StreamState::NoFrames, detail)
    }

    /// Pictures come, but none where decoding could start.
    pub(crate) fn no_key_frame(patience: Duration) -> Self {
        let secs = patience.as_secs();
        let detail = format!(
            "pictures arrive, but no complete key frame within {secs} s: set a key frame interval of 1 to 4 s at the camera"
        );
        Self::new(StreamState::NoFrames, detail)
    }

    /// The camera hung up.
    pub(crate) fn closed() -> Self {
        Self::new(StreamState::Interrupted, "the camera closed the stream")
    }
}

/// `host:port` of a camera.
pub(crate) fn host(camera: &Camera) -> String {
    let host = camera.url.host_str().unwrap_or("?");
    if camera.url.scheme() == "gb28181" {
        return format!("device {host}");
    }
    format!("{host}:{}", camera.url.port().unwrap_or(554))
}

/// Names what the RTSP library reports.
pub(crate) fn from_rtsp(camera: &Camera, error: &retina::Error) -> Fault {
    // the first line says what happened; the others are for packet captures
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default().trim_end_matches(": ");
    // the library does not tell its kinds of error apart in types
    if let Some(reason) = line.strip_prefix("Unable to connect to RTSP server: ") {
        let detail = format!("cannot connect to {}: {reason}", host(camera));
        return Fault::new(StreamState::Unreachable, detail);
    }
    let Some(status) = error.status_code() else {
        return Fault::new(StreamState::Interrupted, format!("the connection to the camera broke: {line}"));
    };
    let (state, detail) = match (status, &camera.credentials) {
        (401 | 403, None) => {
            (StreamState::Unauthorised, "the camera asks for a user and a password: enter them".to_owned())
        }
        (401 | 403, Some(_)) => (
            StreamState::Unauthorised,
            "the camera refuses this user or password: correct them (many cameras lock the user for a while after several tries)"
                .to_owned(),
        ),
        (404 | 454, _) => {
            (StreamState::NotFound, format!("the camera has no stream at {}: correct the path", camera.url.path()))
        }
        (461, _) => {
            let other = if camera.transport == Transport::Tcp { "UDP" } else { "TCP" };
            (StreamState::Unsupported, format!("the camera refuses this transport: choose {other}"))
        }
        (453 | 503, _) => (
            StreamState::Unreachable,
            format!("the camera is busy (RTSP status {status}): it may allow fewer connections than are open"),
        ),
        (200, _) => (StreamState::Unsupported, format!("the camera's answer makes no sense: {line}")),
        _ => (StreamState::Interrupted, format!("the camera answered with RTSP status {status}")),
    };
    Fault::new(state, detail)
}
