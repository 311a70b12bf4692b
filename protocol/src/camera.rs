//! Cameras: what a person writes, and what the gateway may pull.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::CameraId;

/// A password. Printing it shows nothing; only the wire to the edge carries it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself: for the one place that sends it to the camera.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How RTP travels from the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Interleaved in the RTSP connection: survives firewalls and loses nothing.
    #[default]
    Tcp,
    /// Datagrams.
    Udp,
}

/// A camera as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSpec {
    /// Its id.
    pub id: CameraId,
    /// What people call it.
    pub name: String,
    /// `rtsp://host[:port]/path`, without user or password; `gb28181://device[/channel]` with the codes of a
    /// device that registers at the gateway.
    pub url: String,
    /// User at the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password at the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// How RTP travels.
    #[serde(default)]
    pub transport: Transport,
}

/// A camera that can be pulled.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Its id.
    pub id: CameraId,
    /// What people call it.
    pub name: String,
    /// Where to pull, free of credentials.
    pub url: Url,
    /// User and password at the camera.
    pub credentials: Option<(String, Secret)>,
    /// How RTP travels.
    pub transport: Transport,
}

/// Why a camera cannot be used as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCamera {
    /// No name, or a very long one.
    #[error("a camera needs a name of 1 to 100 characters")]
    Name,
    /// The address is no URL.
    #[error("the camera's address is not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// Another protocol.
    #[error("cameras are pulled by rtsp:// or rtsps://, not {0}://")]
    Scheme(String),
    /// No host.
    #[error("the camera's address has no host")]
    Host,
    /// Credentials written into the URL.
    #[error("write user and password in their own fields, not into the address")]
    CredentialsInUrl,
    /// Wrong codes of a GB/T 28181 device.
    #[error("write gb28181://device/channel with codes of 20 digits")]
    GbCode,
    /// A password without a user.
    #[error("a password without a user name")]
    PasswordWithoutUser,
}

impl TryFrom<CameraSpec> for Camera {
    type Error = InvalidCamera;

    fn try_from(spec: CameraSpec) -> Result<Self, Self::Error> {
        if spec.name.trim().is_empty() || spec.name.chars().count() > 100 {
            return Err(InvalidCamera::Name);
        }
        let url = Url::parse(&spec.url)?;
        if url.scheme() == "gb28181" {
            check_gb(&url)?;
        } else if !matches!(url.scheme(), "rtsp" | "rtsps") {
            return Err(InvalidCamera::Scheme(url.scheme().to_owned()));
        }
        if url.host().is_none() {
            return Err(InvalidCamera::Host);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidCamera::CredentialsInUrl);
        }
        let credentials = match (spec.username, spec.password) {
            (Some(user), password) => Some((user, password.unwrap_or_else(|| Secret::new("")))),
            (None, Some(_)) => return Err(InvalidCamera::PasswordWithoutUser),
            (None, None) => None,
        };
        Ok(Self { id: spec.id, name: spec.name, url, credentials, transport: spec.transport })
    }
}

/// `gb28181://device[/channel]`: a camera that registers here.
fn check_gb(url: &Url) -> Result<(), InvalidCamera> {
    let digits = |text: &str| text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit());
    let channel = url.path().trim_start_matches('/');
    let known = url.host_str().is_some_and(digits) && (channel.is_empty() || digits(channel)) && url.port().is_none();
    if known { Ok(()) } else { Err(InvalidCamera::GbCode) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expect: &str) {
        let spec = CameraSpec {
            id: CameraId::new(crate::Timestamp::from_secs(0)),
            name: "gate".into(),
            url: url.into(),
            username: None,
            password: None,
            transport: Transport::Tcp,
        };
        let got = Camera::try_from(spec).map_or_else(|e| e.to_string(), |c| c.url.to_string());
        assert_eq!(got, expect);
    }

    #[test]
    fn addresses() {
        check("rtsp://10.0.0.7:554/Streaming/Channels/101", "rtsp://10.0.0.7:554/Streaming/Channels/101");
        check("http://10.0.0.7/", "cameras are pulled by rtsp:// or rtsps://, not http://");
        check("rtsp://admin:secret@10.0.0.7/", "write user and password in their own fields, not into the address");
        let gb = "gb28181://34020000001320000001/34020000001320000002?stream=sub";
        check(gb, gb);
        check("gb28181://34020000001320000001", "gb28181://34020000001320000001");
        check("gb28181://10.0.0.7/1", "write gb28181://device/channel with codes of 20 digits");
        check("10.0.0.7", "the camera's address is not a URL: relative URL without a base");
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
