//! Demo cameras as their users see them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod camera;
mod client;
mod prepare;
