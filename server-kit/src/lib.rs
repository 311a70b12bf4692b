//! server-kit.
