//! Cameras 摄像头.

mod address;
pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
