//! What people teach a task on the spot: the approved picture of a protected state 参考画面, and places that are
//! false alarms 误报屏蔽.

pub(crate) mod jpeg;
pub(crate) mod routes;
pub(crate) mod store;
mod types;
