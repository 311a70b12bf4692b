//! What every long-running part stands on: the clock, the owner of tasks, the way to stop, and back-off.
//!
//! This is the only crate that reads the wall clock or spawns a task; everything else gets a [`Clock`]
//! and a [`Tasks`] handed in.

mod backoff;
mod clock;
mod latest;
mod tasks;

pub use backoff::Backoff;
pub use clock::{Clock, ManualClock, SystemClock};
pub use latest::Latest;
pub use tasks::{TaskFailed, Tasks};
pub use tokio_util::sync::CancellationToken;
