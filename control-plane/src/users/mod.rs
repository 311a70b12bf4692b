//! People who sign in 用户.

pub(crate) mod routes;
pub(crate) mod types;
