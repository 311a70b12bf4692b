//! One role per process: the broker, the control plane or the edge alone, over the same data folder.
//!
//! This is how an installation is split over machines, and how the kill tests stop one part at a time.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use protocol::viewer_token::ViewerKey;
use runtime::{CancellationToken, Clock, SystemClock};
use tokio::net::TcpListener;
use tracing::info;

use crate::{broker::Broker, compose, config::Config, secrets::Secrets};

/// The broker alone; it reads edges' credentials from the control plane's database.
///
/// # Errors
/// When it cannot start or stops by itself.
pub async fn broker(config: Config, shutdown: CancellationToken) -> Result<()> {
    let secrets = Secrets::load_or_create(&config.data_dir.join("secrets.json"))?;
    let db = control_plane::open_database(&config.database(), &SystemClock).await?;
    let broker = Broker::bind(config.mqtt_listen, compose::access(&secrets, &db)).await?;
    info!(address = %broker.address(), "broker ready");
    broker.run(shutdown).await.map_err(Into::into)
}

/// The control plane alone, with `mqtt_url` or a broker on `mqtt_listen`.
///
/// # Errors
/// When it cannot start or fails.
pub async fn plane(config: Config, clock: Arc<dyn Clock>, shutdown: CancellationToken) -> Result<()> {
    let secrets = Secrets::load_or_create(&config.data_dir.join("secrets.json"))?;
    let db = control_plane::open_database(&config.database(), &SystemClock).await?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "the console cannot listen on {}; is another program there? choose another address with --listen",
            config.listen
        )
    })?;
    let mqtt_url = config.mqtt_url.clone().unwrap_or_else(|| format!("mqtt://{}", config.mqtt_listen));
    let plane_config = compose::plane_config(&config, &secrets, mqtt_url);
    let viewer_key = ViewerKey::new(secrets.viewer_key.expose().as_bytes());
    let environment = control_plane::PlaneEnvironment { clock, listener, db, viewer_key, extra: None };
    control_plane::run(plane_config, environment, shutdown).await.map_err(Into::into)
}
