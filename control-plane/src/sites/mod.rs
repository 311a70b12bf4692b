//! Construction sites 工地.

pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
