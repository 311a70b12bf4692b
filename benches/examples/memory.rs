//! How much memory the all-in-one holds for 1, 4 and 8 cameras.
//!
//! `memory CLIP CACHE`. The cameras are served by this process, so that their memory is not counted.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use benches::resident_bytes;
use demo_camera::{DemoConfig, DemoServer};
use tests::{Api, Process, eventually, free_address, program};
use tokio::time;

/// How long it works with all cameras before it is measured: buffers, pools and rings fill meanwhile.
const SETTLE_SECS: u64 = 30;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [clip, cache] = args.as_slice() else { bail!("usage: memory CLIP CACHE") };
    let clip = demo_camera::prepare(Path::new(clip), Path::new(cache))?;

    let mut out = std::io::stdout();
    writeln!(out, "memory of the all-in-one (resident)")?;
    let mut first = None;
    for cameras in [1, 4, 8] {
        let bytes = measure(&clip, cameras).await.with_context(|| format!("with {cameras} cameras"))?;
        let reference = *first.get_or_insert(bytes);
        let (megabytes, ratio) = (bytes as f64 / 1e6, bytes as f64 / reference as f64);
        writeln!(out, "{cameras} cameras {megabytes:>12.0} MB {ratio:>9.2}")?;
    }
    Ok(())
}

async fn measure(clip: &Path, cameras: usize) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let server = DemoServer::start(DemoConfig {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        username: "bench".into(),
        password: "bench-12345".into(),
        clips: (0..cameras).map(|n| (format!("c{n}"), clip.to_owned())).collect(),
    })?;
    let (listen, log) = (free_address()?, folder.path().join("log"));
    let mut command = Command::new(program("gongshao")?);
    command.args(["run", "--no-demo", "--data-dir"]).arg(folder.path().join("data"));
    command.args(["--listen", &listen.to_string(), "--mqtt-listen", &free_address()?.to_string()]);
    for n in 0..cameras {
        let url = server.url(&format!("c{n}")).replace("rtsp://", "rtsp://bench:bench-12345@");
        command.args(["--camera", &url]);
    }
    let process = Process::start(command, &log)?;
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    let api = sign_in(listen, &log).await.with_context(told)?;
    eventually("all cameras online", Duration::from_mins(1), || async {
        let listed = api.get("/api/v1/cameras").await?;
        let online = |camera: &&serde_json::Value| camera["state"]["state"] == "online";
        let online = listed["items"].as_array().into_iter().flatten().filter(online).count();
        Ok((online == cameras).then_some(()))
    })
    .await
    .with_context(told)?;

    let id = process.id().context("it has ended")?;
    let mut most = 0;
    for _ in 0..SETTLE_SECS {
        time::sleep(Duration::from_secs(1)).await;
        most = most.max(resident_bytes(id)?);
    }
    Ok(most)
}

async fn sign_in(listen: SocketAddr, log: &PathBuf) -> Result<Api> {
    let password = eventually("the one-time password", Duration::from_mins(1), || async {
        let told = std::fs::read_to_string(log)?;
        let after = told.split("one-time password:").nth(1);
        Ok(after.and_then(|text| text.split_whitespace().next()).map(str::to_owned))
    })
    .await?;
    Api::sign_in(listen, "admin", &password).await
}
