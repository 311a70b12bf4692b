//! Events 事件 and their closed loop 处置闭环.

pub(crate) mod deadlines;
pub(crate) mod export;
mod grouping;
pub(crate) mod handling;
pub(crate) mod intake;
pub(crate) mod lifecycle;
mod number;
pub(crate) mod routes;
pub(crate) mod search;
pub(crate) mod store;
pub(crate) mod types;

pub(crate) use types::EventSummary;
