//! The composition root of the agent's work: models, pipeline.

use std::sync::Arc;

use runtime::{CancellationToken, Tasks};
use tracing::{error, info};

use super::{EdgeEnvironment, Work};
use crate::{
    config::EdgeConfig,
    outbox::Outbox,
    pipeline::{Models, Pipeline, PipelineEnv, load_models},
    references::ReferencePictures,
};

/// Starts what does the work. Without a usable model cameras are still pulled, and health says why.
pub(super) async fn work(
    config: &EdgeConfig,
    env: &EdgeEnvironment,
    outbox: &Outbox,
    references: &ReferencePictures,
    shutdown: &CancellationToken,
) -> Work {
    let models = load(config).await;
    let tasks = Arc::new(Tasks::under(shutdown));
    // On the heap: it is a large future, and this one is awaited inside several others.
    let pipeline = Box::pin(Pipeline::start(PipelineEnv {
        hub: env.hub.clone(),
        models,
        references: references.clone(),
        outbox: outbox.clone(),
        clock: Arc::clone(&env.clock),
        tasks: Arc::clone(&tasks),
    }));
    Work { works: Box::new(pipeline.await), tasks }
}

/// Loads and proves the models, on a thread of its own: it takes a second or two.
async fn load(config: &EdgeConfig) -> Models {
    let (library, dir, threads) = (config.onnxruntime.clone(), config.model_dir.clone(), config.threads);
    let loaded = tokio::task::spawn_blocking(move || load_models(&library, &dir, threads)).await;
    let models = match loaded {
        Ok(Ok(models)) => models,
        Ok(Err(e)) => Models::none(e.to_string()),
        Err(e) => Models::none(format!("loading the models failed: {e}")),
    };
    for reason in &models.refused {
        error!(reason, "a model cannot be used");
    }
    for model in models.detectors.iter().map(|d| d.model()) {
        info!(%model.name, %model.version, "a model is loaded");
    }
    models
}
