//! Events 事件 and their closed loop 处置闭环.

pub(crate) mod lifecycle;
pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;

pub(crate) use types::EventSummary;
