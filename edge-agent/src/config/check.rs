//! What `check-config` looks at beyond the file itself.

use std::{fmt, fs, path::Path};

use super::EdgeConfig;
use crate::{
    pipeline::{load_models, packages},
    tls,
};

/// Something that would not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key it is about.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

impl EdgeConfig {
    /// Checks the values and that what they point at is there; with `load_model` also that the model runs here.
    pub fn check(&self, load_model: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |key, message: String| problems.push(Problem { key, message });
        if let Err(e) = self.validate() {
            add("configuration", e.to_string());
        }
        if let Err(e) = writable(&self.data_dir) {
            let dir = self.data_dir.display();
            add("data_dir", format!("{dir} cannot be written ({e}); make it writable for the agent's user"));
        }
        let packages = packages(&self.model_dir);
        if let Err(e) = &packages {
            add("model_dir", e.to_string());
        }
        let has_runtime = self.onnxruntime.is_file();
        if !has_runtime {
            add("onnxruntime", format!("{} is not a file; install ONNX Runtime there", self.onnxruntime.display()));
        }
        if let Some(file) = &self.ca_file
            && let Err(e) = tls::client_config(Some(file))
        {
            add("ca_file", e.to_string());
        }
        if load_model && packages.is_ok() && has_runtime {
            self.try_models().into_iter().for_each(|reason| add("model_dir", reason));
        }
        problems
    }

    fn try_models(&self) -> Vec<String> {
        load_models(&self.onnxruntime, &self.model_dir, self.threads)
            .map_or_else(|e| vec![e.to_string()], |models| models.refused)
    }
}

fn writable(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let probe = dir.join(".write-probe");
    fs::write(&probe, b"")?;
    fs::remove_file(probe)
}
