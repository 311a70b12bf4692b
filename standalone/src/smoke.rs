//! The smoke run: the whole path on free ports in a temporary folder, judged through the public HTTP API.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use runtime::{Clock, Tasks};
use serde_json::Value;
use tokio::{sync::oneshot, time};

use crate::{
    compose::{self, Ready},
    config::Config,
};

/// What the smoke run saw.
#[derive(Clone, Debug)]
pub struct FirstAlert {
    /// From the start of the program to the alert in the API.
    pub after: Duration,
    /// The algorithm's stable name.
    pub algorithm: String,
    /// The camera's name.
    pub camera: String,
}

/// Starts everything, waits up to `patience` for the first alert with its snapshot, and stops everything.
///
/// # Errors
/// With the reason, when no alert comes or a step fails.
pub async fn run(mut config: Config, clock: Arc<dyn Clock>, patience: Duration) -> Result<FirstAlert> {
    let folder = std::env::temp_dir().join(format!("gongshao-smoke-{}", std::process::id()));
    let remove = RemoveOnDrop(folder.clone());
    config.data_dir = folder;
    config.listen.set_port(0);
    config.mqtt_listen.set_port(0);
    config.demo.listen.set_port(0);

    let started = Instant::now();
    let (tell, told) = oneshot::channel();
    let everything = Tasks::default();
    let token = everything.token().clone();
    let ready = move |r: Ready| {
        // The receiver is gone only when this run was given up.
        let _ = tell.send(r);
    };
    let run = Box::pin(compose::run(config, clock, ready, token));
    everything.spawn("everything", async move { run.await.map_err(|e| format!("{e:#}")) }).await;

    let watching = Box::pin(async {
        tokio::select! {
            ready = told => first_alert(ready.context("it stopped before it was ready")?, started).await,
            () = everything.token().cancelled() => bail!("it stopped by itself"),
        }
    });
    let seen = time::timeout(patience, watching).await;
    let seen = seen.unwrap_or_else(|_| bail!("no alert within {} s", patience.as_secs()));
    let stopped = everything.stop(Duration::from_secs(8)).await;
    drop(remove);
    let seen = seen.map_err(|e| match &stopped {
        Err(failed) => e.context(failed.to_string()),
        Ok(()) => e,
    })?;
    stopped?;
    Ok(seen)
}

async fn first_alert(ready: Ready, started: Instant) -> Result<FirstAlert> {
    ensure!(!ready.cameras.is_empty(), "there is no camera: {}", ready.problems.join("; "));
    let base = format!("http://{}", ready.console);
    let client = reqwest::Client::new();
    let password = ready.admin_password.context("a new installation made no administrator")?;
    let login = client
        .post(format!("{base}/api/v1/session"))
        .header("x-requested-with", "gongshao")
        .json(&serde_json::json!({ "username": ready.admin, "password": password.expose() }))
        .send()
        .await
        .context("the API does not answer")?;
    ensure!(login.status().is_success(), "logging in failed with {}", login.status());
    let cookie = login
        .headers()
        .get("set-cookie")
        .and_then(|c| c.to_str().ok())
        .and_then(|c| c.split(';').next())
        .context("logging in gave no session")?
        .to_owned();
    let get = |path: String| client.get(format!("{base}{path}")).header("cookie", cookie.clone()).send();

    let mut tick = time::interval(Duration::from_millis(200));
    loop {
        tick.tick().await;
        let events: Value = get("/api/v1/events?limit=1".into()).await?.error_for_status()?.json().await?;
        let Some(event) = events["items"].get(0) else { continue };
        if event["snapshot"]["available"] != Value::Bool(true) {
            continue;
        }
        let after = started.elapsed();
        let url = event["snapshot"]["url"].as_str().context("the alert's snapshot has no address")?;
        let picture = get(url.to_owned()).await?.error_for_status()?.bytes().await?;
        ensure!(picture.starts_with(&[0xff, 0xd8, 0xff]), "the snapshot is no JPEG picture");
        let text = |v: &Value| v.as_str().unwrap_or("?").to_owned();
        return Ok(FirstAlert { after, algorithm: text(&event["algorithm"]), camera: text(&event["camera_name"]) });
    }
}

struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // A temporary folder that stays behind is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
