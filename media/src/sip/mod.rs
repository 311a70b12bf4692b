//! SIP (RFC 3261) as GB/T 28181 devices speak it: messages in and out, no IO, no clock.
//!
//! [`Message::parse`] takes a datagram; [`Framer`] cuts a TCP connection into messages. Parsing is lenient
//! about form (bare line feeds, folded lines, compact names, odd spacing) and strict about what decides:
//! lengths, the start line, and the headers that name a transaction ([`Message::check`]).

mod address;
mod framer;
mod headers;
mod message;
mod parse;
#[cfg(test)]
mod torture;

pub(crate) use address::split_outside_quotes;
pub use address::{Address, Params, Uri, Via};
pub use framer::Framer;
pub use headers::Headers;
pub use message::{CSeq, Message, Refusal, Start};
pub use parse::{MAX_BODY, MAX_HEAD, ParseError};
