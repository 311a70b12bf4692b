//! MANSCDP (annex A of GB/T 28181): what platform and device say to each other in XML.
//!
//! [`parse`] reads what a device sends and never gives up a message for one bad item. [`Query`] and
//! [`Control`] are what a platform sends; [`body`] wraps and encodes them.

mod control;
mod incoming;
mod items;
mod query;
pub mod xml;

pub use control::{Control, DragZoom, Guard, HomePosition, Record, SnapShot};
pub use incoming::{Body, Incoming, InvalidBody, Root, parse};
pub use items::{Alarm, CatalogItem, ChannelEvent, DeviceInfo, DeviceStatus, MobilePosition, Page, Preset, RecordItem};
pub use query::{Query, RecordQuery, alarm_response, body, query};

/// Content type of MANSCDP bodies.
pub const CONTENT_TYPE: &str = "Application/MANSCDP+xml";
