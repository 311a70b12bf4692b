//! The hub: every camera is pulled once, however many consumers it has.
//!
//! A [`source`] delivers access units of one camera; the pull task keeps the connection alive, names
//! every fault, and writes the units into the camera's ring. Consumers are cursors into that ring: the
//! analysis, the viewers ([`live`]) and the clips. [`gb28181`] is the server at which cameras register.
//! A slow consumer skips; it never slows the pull.

mod assemble;
mod channel;
mod clip;
pub mod gb28181;
mod hub;
pub mod live;
mod pull;
mod ring;
pub mod source;
mod status;
mod subscription;
mod timeline;
mod unit;

pub use clip::{Clip, ClipError};
pub use hub::{Hub, UnknownCamera};
pub use media::{Codec, VideoParams};
pub use status::StreamStatus;
pub use subscription::Subscription;
pub use unit::{AccessUnit, Unit};
