//! What tasks can look for.

pub(crate) mod routes;
pub(crate) mod types;
