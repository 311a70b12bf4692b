//! A consumer of one camera.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    Unit,
    channel::{Channel, Demand},
    ring::Cursor,
};

/// The pictures of one camera, from its newest key frame on. While it lives, the camera is pulled.
#[derive(Debug)]
pub struct Subscription {
    demand: Demand,
    written: watch::Receiver<()>,
    cursor: Cursor,
}

impl Subscription {
    pub(crate) fn to(channel: &Arc<Channel>) -> Self {
        Self { demand: Demand::on(channel), written: channel.written(), cursor: Cursor::default() }
    }

    /// Waits for the next unit; `None` once the camera is removed or the hub stops. Cancel-safe.
    ///
    /// The first unit is a key frame. Pictures wait in the camera's ring, bounded in age and bytes: a
    /// consumer that falls 2 s behind gets [`Unit::Gap`] and goes on at the newest key frame.
    pub async fn next(&mut self) -> Option<Unit> {
        let channel = self.demand.channel();
        loop {
            if channel.token.is_cancelled() {
                return None;
            }
            self.written.borrow_and_update();
            let unit = channel.ring().read(&mut self.cursor);
            if unit.is_some() {
                return unit;
            }
            tokio::select! {
                changed = self.written.changed() => changed.ok()?,
                () = channel.token.cancelled() => return None,
            }
        }
    }

    /// How often this consumer was too slow and had to skip.
    pub const fn skipped(&self) -> u64 {
        self.cursor.skipped()
    }
}
