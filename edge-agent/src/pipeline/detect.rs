//! The thread that looks: at the newest picture of every camera in turn, all of them in one batch per model.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use protocol::InferenceHealth;
use runtime::Latest;
use tracing::{error, info};

use super::{
    camera::{Cameras, Running},
    lookout::{Lookout, Seen},
    picture::Picture,
    plan::Due,
    sight::ModelSet,
    warnings::Warnings,
};

const INFERENCE_FAILED: &str = "inference_failed";
/// How often the speed is read.
const HEALTH_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Looking {
    pub(super) lookout: Lookout,
    pub(super) cameras: Cameras,
    /// Rung when a camera has a new picture.
    pub(super) bell: Latest<()>,
    pub(super) health: Arc<Mutex<InferenceHealth>>,
    pub(super) warnings: Warnings,
    /// Of every model that could not be run when it was last due, the words.
    pub(super) failing: BTreeMap<usize, String>,
}

/// A picture on its way through the models.
type Job = (Arc<Running>, Picture, Due);

impl Looking {
    /// Runs until the bell is closed.
    pub(super) fn run(mut self) {
        let mut seen: Vec<Seen> = Vec::new();
        let mut health_at: Option<Instant> = None;
        while self.bell.take().is_some() {
            let take = |camera: Arc<Running>| {
                let picture = camera.slot.try_take()?;
                let due = camera.analysis().due(&picture);
                Some((camera, picture, due))
            };
            let batch: Vec<Job> = self.cameras.all().into_iter().filter_map(take).collect();
            if batch.is_empty() {
                continue;
            }
            self.look(&batch, &mut seen);
            for ((camera, picture, due), seen) in batch.into_iter().zip(&seen) {
                camera.analyse(picture, &due, seen, &self.lookout);
            }
            if health_at.is_none_or(|at| at.elapsed() >= HEALTH_EVERY) {
                health_at = Some(Instant::now());
                *self.health.lock().unwrap_or_else(PoisonError::into_inner) = self.lookout.health();
            }
        }
    }

    fn look(&mut self, batch: &[Job], seen: &mut Vec<Seen>) {
        let pictures: Vec<_> = batch.iter().map(|(_, picture, due)| (picture.frame(), due)).collect();
        let failed = self.lookout.look(&pictures, seen);
        let ran = batch.iter().fold(ModelSet::default(), |set, (_, _, due)| set.union(due.models));
        self.failing.retain(|model, _| !ran.contains(*model));
        self.failing.extend(failed.into_iter().map(|f| (f.place, f.to_string())));
        if self.failing.is_empty() {
            if self.warnings.clear(INFERENCE_FAILED, None) {
                info!("inference works again");
            }
            return;
        }
        let message = self.failing.values().cloned().collect::<Vec<_>>().join("; ");
        if self.warnings.set(INFERENCE_FAILED, None, message.clone()) {
            error!(reason = message, "inference failed");
        }
    }
}
