//! Signing in and out.

pub(crate) mod routes;
pub(crate) mod types;
