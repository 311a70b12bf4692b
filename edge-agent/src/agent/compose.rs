//! The composition root of the agent's work: model, detector, pipeline.

use std::sync::Arc;

use inference::{Detector, DetectorOptions, Runtime};
use runtime::{CancellationToken, Tasks};
use tracing::{error, info};

use super::{EdgeEnvironment, Work};
use crate::{
    config::EdgeConfig,
    outbox::Outbox,
    pipeline::{Detect, Pipeline, PipelineEnv},
};

/// Starts what does the work. Without a usable model cameras are still pulled, and health says why.
pub(super) async fn work(
    config: &EdgeConfig,
    env: &EdgeEnvironment,
    outbox: &Outbox,
    shutdown: &CancellationToken,
) -> Work {
    let detector = load_detector(config).await;
    if let Err(reason) = &detector {
        error!(reason, "the model cannot be used; nothing is analysed");
    }
    let tasks = Arc::new(Tasks::under(shutdown));
    // On the heap: it is a large future, and this one is awaited inside several others.
    let pipeline = Box::pin(Pipeline::start(PipelineEnv {
        hub: env.hub.clone(),
        detector,
        outbox: outbox.clone(),
        clock: Arc::clone(&env.clock),
        tasks: Arc::clone(&tasks),
    }));
    Work { works: Box::new(pipeline.await), tasks }
}

/// Loads and proves the model, on a thread of its own: it takes a second or two.
async fn load_detector(config: &EdgeConfig) -> Result<Box<dyn Detect>, String> {
    let (library, model) = (config.onnxruntime.clone(), config.model_dir.clone());
    let options = DetectorOptions { threads: config.threads };
    let load = move || {
        let runtime = Runtime::load(&library).map_err(|e| e.to_string())?;
        Detector::load(&runtime, &model, &options).map_err(|e| e.to_string())
    };
    let detector = tokio::task::spawn_blocking(load).await.map_err(|e| format!("loading the model failed: {e}"))??;
    let model = detector.model();
    info!(%model.name, %model.version, "the model is loaded");
    Ok(Box::new(detector))
}
