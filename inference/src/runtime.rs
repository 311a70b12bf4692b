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
        runtime.register_plugins();
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// Registers the plug-ins that lie beside the library, as `plugins/<any name>/libonnxruntime_providers_*.so`; one
    /// that cannot be used is left out, and the processor remains.
    fn register_plugins(&self) {
        for plugin in plugins(&self.library) {
            let name = plugin.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let register = || self.environment.register_ep_library(&name, &plugin).map_err(|e| e.to_string());
            match guarded(register) {
                Ok(()) => tracing::info!(plugin = %plugin.display(), "plug-in registered"),
                Err(reason) => tracing::warn!(plugin = %plugin.display(), reason, "plug-in left out"),
            }
        }
    }

    /// The file it was loaded from.
    pub fn library(&self) -> &Path {
        &self.library
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Plug-ins that lie beside `library`, one a folder.
fn plugins(library: &Path) -> Vec<PathBuf> {
    let list = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let is_plugin = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libonnxruntime_providers_") && path.extension().is_some_and(|extension| extension == "so")
    };
    let folders = list(&library.with_file_name("plugins"));
    folders.iter().filter_map(|folder| list(folder).into_iter().find(is_plugin)).collect()
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
    fn plugins_lie_in_folders_beside_the_library() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("libonnxruntime.so");
        assert_eq!(plugins(&library), [] as [PathBuf; 0]);
        for name in ["b/libonnxruntime_providers_openvino_plugin.so", "b/libtbb.so", "a/readme.txt"] {
            let path = dir.path().join("plugins").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = plugins(&library);
        assert_eq!(found, [dir.path().join("plugins/b/libonnxruntime_providers_openvino_plugin.so")]);
    }

    #[test]
    fn panics_become_reasons() {
        assert!(guarded::<()>(|| panic!("odd value")).unwrap_err().contains("odd value"));
    }
}
