//! The agent as a whole: what is made, who gives what to whom, and in which order it stops.

mod compose;
mod supervise;

use std::{sync::Arc, time::Duration};

use protocol::{EdgeHealth, ReportedState};
use runtime::{CancellationToken, Clock, TaskFailed, Tasks};
use stream_gateway::Hub;
use tokio::sync::watch;
use tracing::{info, warn};

use self::supervise::Supervisor;
use crate::{
    config::{ConfigError, EdgeConfig},
    evidence::{self, UploadConfig},
    health::Health,
    link::{Link, LinkConfig, LinkEnv, LinkState, RESEND_AFTER},
    outbox::{Outbox, OutboxError},
    reconcile::{Reconciler, Works},
    references::ReferencePictures,
    tls::TlsError,
};

/// What the caller makes for the agent.
#[derive(Clone)]
pub struct EdgeEnvironment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where camera streams come from.
    pub hub: Hub,
}

/// Why the agent cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// A value of the configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Encryption.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A part that ended.
    #[error(transparent)]
    Task(#[from] TaskFailed),
}

/// What does the work under the agent's direction.
pub struct Work {
    /// Runs cameras and tasks, and says how they are.
    pub works: Box<dyn Works + Send>,
    /// Its tasks; they stop first.
    pub tasks: Arc<Tasks>,
}

// Together at most five seconds, which is how long people wait after Ctrl-C.
const WORK_STOPS_WITHIN: Duration = Duration::from_millis(1_500);
const FLUSH_WITHIN: Duration = Duration::from_secs(2);
const LINK_STOPS_WITHIN: Duration = Duration::from_millis(1_500);

/// Runs `work` as the desired state says, and carries its events to the control plane, until `shutdown`.
///
/// Broker and control plane need not be there: the edge starts with the desired state it kept.
///
/// # Errors
/// When it cannot start, or a part of it failed.
pub async fn direct(
    config: &EdgeConfig,
    clock: Arc<dyn Clock>,
    outbox: Outbox,
    mut work: Work,
    shutdown: &CancellationToken,
) -> Result<(), EdgeError> {
    let reconciler = Reconciler::start(&config.data_dir, &*clock, &mut *work.works);
    let (health_tx, health) = watch::channel(EdgeHealth::default());
    let (reported_tx, reported) = watch::channel(ReportedState::default());
    // Not under `shutdown`: the link outlives the work, to carry its last events.
    let carriers = Tasks::default();
    let uploads = evidence::start(upload_config(config)?, outbox.clone(), Arc::clone(&clock), &carriers).await?;
    let mut supervisor = Supervisor {
        reconciler,
        health: Health::new(config.data_dir.clone(), outbox.clone()),
        clock: Arc::clone(&clock),
        uploads,
        health_tx,
        reported_tx,
        published: None,
    };
    supervisor.refresh(&*work.works, None);
    let env = LinkEnv { outbox: outbox.clone(), clock, health, reported };
    let link = Link::start(link_config(config)?, env, &carriers).await?;
    info!(edge.id = %config.edge, "the agent runs");

    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work.tasks.token().cancelled() => {}
        () = carriers.token().cancelled() => {}
        () = supervisor.run(&mut *work.works, link.wanted()) => {}
    }

    info!("the agent stops");
    let worked = work.tasks.stop(WORK_STOPS_WITHIN).await;
    flush(&outbox, &link).await;
    let carried = carriers.stop(LINK_STOPS_WITHIN).await;
    Ok(worked.and(carried)?)
}

/// Gives the last events a moment to be received; what is not stays on disk for the next start.
async fn flush(outbox: &Outbox, link: &Link) {
    let (mut counts, state) = (outbox.changed(), link.state());
    if *state.borrow() != LinkState::Online {
        return;
    }
    let empty = counts.wait_for(|counts| counts.events == 0);
    if tokio::time::timeout(FLUSH_WITHIN, empty).await.is_err() {
        warn!(outbox.events = outbox.counts().events, "events stay in the outbox until the next start");
    }
}

fn link_config(config: &EdgeConfig) -> Result<LinkConfig, ConfigError> {
    Ok(LinkConfig {
        edge: config.edge,
        secret: config.secret.clone(),
        broker: config.broker()?,
        ca_file: config.ca_file.clone(),
        resend_after: RESEND_AFTER,
    })
}

fn upload_config(config: &EdgeConfig) -> Result<UploadConfig, ConfigError> {
    Ok(UploadConfig {
        edge: config.edge,
        secret: config.secret.clone(),
        plane: config.plane()?,
        ca_file: config.ca_file.clone(),
    })
}

/// Runs an edge until `shutdown`.
///
/// A model that is refused, a broker that is away or a camera that is dead is a health state, not an error.
///
/// # Errors
/// When the configuration or the outbox cannot be used, or a part of the agent failed.
pub async fn run(config: EdgeConfig, env: EdgeEnvironment, shutdown: CancellationToken) -> Result<(), EdgeError> {
    config.validate()?;
    let outbox = Outbox::open(&config.data_dir.join("outbox"), config.outbox, Arc::clone(&env.clock)).await?;
    let references = ReferencePictures::at(config.data_dir.join("references"));
    let work = compose::work(&config, &env, &outbox, &references, &shutdown).await;
    evidence::fetch_references(upload_config(&config)?, references, &work.tasks).await?;
    Box::pin(direct(&config, env.clock, outbox, work, &shutdown)).await
}
