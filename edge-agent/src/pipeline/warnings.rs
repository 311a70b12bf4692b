//! What needs a person, as it stands now.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::{CameraId, HealthWarning};

/// What a warning is about: at most one per code and camera.
type Key = (&'static str, Option<CameraId>);

/// Warnings that stand until they are cleared. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Warnings(Arc<Mutex<BTreeMap<Key, String>>>);

impl Warnings {
    /// Sets a warning; says whether it is new.
    pub(super) fn set(&self, code: &'static str, camera: Option<CameraId>, message: String) -> bool {
        self.lock().insert((code, camera), message).is_none()
    }

    /// Clears a warning; says whether there was one.
    pub(super) fn clear(&self, code: &'static str, camera: Option<CameraId>) -> bool {
        self.lock().remove(&(code, camera)).is_some()
    }

    /// Clears all warnings of a camera.
    pub(super) fn forget(&self, camera: CameraId) {
        self.lock().retain(|(_, of), _| *of != Some(camera));
    }

    pub(super) fn list(&self) -> Vec<HealthWarning> {
        let warning = |(key, message): (&Key, &String)| HealthWarning { code: key.0.into(), message: message.clone() };
        self.lock().iter().map(warning).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
