//! The whole path over an external broker, by configuration only: Debian's Mosquitto.

use std::{process::Command, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use runtime::SystemClock;
use standalone::{config::Config, smoke};
use tests::{Process, configuration, eventually, free_address};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_travels_over_mosquitto() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let address = free_address()?;
    let file = dir.path().join("mosquitto.conf");
    std::fs::write(&file, format!("listener {} 127.0.0.1\nallow_anonymous true\npersistence false\n", address.port()))?;
    let mut command = Command::new("/usr/sbin/mosquitto");
    command.arg("-c").arg(&file);
    let log = dir.path().join("mosquitto.log");
    let _broker = Process::start(command, &log).context("mosquitto is missing; run `make test`, which installs it")?;
    eventually("Mosquitto listening", Duration::from_secs(10), || async {
        Ok(TcpStream::connect(address).await.ok().map(drop))
    })
    .await?;

    let config = Config {
        mqtt_url: Some(format!("mqtt://{address}")),
        mqtt_password: Some(protocol::Secret::new("any")),
        ..configuration(dir.path().join("data"))
    };
    let seen = smoke::run(config, Arc::new(SystemClock), Duration::from_secs(90)).await?;
    assert!(!seen.algorithm.is_empty());
    Ok(())
}
