//! Configuration of an edge: one TOML file, read once.
//!
//! What the edge analyses is not in here: cameras and tasks come as desired state.

mod address;
mod check;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use protocol::{EdgeId, Secret};
use serde::Deserialize;

pub use self::{address::Broker, check::Problem};
use crate::outbox::OutboxLimits;

/// The configuration of one edge.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// Id of this edge, as the console shows it.
    pub edge: EdgeId,
    /// Secret of this edge; the console shows it once, when the edge is made.
    pub secret: Secret,
    /// Broker: `mqtt://host[:1883]` or `mqtts://host[:8883]`.
    pub mqtt_url: String,
    /// Control plane, for evidence uploads: `http://host[:port][/path]` or `https://…`.
    pub plane_url: String,
    /// Folder for the outbox and the kept desired state.
    pub data_dir: PathBuf,
    /// A folder of model packages, or one package with its `manifest.toml`.
    pub model_dir: PathBuf,
    /// The ONNX Runtime library, `libonnxruntime.so…`.
    pub onnxruntime: PathBuf,
    /// Threads that inference uses.
    #[serde(default = "default_threads")]
    pub threads: usize,
    /// Certificates (PEM) to trust for `mqtts` and `https`; the system's when left out.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How much the outbox may hold.
    #[serde(default)]
    pub outbox: OutboxLimits,
}

const fn default_threads() -> usize {
    2
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// The file is not valid TOML, or has keys that are unknown, missing or of another type.
    #[error("{path}{place}: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line and key, where they are known.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A value that cannot be.
    #[error("{key}: {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong, and how it should be.
        reason: String,
    },
}

impl EdgeConfig {
    /// A configuration with made-up values: the base for one that is put together in code.
    pub fn example() -> Self {
        Self {
            edge: EdgeId::new(protocol::Timestamp::from_secs(0)),
            secret: Secret::new("the secret that the console shows once"),
            mqtt_url: "mqtt://127.0.0.1:1883".into(),
            plane_url: "http://127.0.0.1:8080".into(),
            data_dir: "data".into(),
            model_dir: "models".into(),
            onnxruntime: "libonnxruntime.so".into(),
            threads: default_threads(),
            ca_file: None,
            outbox: OutboxLimits::default(),
        }
    }

    /// Reads a configuration file. Paths in it are taken from the file's folder.
    ///
    /// # Errors
    /// When it cannot be read or used; the message names line and key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|reason| ConfigError::Read { path: path.to_owned(), reason })?;
        let mut config = Self::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for relative in [&mut config.data_dir, &mut config.model_dir, &mut config.onnxruntime] {
            *relative = folder.join(&relative);
        }
        config.ca_file = config.ca_file.map(|file| folder.join(file));
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| parse_error(text, path, &e))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks the values, without touching anything outside.
    ///
    /// # Errors
    /// The first value that cannot be.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.broker()?;
        self.plane()?;
        let bad = |key, reason: &str| Err(ConfigError::Value { key, reason: reason.to_owned() });
        if self.secret.expose().trim().is_empty() {
            return bad("secret", "is empty; the console shows the secret when the edge is made");
        }
        if !(1..=256).contains(&self.threads) {
            return bad("threads", "must be within 1 to 256");
        }
        if self.outbox.max_events == 0 {
            return bad("outbox.max_events", "must be at least 1");
        }
        Ok(())
    }
}

/// Says where, but never quotes the file: the line could be the one with the secret.
fn parse_error(text: &str, path: &Path, error: &toml::de::Error) -> ConfigError {
    let line_of = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count();
    let mut place = String::new();
    let mut reason = error.message().to_owned();
    // A missing key has no line; its place is the whole table.
    if let Some(span) = error.span().filter(|_| !reason.starts_with("missing field")) {
        let number = line_of(span.start);
        let line = text.lines().nth(number).unwrap_or("");
        let key = line.split_once('=').map_or("", |(key, _)| key.trim());
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.\"".contains(c));
        place = format!(", line {}", number + 1);
        if plain {
            place = format!("{place}, {key}");
        }
        if key == "secret" {
            "must be a text in quotes".clone_into(&mut reason);
        }
    }
    ConfigError::Parse { path: path.to_owned(), place, reason: reason.replace('\n', "; ") }
}

#[cfg(test)]
mod tests;
