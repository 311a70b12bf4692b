//! How an edge is and was: its health over the last week, and where it differs from what it should run.

mod difference;
pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
