//! Configuration of the all-in-one: a TOML file and command-line options that win over it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// Where everything is. Every key may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder for databases, evidence and secrets.
    pub data_dir: PathBuf,
    /// Where the console and its API listen.
    pub listen: SocketAddr,
    /// Where the embedded MQTT broker listens; port 0 takes a free one.
    pub mqtt_listen: SocketAddr,
    /// An external broker (`mqtt://host:1883`) instead of the embedded one.
    pub mqtt_url: Option<String>,
    /// Password of user `plane` at the external broker.
    pub mqtt_password: Option<protocol::Secret>,
    /// `sqlite:PATH` or `postgres://…`; SQLite in the data folder when left out.
    pub database_url: Option<protocol::Secret>,
    /// A folder of model packages that serve the tasks, or one package.
    pub model: PathBuf,
    /// ONNX Runtime's shared library.
    pub onnxruntime: PathBuf,
    /// Folder of the built console.
    pub console: PathBuf,
    /// Threads that inference may use.
    pub inference_threads: usize,
    /// The GB/T 28181 server, to which devices register; off when left out.
    pub gb28181: Option<stream_gateway::gb28181::ServerConfig>,
    /// Demo cameras.
    pub demo: DemoConfig,
}

/// Demo cameras: clips looped through an RTSP server on this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DemoConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// The clip that comes with `make setup`.
    pub clip: PathBuf,
    /// A folder whose clips become cameras too, when it exists.
    pub clips_dir: Option<PathBuf>,
    /// Further clips.
    pub clips: Vec<PathBuf>,
    /// Where prepared clips are kept.
    pub cache: PathBuf,
    /// Cameras of the user's own: `rtsp://[user:password@]host/path`.
    pub cameras: Vec<String>,
    /// Where the demo cameras listen; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            // Not 1883: Debian's Mosquitto starts there by itself once it is installed.
            mqtt_listen: SocketAddr::from(([127, 0, 0, 1], 18830)),
            mqtt_url: None,
            mqtt_password: None,
            database_url: None,
            model: "models".into(),
            onnxruntime: ".cache/onnxruntime/libonnxruntime.so".into(),
            console: "console/dist".into(),
            inference_threads: 2,
            gb28181: None,
            demo: DemoConfig::default(),
        }
    }
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            clip: ".cache/clips/vtest.avi".into(),
            clips_dir: None,
            clips: Vec::new(),
            cache: ".cache/clips/prepared".into(),
            cameras: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8554)),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what is expected; the message names line and key.
    #[error("the configuration {path} is not valid: {message}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A value that cannot be.
    #[error("the configuration is not valid: {0}")]
    Value(String),
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or holds an unknown key or an impossible value.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Self = toml::from_str(&text)
            .map_err(|e| ConfigError::Parse { path: path.to_owned(), message: e.to_string().trim_end().to_owned() })?;
        config.check()?;
        Ok(config)
    }

    /// Checks values that parse but cannot work.
    ///
    /// # Errors
    /// Names the key and what it may be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |what: &str| Err(ConfigError::Value(what.to_owned()));
        if self.inference_threads == 0 || self.inference_threads > 64 {
            return refuse("inference_threads must be within 1 to 64");
        }
        if let Some(url) = &self.mqtt_url
            && !(url.starts_with("mqtt://") || url.starts_with("mqtts://"))
        {
            return refuse("mqtt_url must begin with mqtt:// or mqtts://");
        }
        if self.mqtt_url.is_some() && self.mqtt_password.is_none() {
            return refuse("mqtt_password is needed with mqtt_url: the password of user `plane` at that broker");
        }
        if let Some(url) = &self.database_url
            && !["sqlite:", "postgres://", "postgresql://"].iter().any(|p| url.expose().starts_with(p))
        {
            return refuse("database_url must begin with sqlite: or postgres://");
        }
        Ok(())
    }

    /// The database: what is configured, or SQLite in the data folder.
    pub fn database(&self) -> protocol::Secret {
        let embedded = || protocol::Secret::new(format!("sqlite:{}", self.data_dir.join("plane/plane.db").display()));
        self.database_url.clone().unwrap_or_else(embedded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gongshao.toml");
        std::fs::write(&path, text).unwrap();
        let got = Config::load(&path).map_or_else(|e| e.to_string(), |c| c.listen.to_string());
        assert!(got.contains(expect), "{got:?} does not contain {expect:?}");
    }

    #[test]
    fn files() {
        check("", "127.0.0.1:8080");
        check("listen = \"0.0.0.0:80\"", "0.0.0.0:80");
        check("listn = \"0.0.0.0:80\"", "unknown field `listn`");
        check("listen = \"here\"", "line 1");
        check("inference_threads = 0", "inference_threads must be within 1 to 64");
        check("mqtt_url = \"http://broker\"", "mqtt_url must begin with mqtt://");
        check("mqtt_url = \"mqtt://broker\"", "mqtt_password is needed");
        check("database_url = \"mysql://x\"", "database_url must begin with");
        check("\u{0}\u{1}", "is not valid");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nonexistent/gongshao.toml")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/gongshao.toml"), "{error}");
    }
}
