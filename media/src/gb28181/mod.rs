//! The platform of GB/T 28181 (2011, 2016 and 2022), as a state machine: messages and time in, messages and
//! events out.
//!
//! ```text
//!  receive(message) ─▶ transaction ─▶ register · message · notify · call ─▶ devices, calls, queries
//!  command          ─▶ request ─▶ transaction ──┐                              │
//!  tick(now)        ─▶ timers ──────────────────┴─▶ poll() = Send(peer, bytes) or Event
//! ```
//!
//! What it trusts: a registration whose digest holds, and from then on the address it came from. A message
//! of a device from elsewhere is refused, so that the device registers anew; nothing but a registration
//! changes where commands go. A device is offline only when it has missed three reports of its own rhythm
//! *and* does not answer when asked.

mod calls;
mod catalog;
mod config;
mod devices;
mod dialog;
mod event;
mod messages;
mod platform;
mod register;
mod ssrc;
mod subscriptions;
#[cfg(test)]
mod tests;
mod timers;
mod transactions;

pub use config::{Config, DateForm, Edition, InvalidConfig, Passwords};
pub use dialog::{CallId, Invite, MediaTransport, Wanted};
pub use event::{Answer, CallEvent, EndReason, Event, OfflineReason, Output, Peer, Transport};
pub use platform::{CommandError, Load, Now, Platform};
pub use subscriptions::Topic;
