//! All cameras.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use protocol::{Camera, CameraId, Overlay, Timestamp};
use runtime::{CancellationToken, Clock, Tasks};
use tokio::{sync::watch, time::timeout};

use crate::{
    Clip, ClipError, StreamStatus, Subscription,
    channel::Channel,
    clip,
    pull::Pull,
    source::{RtspSource, Schemes, Source},
};

/// How long removing a camera waits for its goodbye.
const REMOVE_PATIENCE: Duration = Duration::from_secs(4);

/// A camera that the hub does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no camera {0}")]
pub struct UnknownCamera(pub CameraId);

/// Pulls each camera once for all who want it. Clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    tasks: Arc<Tasks>,
    sources: Arc<Schemes>,
    cameras: RwLock<BTreeMap<CameraId, Entry>>,
}

struct Entry {
    channel: Arc<Channel>,
    settings: watch::Sender<Camera>,
    /// Cancelled when the pull task has ended.
    ended: CancellationToken,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.channel.token.cancel();
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("cameras", &self.cameras().len()).finish_non_exhaustive()
    }
}

impl Hub {
    /// Makes a hub that pulls RTSP cameras by tasks of `tasks`.
    pub fn new(clock: Arc<dyn Clock>, tasks: Arc<Tasks>) -> Self {
        Self::with_source(clock, tasks, Arc::new(RtspSource::default()))
    }

    /// Makes a hub with another source of pictures.
    pub fn with_source(clock: Arc<dyn Clock>, tasks: Arc<Tasks>, source: Arc<dyn Source>) -> Self {
        let sources = Arc::new(Schemes::new(source));
        Self(Arc::new(Inner { clock, tasks, sources, cameras: RwLock::default() }))
    }

    /// Pulls cameras whose address has this scheme from another source, from their next connection on.
    pub fn add_source(&self, scheme: &'static str, source: Arc<dyn Source>) {
        self.0.sources.add(scheme, source);
    }

    /// Adds a camera, or changes its settings. Consumers stay: they get a gap when the change needs a new
    /// connection, and notice nothing of a new name.
    pub async fn apply(&self, camera: Camera) {
        let id = camera.id;
        let (pull, ended) = {
            let mut cameras = self.cameras_mut();
            if let Some(entry) = cameras.get(&id) {
                entry.settings.send_if_modified(|settings| {
                    let connection = |c: &Camera| (c.url.clone(), c.credentials.clone(), c.transport);
                    let reconnect = connection(settings) != connection(&camera);
                    *settings = camera;
                    reconnect
                });
                return;
            }
            let token = self.0.tasks.token().child_token();
            let channel = Arc::new(Channel::new(id, Arc::clone(&self.0.clock), token));
            let settings = watch::Sender::new(camera);
            let ended = CancellationToken::new();
            let source = Arc::clone(&self.0.sources) as Arc<dyn Source>;
            let pull = Pull::new(Arc::clone(&channel), source, settings.subscribe());
            cameras.insert(id, Entry { channel, settings, ended: ended.clone() });
            (pull, ended)
        };
        let task = async move {
            let _ended = ended.drop_guard();
            pull.run().await
        };
        // a set of tasks that is being stopped takes no more
        tokio::select! {
            () = self.0.tasks.spawn("camera", task) => {}
            () = self.0.tasks.token().cancelled() => {}
        }
    }

    /// Removes a camera: its consumers end, and the camera is told goodbye.
    pub async fn remove(&self, camera: CameraId) {
        let Some(entry) = self.cameras_mut().remove(&camera) else { return };
        entry.channel.token.cancel();
        // a camera that does not answer is not waited for
        let _ = timeout(REMOVE_PATIENCE, entry.ended.cancelled()).await;
    }

    /// Starts consuming a camera, and pulling it if nobody else does.
    ///
    /// # Errors
    /// When the hub does not have it.
    pub fn subscribe(&self, camera: CameraId) -> Result<Subscription, UnknownCamera> {
        Ok(Subscription::to(&self.channel(camera)?))
    }

    /// How all cameras are, ordered by id.
    pub fn status(&self) -> Vec<StreamStatus> {
        let channels: Vec<_> = self.cameras().values().map(|entry| Arc::clone(&entry.channel)).collect();
        channels.iter().map(|channel| channel.status()).collect()
    }

    /// Shows boxes to the viewers of a camera. A camera that is gone has none.
    pub fn publish_overlay(&self, camera: CameraId, overlay: Overlay) {
        if let Ok(channel) = self.channel(camera) {
            channel.publish_overlay(overlay);
        }
    }

    /// Cuts what arrived between `from` and `to`, from the key frame before `from` on. Waits until `to` has
    /// arrived, at most 5 s past it; then the clip is as long as there is video.
    ///
    /// # Errors
    /// When there is no such camera or no video of that time.
    pub async fn clip(&self, camera: CameraId, from: Timestamp, to: Timestamp) -> Result<Clip, ClipError> {
        let channel = self.channel(camera)?;
        clip::record(&channel, from, to).await
    }

    pub(crate) fn channel(&self, camera: CameraId) -> Result<Arc<Channel>, UnknownCamera> {
        self.cameras().get(&camera).map(|entry| Arc::clone(&entry.channel)).ok_or(UnknownCamera(camera))
    }

    fn cameras(&self) -> RwLockReadGuard<'_, BTreeMap<CameraId, Entry>> {
        self.0.cameras.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn cameras_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<CameraId, Entry>> {
        self.0.cameras.write().unwrap_or_else(PoisonError::into_inner)
    }
}
