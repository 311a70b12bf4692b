//! Uploads evidence: resumable, by content hash, snapshots before clips.
//!
//! Two lanes take from the outbox, so that a long clip does not hold up the next snapshot. A connection that
//! fails makes both wait, with back-off; a piece that fails by itself is put behind the others for a while.

mod client;
mod fetch;
mod lane;

use std::{collections::HashMap, convert::Infallible, path::PathBuf, sync::Arc};

use protocol::{ContentHash, EdgeId, HealthWarning, Secret};
use runtime::{Clock, Tasks};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};
use url::Url;

pub use self::fetch::fetch_references;
use self::{client::Client, lane::Lane};
use crate::outbox::Outbox;
pub use crate::tls::TlsError;

/// Where evidence goes, and as whom.
#[derive(Clone, Debug)]
pub struct UploadConfig {
    /// This edge.
    pub edge: EdgeId,
    /// Its secret.
    pub secret: Secret,
    /// The control plane, its path ending with `/`.
    pub plane: Url,
    /// Certificates to trust; the system's when `None`.
    pub ca_file: Option<PathBuf>,
}

/// How the uploads are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UploadState {
    /// All went well so far.
    #[default]
    Good,
    /// The control plane cannot be reached or has a fault; uploads are tried again.
    Waiting {
        /// Why, in words.
        detail: String,
    },
    /// The control plane refuses this edge.
    Unauthorised,
}

impl UploadState {
    /// What needs a person, if anything.
    pub fn warning(&self) -> Option<HealthWarning> {
        let message = match self {
            Self::Good => return None,
            Self::Waiting { detail } => format!("pictures and clips wait on the edge: {detail}"),
            Self::Unauthorised => {
                "the control plane refuses this edge's pictures and clips; check `edge` and `secret`".into()
            }
        };
        Some(HealthWarning { code: "evidence_upload".into(), message })
    }
}

/// What the lanes share.
#[derive(Debug)]
struct Shared {
    outbox: Outbox,
    client: Client,
    clock: Arc<dyn Clock>,
    state: watch::Sender<UploadState>,
    pieces: Mutex<HashMap<ContentHash, Piece>>,
}

/// A piece that a lane works on, or that has to wait.
#[derive(Clone, Copy, Debug)]
struct Piece {
    failures: u32,
    busy_until: Option<Instant>,
}

/// Starts the uploads as a task of `tasks`. What is half-way when they are cancelled goes on at the next start.
///
/// # Errors
/// When encryption is asked for and there is nothing to trust.
pub async fn start(
    config: UploadConfig,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    tasks: &Tasks,
) -> Result<watch::Receiver<UploadState>, TlsError> {
    let client = Client::new(config)?;
    let (state, states) = watch::channel(UploadState::default());
    let shared = Arc::new(Shared { outbox, client, clock, state, pieces: Mutex::default() });
    let token = tasks.token().clone();
    let task = async move {
        let (mut first, mut second) = (Lane::new(&shared), Lane::new(&shared));
        tokio::select! {
            () = token.cancelled() => {}
            () = async { tokio::join!(first.run(), second.run()); } => {}
        }
        Ok::<_, Infallible>(())
    };
    // On the heap: two HTTP clients at work are large, and move with the task.
    tasks.spawn("evidence", Box::pin(task)).await;
    Ok(states)
}
