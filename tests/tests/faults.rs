//! Bad input gets a clear word, and the rest keeps running.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use runtime::{SystemClock, Tasks};
use serde_json::Value;
use standalone::{compose, compose::Ready, config::Config};
use tests::{Api, configuration, eventually, free_address};
use tokio::{sync::oneshot, time::timeout};

const PATIENCE: Duration = Duration::from_mins(1);

struct Running {
    everything: Tasks,
    ready: Ready,
    api: Api,
    _dir: tempfile::TempDir,
}

/// Starts everything in a folder of its own, with what `change` makes of the configuration.
async fn start(change: impl FnOnce(&mut Config, &Path)) -> Result<Running> {
    let dir = tempfile::tempdir()?;
    let mut config = configuration(dir.path().join("data"));
    change(&mut config, dir.path());
    let everything = Tasks::default();
    let (tell, told) = oneshot::channel();
    let run = Box::pin(compose::run(
        config,
        Arc::new(SystemClock),
        |ready| drop(tell.send(ready)),
        everything.token().clone(),
    ));
    everything.spawn("everything", async { run.await.map_err(|e| format!("{e:#}")) }).await;
    let ready = timeout(PATIENCE, told).await??;
    let password = ready.admin_password.clone().context("a new installation has an administrator")?;
    let api = Api::sign_in(ready.console, &ready.admin, password.expose()).await?;
    Ok(Running { everything, ready, api, _dir: dir })
}

impl Running {
    async fn stop(self) -> Result<()> {
        self.everything.stop(Duration::from_secs(8)).await.map_err(Into::into)
    }

    /// Waits until the camera called `name` is in `state`, and gives the words for it.
    async fn camera_is(&self, name: &str, state: &str) -> Result<String> {
        eventually(&format!("{name} being {state}"), PATIENCE, || async {
            let cameras = self.api.get("/api/v1/cameras").await?;
            let found = items(&cameras).iter().find(|c| c["name"].as_str().is_some_and(|n| n.contains(name)));
            let now = found.map(|c| &c["state"]).filter(|s| s["state"] == state);
            Ok(now.map(|s| s["detail"].as_str().unwrap_or_default().to_owned()))
        })
        .await
    }
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_model_is_refused_and_video_goes_on() -> Result<()> {
    let running = start(|config, dir| {
        let package = dir.join("model");
        std::fs::create_dir_all(&package).expect("a temporary folder");
        for entry in std::fs::read_dir(config.model.join("site-ppe")).expect("the model package").flatten() {
            std::fs::copy(entry.path(), package.join(entry.file_name())).expect("a copy");
        }
        std::fs::write(package.join("model.onnx"), b"not a model").expect("a damaged copy");
        config.model = package;
    })
    .await?;
    let warning = eventually("a warning about the model", PATIENCE, || async {
        let edges = running.api.get("/api/v1/edges").await?;
        let warnings =
            items(&edges).first().and_then(|e| e["health"]["warnings"].as_array()).cloned().unwrap_or_default();
        let refused = warnings.into_iter().find(|w| w["code"] == "model_refused");
        Ok(refused.and_then(|w| w["message"].as_str().map(str::to_owned)))
    })
    .await?;
    assert!(warning.contains("SHA-256") || warning.contains("hash"), "{warning}");
    running.camera_is("Walkway", "online").await?;
    let refusal = eventually("tasks refused with the reason", PATIENCE, || async {
        let tasks = running.api.get("/api/v1/tasks").await?;
        Ok(items(&tasks).first().and_then(|t| t["refusal"].as_str().map(str::to_owned)))
    })
    .await?;
    assert!(!refusal.is_empty());
    running.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_cameras_and_clips_say_what_is_wrong_beside_good_ones() -> Result<()> {
    let dead = free_address()?;
    let running = start(|config, dir| {
        let no_video = dir.join("letter.mp4");
        std::fs::write(&no_video, "a letter, not a video").expect("a temporary file");
        config.demo.clips.push(no_video);
        config.demo.cameras.push(format!("rtsp://admin:hunter2@{dead}/live"));
        config.demo.listen = free_address().expect("a free port");
        config.demo.cameras.push(format!("rtsp://admin:hunter2@{}/walkway", config.demo.listen));
    })
    .await?;
    assert!(running.ready.problems.iter().any(|p| p.contains("not a video")), "{:?}", running.ready.problems);
    let unreachable = running.camera_is("Camera 1", "unreachable").await?;
    let unauthorised = running.camera_is("Camera 2", "unauthorised").await?;
    running.camera_is("Walkway", "online").await?;
    assert!(!unreachable.is_empty() && !unauthorised.is_empty());
    let everything_said = format!(
        "{} {} {unreachable} {unauthorised}",
        running.api.get("/api/v1/cameras").await?,
        running.api.get("/api/v1/edges").await?
    );
    assert!(!everything_said.contains("hunter2"), "a password is in an answer of the API");
    running.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_broker_stops_neither_console_nor_video() -> Result<()> {
    let nobody = free_address()?;
    let running = start(|config, _| {
        config.mqtt_url = Some(format!("mqtt://{nobody}"));
        config.mqtt_password = Some(protocol::Secret::new("x"));
    })
    .await?;
    assert!(items(&running.api.get("/api/v1/cameras").await?).len() >= 2);
    let not_ready = eventually("readiness saying no", PATIENCE, || async {
        let answer = running.api.send(reqwest::Method::GET, "/readyz", None).await?;
        Ok((!answer.status().is_success()).then_some(answer.status()))
    })
    .await?;
    assert_eq!(not_ready.as_u16(), 503);
    running.stop().await
}
