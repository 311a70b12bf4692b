//! ONNX Runtime, loaded from a path that is configuration.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{environment::Environment, logging::LogLevel};

use crate::InferenceError;

/// The one ONNX Runtime of the process. It stays loaded until the process ends: its own clean-up must not
/// run while another thread still holds a session.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// A handle to ONNX Runtime.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
}

impl Runtime {
    /// Loads the shared library at `library`. A second call with the same file gives the same runtime.
    ///
    /// # Errors
    /// When the file is missing, is no ONNX Runtime of a version that fits, or when another one is loaded.
    pub fn load(library: &Path) -> Result<Self, InferenceError> {
        // ort looks a relative path up beside the executable first; the path in the configuration is what counts.
        let library = library.canonicalize().map_err(|_| InferenceError::LibraryMissing(library.to_owned()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            return if runtime.library == library {
                Ok(runtime.clone())
            } else {
                Err(InferenceError::OtherLibrary { loaded: runtime.library.clone(), asked: library })
            };
        }
        let refused = |reason| InferenceError::LibraryRefused { path: library.clone(), reason };
        let environment = guarded(|| {
            let builder = ort::init_from(&library).map_err(|e| e.to_string())?;
            builder.with_name("inference").with_telemetry(false).build().map_err(|e| e.to_string())
        })
        .map_err(refused)?;
        // ort asks for every message and drops what is not wanted; here nobody wants them formatted per run.
        environment.set_log_level(LogLevel::Warning);
        let runtime = Self { environment, library };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The file it was loaded from.
    pub fn library(&self) -> &Path {
        &self.library
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Runs code of other libraries on untrusted files. `ort` panics instead of giving an error when a library or a
/// model is strange enough (for example on a value type its enums do not know).
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("it is outside of what the reader knows ({})", text.unwrap_or("no detail")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_wrong_library_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Runtime::load(&dir.path().join("libonnxruntime.so"));
        assert!(matches!(missing, Err(InferenceError::LibraryMissing(_))), "{missing:?}");
        let text = dir.path().join("text.so");
        std::fs::write(&text, "not a library").unwrap();
        let refused = Runtime::load(&text);
        assert!(matches!(refused, Err(InferenceError::LibraryRefused { .. })), "{refused:?}");
    }

    #[test]
    fn panics_become_reasons() {
        assert!(guarded::<()>(|| panic!("odd value")).unwrap_err().contains("odd value"));
    }
}
