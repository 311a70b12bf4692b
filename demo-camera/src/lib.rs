//! Demo cameras: video files looped endlessly as real RTSP cameras.
//!
//! Whoever pulls one can't tell it from a camera on a pole: digest authentication, real-time pace,
//! timestamps that go on when the clip starts over. [`prepare()`] turns any video into a clip that is
//! fit to be looped, [`DemoServer`] serves clips and, for tests, misbehaves on demand.

mod clip;
mod encoder;
mod error;
mod feed;
mod picture;
mod prepare;
mod run;
mod server;
mod synthetic;

pub use error::{DemoError, PrepareError};
pub use picture::View;
pub use prepare::{prepare, prepare_view};
pub use server::{DemoConfig, DemoServer};
pub use synthetic::synthetic_clip;
