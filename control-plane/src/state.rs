//! What every handler can reach.

use std::sync::Arc;

use protocol::{Timestamp, viewer_token::ViewerKey};
use runtime::{CancellationToken, Clock};
use server_kit::{
    Db, ObjectStore,
    accounts::{Lockout, Passwords},
};
use tokio::sync::{Notify, Semaphore, watch};

use crate::{guard::AccessTable, ingest::LinkStatus, stream::Changes};

/// The parts of a running control plane.
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) viewer_key: ViewerKey,
    pub(crate) objects: ObjectStore,
    pub(crate) changes: Changes,
    /// Rings when an edge should get a new desired state.
    pub(crate) desired: Arc<Notify>,
    pub(crate) link: LinkStatus,
    pub(crate) lockout: Lockout,
    pub(crate) passwords: Passwords,
    pub(crate) access: AccessTable,
    /// Open change streams; each holds a connection for long.
    pub(crate) streams: Arc<Semaphore>,
    /// Counts sessions that were ended; open streams look whether theirs was it.
    pub(crate) sessions_ended: watch::Sender<u64>,
    pub(crate) allow_loopback_cameras: bool,
    /// Turns of making workbooks.
    pub(crate) exports: Semaphore,
    pub(crate) stop: CancellationToken,
}

impl App {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
