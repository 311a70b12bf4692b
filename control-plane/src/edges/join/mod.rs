//! How an edge joins: a person makes a one-time token; the edge sends it with a secret that it made itself, and
//! is known by that secret from then on. The plane never sees a secret twice and keeps only its hash.

pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;
