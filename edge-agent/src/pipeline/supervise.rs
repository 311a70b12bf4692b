//! Keeps a task running for every camera, and the hub in step.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use protocol::{Camera, CameraId};
use runtime::{CancellationToken, Clock, Latest};
use stream_gateway::Hub;
use tokio::{
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
};
use tracing::{error, info};

use super::{
    camera::{Cameras, Feed, Running},
    detect::Looking,
    events::Notice,
};

/// Brings the feeds that run to the cameras that should.
pub(super) struct Supervisor {
    pub(super) hub: Hub,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) token: CancellationToken,
    pub(super) cameras: Cameras,
    pub(super) changed: Arc<Notify>,
    pub(super) bell: Latest<()>,
    /// Keeps the events' task waiting while there may be cameras.
    pub(super) _notices: mpsc::Sender<Notice>,
}

/// A camera that has a feed.
struct Fed {
    running: Arc<Running>,
    applied: Camera,
    task: AbortHandle,
}

impl Supervisor {
    /// Runs until cancelled; then waits for the feeds, which end their alarms.
    pub(super) async fn run(self) -> Result<(), Infallible> {
        let mut feeds: JoinSet<()> = JoinSet::new();
        let mut goodbyes: JoinSet<()> = JoinSet::new();
        let mut fed: BTreeMap<CameraId, Fed> = BTreeMap::new();
        loop {
            tokio::select! {
                () = self.token.cancelled() => break,
                () = self.changed.notified() => {}
                Some(ended) = feeds.join_next() => {
                    if let Err(e) = ended {
                        error!(reason = %e, "the analysis of a camera failed and is started again");
                    }
                    fed.retain(|_, f| !f.task.is_finished());
                }
                Some(_) = goodbyes.join_next() => continue,
            }
            self.reconcile(&mut fed, &mut feeds, &mut goodbyes).await;
        }
        while feeds.join_next().await.is_some() {}
        // With the cameras go the last who could tell the events' task anything, and it ends. Goodbyes to the
        // cameras are the hub's business, which outlives the pipeline.
        self.cameras.clear();
        Ok(())
    }

    async fn reconcile(&self, fed: &mut BTreeMap<CameraId, Fed>, feeds: &mut JoinSet<()>, goodbyes: &mut JoinSet<()>) {
        let wanted = self.cameras.all();
        let gone: Vec<CameraId> = fed.keys().copied().filter(|id| !wanted.iter().any(|w| w.id == *id)).collect();
        for id in gone {
            fed.remove(&id);
            info!(camera.id = %id, "camera stopped");
            // A camera that does not answer must not hold up the others. The first step, which takes it out of
            // the hub, is made here: a camera that is added again right now must not be what is removed.
            let hub = self.hub.clone();
            let mut goodbye = Box::pin(async move { hub.remove(id).await });
            if futures::poll!(&mut goodbye).is_pending() {
                goodbyes.spawn(goodbye);
            }
        }
        for running in wanted {
            let settings = running.settings();
            let same_run = fed.get(&running.id).is_some_and(|f| Arc::ptr_eq(&f.running, &running));
            if same_run && fed.get(&running.id).is_some_and(|f| f.applied == settings) {
                continue;
            }
            self.hub.apply(settings.clone()).await;
            if let Some(fed) = fed.get_mut(&running.id).filter(|_| same_run) {
                fed.applied = settings;
                continue;
            }
            info!(camera.id = %running.id, "camera started");
            let feed = Feed::new(Arc::clone(&running), Arc::clone(&self.clock), self.bell.clone());
            let task = feeds.spawn(feed.run());
            fed.insert(running.id, Fed { running, applied: settings, task });
        }
    }
}

/// Runs the detector's thread; a panic there is an error of the task.
pub(super) async fn look(looking: Looking, token: CancellationToken) -> Result<(), tokio::task::JoinError> {
    let bell = looking.bell.clone();
    let mut thread = tokio::task::spawn_blocking(move || looking.run());
    tokio::select! {
        ended = &mut thread => return ended,
        () = token.cancelled() => bell.close(),
    }
    thread.await
}
