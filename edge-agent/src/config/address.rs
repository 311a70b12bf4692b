//! Addresses of the broker and the control plane.

use url::Url;

use super::{ConfigError, EdgeConfig};

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl EdgeConfig {
    /// The broker's address.
    ///
    /// # Errors
    /// When `mqtt_url` is none.
    pub fn broker(&self) -> Result<Broker, ConfigError> {
        let url = parse("mqtt_url", &self.mqtt_url, "mqtt://host:1883 or mqtts://host:8883")?;
        let bad = |reason: String| Err(ConfigError::Value { key: "mqtt_url", reason });
        let (tls, port) = match url.scheme() {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            other => return bad(format!("must begin with mqtt:// or mqtts://, not {other}://")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return bad("has a path or query, which MQTT does not know; write mqtt://host:port".into());
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Broker { host, port: url.port().unwrap_or(port), tls })
    }

    /// The control plane's address, its path ending with `/`.
    ///
    /// # Errors
    /// When `plane_url` is none.
    pub fn plane(&self) -> Result<Url, ConfigError> {
        let mut url = parse("plane_url", &self.plane_url, "https://host or http://host:8080")?;
        let bad = |reason: String| Err(ConfigError::Value { key: "plane_url", reason });
        if !matches!(url.scheme(), "http" | "https") {
            return bad(format!("must begin with http:// or https://, not {}://", url.scheme()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return bad("must not have a query or fragment".into());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(url)
    }
}

fn parse(key: &'static str, text: &str, form: &str) -> Result<Url, ConfigError> {
    let bad = |reason: String| ConfigError::Value { key, reason };
    let url = Url::parse(text).map_err(|e| bad(format!("is not a URL ({e}); write {form}")))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(format!("has no host; write {form}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("must not carry user or password: `edge` and `secret` are used".into()));
    }
    Ok(url)
}
