//! The quarantine 隔离区: messages that could not be taken, shown with their reason, to be tried again or thrown
//! away.

pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
