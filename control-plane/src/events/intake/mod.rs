//! How events come in: numbered, grouped, counted.

pub(crate) mod store;
