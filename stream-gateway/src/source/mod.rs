//! Where access units come from. This is the one seam of the hub: tests put a fake here, RTSP is the
//! real one.

mod fault;
mod rtsp;
mod schemes;

use bytes::Bytes;
use futures::future::BoxFuture;
use media::Codec;
use protocol::Camera;

pub use fault::Fault;
pub use rtsp::RtspSource;
pub(crate) use schemes::Schemes;

/// A way to reach cameras.
pub trait Source: Send + Sync + 'static {
    /// Connects to a camera up to the point where pictures are due.
    fn open<'a>(&'a self, camera: &'a Camera) -> BoxFuture<'a, Result<Box<dyn Stream>, Fault>>;
}

/// One connection to a camera.
pub trait Stream: Send {
    /// Waits for the next picture. Cancel-safe.
    fn next(&mut self) -> BoxFuture<'_, Result<RawUnit, Fault>>;

    /// Says goodbye to the camera and waits until it has taken note: cameras allow few connections.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// A picture as it came.
#[derive(Clone, Debug)]
pub struct RawUnit {
    /// How it is encoded.
    pub codec: Codec,
    /// The source's own clock, microseconds from any start.
    pub source_us: i64,
    /// Packets lost before it.
    pub lost: u32,
    /// Annex B.
    pub data: Bytes,
}
