//! What the server is told.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    time::Duration,
};

use media::{
    GbId,
    gb28181::{Config, DateForm, InvalidConfig, Passwords},
    gbid::InvalidGbId,
};
use protocol::Secret;
use serde::Deserialize;

/// The GB/T 28181 server. It is off when this section is absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where SIP is listened for, over UDP and TCP, e.g. `0.0.0.0:5060`.
    pub listen: SocketAddr,
    /// Where devices reach SIP; behind NAT the public address.
    pub advertised: SocketAddr,
    /// Where devices send media, when it is another address than that of SIP.
    #[serde(default)]
    pub media_address: Option<IpAddr>,
    /// Ports for media, each UDP and TCP, e.g. `[30000, 30499]`: one for each camera that is watched.
    pub media_ports: (u16, u16),
    /// The server's code of 20 digits.
    pub id: String,
    /// SIP domain; the first ten digits of the code when absent.
    #[serde(default)]
    pub domain: Option<String>,
    /// Password of all devices that have none of their own. There is no default.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Passwords by device code.
    #[serde(default)]
    pub passwords: BTreeMap<String, Secret>,
    /// Whether SHA-256 is offered besides MD5; some devices cannot read two offers.
    #[serde(default)]
    pub offer_sha256: bool,
    /// How registering devices are told the time: `off`, `millis`, `seconds`, `rfc1123`.
    #[serde(default)]
    pub date: Date,
    /// Minutes east of Greenwich of the devices.
    #[serde(default = "china")]
    pub utc_offset_minutes: i32,
    /// Seconds between keep-alives, until a device's own rhythm is known.
    #[serde(default = "minute")]
    pub keepalive_secs: u64,
}

/// See [`ServerConfig::date`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Date {
    /// Not at all.
    Off,
    /// With milliseconds.
    #[default]
    Millis,
    /// Without.
    Seconds,
    /// As old devices want it.
    Rfc1123,
}

const fn china() -> i32 {
    480
}

const fn minute() -> u64 {
    60
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum InvalidServerConfig {
    /// A wrong code.
    #[error("{0} is no device code: {1}")]
    Code(String, InvalidGbId),
    /// The protocol's own conditions.
    #[error(transparent)]
    Protocol(#[from] InvalidConfig),
    /// A range that is empty or takes system ports.
    #[error("media_ports must be two ports from 1024 on, the smaller first")]
    Ports,
}

impl ServerConfig {
    pub(super) fn ports(&self) -> Result<RangeInclusive<u16>, InvalidServerConfig> {
        let (first, last) = self.media_ports;
        if first < 1_024 || first > last { Err(InvalidServerConfig::Ports) } else { Ok(first..=last) }
    }

    pub(super) fn media_ip(&self) -> IpAddr {
        self.media_address.unwrap_or(self.advertised.ip())
    }

    pub(super) fn protocol(&self) -> Result<Config, InvalidServerConfig> {
        let code = |text: &str| text.parse::<GbId>().map_err(|e| InvalidServerConfig::Code(text.to_owned(), e));
        let mut passwords = Passwords::default();
        if let Some(password) = &self.password {
            passwords = passwords.with_shared(password.expose());
        }
        for (device, password) in &self.passwords {
            passwords = passwords.with_own(code(device)?, password.expose());
        }
        let id = code(&self.id)?;
        let mut config = Config::new(id, self.advertised, passwords);
        if let Some(domain) = &self.domain {
            config.domain.clone_from(domain);
        }
        config.offer_sha256 = self.offer_sha256;
        config.date = match self.date {
            Date::Off => DateForm::Off,
            Date::Millis => DateForm::Millis,
            Date::Seconds => DateForm::Seconds,
            Date::Rfc1123 => DateForm::Rfc1123,
        };
        config.utc_offset_minutes = self.utc_offset_minutes.clamp(-720, 840);
        config.keepalive = Duration::from_secs(self.keepalive_secs);
        Ok(config)
    }
}
