//! Ingest: MQTT → decode → validate → commit → acknowledge → tell.
//!
//! ```text
//! broker ──▶ link ──bounded channel──▶ batch ──▶ one transaction ──▶ receipts to the edges
//!                                                               └──▶ Changes::tell
//! ```
//! Delivery is confirmed end to end: an edge keeps an event until its receipt comes. So nothing here needs to
//! survive a crash, and a message may be dropped wherever there is no room: it comes again.

mod apply;
mod batch;
mod decode;
mod link;
pub(crate) mod quarantine;
pub(crate) mod store;

#[cfg(test)]
pub(crate) use apply::commit;
pub(crate) use batch::run;
#[cfg(test)]
pub(crate) use batch::see_through;
pub(crate) use link::{Broker, LinkStatus, Publisher, connect, publish_desired};

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: bytes::Bytes,
}
