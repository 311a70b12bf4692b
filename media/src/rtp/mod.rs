//! RTP (RFC 3550) as GB/T 28181 devices send it: packets, reordering for UDP, framing for TCP.

mod framing;
mod packet;
mod reorder;

pub use framing::{Deframer, Framing};
pub use packet::{InvalidPacket, Packet};
pub use reorder::{Ordered, Reorder, Statistics};
