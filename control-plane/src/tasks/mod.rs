//! Algorithm tasks 算法任务.

pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
