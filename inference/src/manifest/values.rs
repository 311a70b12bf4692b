//! Checks that several sections of the manifest share.

use std::path::{Component, Path};

use crate::ModelRefused;

pub(super) fn bad(key: &'static str, reason: impl Into<String>) -> ModelRefused {
    ModelRefused::ManifestValue { key, reason: reason.into() }
}

pub(super) fn check(valid: bool, key: &'static str, reason: impl FnOnce() -> String) -> Result<(), ModelRefused> {
    if valid { Ok(()) } else { Err(bad(key, reason())) }
}

pub(super) fn check_label(key: &'static str, text: &str) -> Result<(), ModelRefused> {
    let valid = (1..=64).contains(&text.len()) && !text.chars().any(char::is_control);
    check(valid, key, || "must have 1 to 64 characters".into())
}

/// A package must not reach outside of its folder.
pub(super) fn check_file_name(key: &'static str, name: &str) -> Result<(), ModelRefused> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    check(plain && !name.contains(['\\', '\0']), key, || "must be the name of a file beside the manifest".into())
}

/// The name of a tensor of the network.
pub(super) fn tensor_name(key: &'static str, name: String) -> Result<String, ModelRefused> {
    check((1..=256).contains(&name.len()) && !name.contains('\0'), key, || "must have 1 to 256 characters".into())?;
    Ok(name)
}
