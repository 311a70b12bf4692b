//! What a platform is told.

use std::{collections::HashMap, fmt, time::Duration};

use core::net::SocketAddr;

use crate::{
    charset::Charset,
    gbid::{GbId, GbType},
};

/// Passwords of devices. Printing shows none.
#[derive(Clone, Default)]
pub struct Passwords {
    shared: Option<String>,
    own: HashMap<GbId, String>,
}

impl Passwords {
    /// One password for all devices that have none of their own.
    #[must_use]
    pub fn with_shared(mut self, password: impl Into<String>) -> Self {
        self.shared = Some(password.into()).filter(|p| !p.is_empty());
        self
    }

    /// A device's own password.
    #[must_use]
    pub fn with_own(mut self, device: GbId, password: impl Into<String>) -> Self {
        self.own.insert(device, password.into());
        self
    }

    pub(super) fn of(&self, device: &GbId) -> Option<&str> {
        self.own.get(device).or(self.shared.as_ref()).map(String::as_str).filter(|p| !p.is_empty())
    }

    fn shortest(&self) -> Option<usize> {
        self.own.values().chain(&self.shared).map(|p| p.chars().count()).min()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passwords", self.own.len() + usize::from(self.shared.is_some()))
    }
}

/// How the `Date` of a registration is written. It is local time: devices set their clocks by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateForm {
    /// Not at all: the devices have another source of time.
    Off,
    /// `2026-06-14T12:00:00.000`.
    #[default]
    Millis,
    /// `2026-06-14T12:00:00`.
    Seconds,
    /// `Sun, 14 Jun 2026 12:00:00 GMT`.
    Rfc1123,
}

/// Edition of the standard that a device speaks, by its `X-GB-Ver`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// 2011, or 2016 without saying so.
    #[default]
    V2011,
    /// `2.0`.
    V2016,
    /// `3.0`.
    V2022,
}

impl Edition {
    pub(super) fn named(text: Option<&str>) -> Self {
        let major = text.and_then(|text| text.trim().split('.').next()).and_then(|major| major.parse().ok());
        match major {
            Some(3..) => Self::V2022,
            Some(2) => Self::V2016,
            _ => Self::V2011,
        }
    }

    /// How bodies for such a device are encoded.
    pub const fn charset(self) -> Charset {
        match self {
            Self::V2011 | Self::V2016 => Charset::Gb2312,
            Self::V2022 => Charset::Gb18030,
        }
    }
}

/// How a platform works.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its code.
    pub id: GbId,
    /// SIP domain and digest realm; the first ten digits of the code for most.
    pub domain: String,
    /// Where devices reach it, as written into `Via` and `Contact`. Behind NAT the public address.
    pub advertised: SocketAddr,
    /// Passwords.
    pub passwords: Passwords,
    /// Whether SHA-256 is offered besides MD5. Some devices cannot read two offers.
    pub offer_sha256: bool,
    /// How `Date` is written.
    pub date: DateForm,
    /// Minutes east of Greenwich of the devices; 480 in China.
    pub utc_offset_minutes: i32,
    /// Rhythm of reports that is assumed until a device's own is known.
    pub keepalive: Duration,
    /// How many reports may be missed before the device is asked.
    pub missed: u32,
    /// Longest registration granted.
    pub max_expires: Duration,
    /// Most devices.
    pub max_devices: usize,
    /// Whether a device that comes online is asked for its details and its catalog.
    pub query_on_online: bool,
    /// How often the catalog is asked for again: devices forget to notify.
    pub catalog_every: Option<Duration>,
    /// How long a request waits for its answer.
    pub patience: Duration,
    /// How long an invitation waits for its answer.
    pub invite_patience: Duration,
}

/// A configuration that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// The code is of another kind.
    #[error("the server's code must be that of a platform: 200 in digits 11 to 13")]
    Code,
    /// No password.
    #[error("set a password for the devices: without one anybody could register")]
    NoPassword,
    /// A password that is guessed at once.
    #[error("the devices' passwords must have at least 8 characters")]
    WeakPassword,
    /// No domain.
    #[error("set the SIP domain, for example the first ten digits of the server's code")]
    Domain,
    /// An address that cannot be reached.
    #[error("set the address at which devices reach the server, not {0}")]
    Advertised(SocketAddr),
    /// Times that make no sense.
    #[error("the keep-alive rhythm must be 5 s to 1 h, and 1 to 100 of them may be missed")]
    Keepalive,
}

impl Config {
    /// A configuration with the usual values.
    pub fn new(id: GbId, advertised: SocketAddr, passwords: Passwords) -> Self {
        Self {
            id,
            domain: id.domain().to_owned(),
            advertised,
            passwords,
            offer_sha256: false,
            date: DateForm::default(),
            utc_offset_minutes: 480,
            keepalive: Duration::from_mins(1),
            missed: 3,
            max_expires: Duration::from_hours(24),
            max_devices: 20_000,
            query_on_online: true,
            catalog_every: Some(Duration::from_hours(1)),
            patience: Duration::from_secs(10),
            invite_patience: Duration::from_secs(8),
        }
    }

    pub(super) fn check(&self) -> Result<(), InvalidConfig> {
        let clean =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
        if self.id.kind() != GbType::Platform {
            return Err(InvalidConfig::Code);
        }
        match self.passwords.shortest() {
            None | Some(0) => return Err(InvalidConfig::NoPassword),
            Some(1..8) => return Err(InvalidConfig::WeakPassword),
            Some(_) => {}
        }
        if !clean(&self.domain) {
            return Err(InvalidConfig::Domain);
        }
        if self.advertised.ip().is_unspecified() || self.advertised.port() == 0 {
            return Err(InvalidConfig::Advertised(self.advertised));
        }
        let rhythm = Duration::from_secs(5)..=Duration::from_hours(1);
        if !rhythm.contains(&self.keepalive) || !(1..=100).contains(&self.missed) {
            return Err(InvalidConfig::Keepalive);
        }
        Ok(())
    }
}
