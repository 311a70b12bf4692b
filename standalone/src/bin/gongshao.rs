//! `gongshao`: the all-in-one program and its roles.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use runtime::{CancellationToken, SystemClock, Tasks};
use standalone::{compose, config::Config, logging, roles, smoke};

/// 工哨 Gongshao: AI video and IoT edge analytics for construction sites.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// What is logged, as of `tracing`: `info`, `debug`, `info,edge_agent=debug`.
    #[arg(long, global = true, env = "GONGSHAO_LOG", default_value = "warn,standalone=info,demo_camera=info")]
    log: String,
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Everything in one process, with demo cameras.
    Run(Options),
    /// Starts everything in a temporary folder and waits for the first alert.
    Smoke {
        #[command(flatten)]
        options: Options,
        /// How long to wait for the first alert, seconds.
        #[arg(long, default_value_t = 120)]
        patience: u64,
    },
    /// The MQTT broker alone.
    Broker(Options),
    /// The control plane alone.
    Plane(Options),
    /// Reads a configuration and says what is wrong with it.
    CheckConfig {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
struct Options {
    /// Configuration file (TOML); the options below win over it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder for databases, evidence and secrets.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Where the console listens.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Where the embedded broker listens.
    #[arg(long)]
    mqtt_listen: Option<SocketAddr>,
    /// An external broker instead of the embedded one.
    #[arg(long, env = "MQTT_URL")]
    mqtt_url: Option<String>,
    /// Password of user `plane` at the external broker.
    #[arg(long, env = "MQTT_PASSWORD", hide_env_values = true)]
    mqtt_password: Option<String>,
    /// A video file that becomes a further demo camera; may be repeated.
    #[arg(long)]
    clip: Vec<PathBuf>,
    /// A folder of video files that become further demo cameras.
    #[arg(long)]
    clips_dir: Option<PathBuf>,
    /// A camera of your own, `rtsp://[user:password@]host/path`; may be repeated.
    #[arg(long)]
    camera: Vec<String>,
    /// No demo cameras.
    #[arg(long)]
    no_demo: bool,
}

impl Options {
    fn config(self) -> Result<Config> {
        let mut config = self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
        let Self { config: _, data_dir, listen, mqtt_listen, mqtt_url, mqtt_password, .. } = &self;
        if let Some(dir) = data_dir {
            config.data_dir.clone_from(dir);
        }
        config.listen = listen.unwrap_or(config.listen);
        config.mqtt_listen = mqtt_listen.unwrap_or(config.mqtt_listen);
        config.mqtt_url = mqtt_url.clone().filter(|u| !u.is_empty()).or(config.mqtt_url);
        config.mqtt_password = mqtt_password.clone().map(protocol::Secret::new).or(config.mqtt_password);
        config.demo.clips.extend(self.clip);
        config.demo.clips_dir = self.clips_dir.or(config.demo.clips_dir);
        config.demo.cameras.extend(self.camera);
        config.demo.enabled &= !self.no_demo;
        config.check()?;
        Ok(config)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(&cli.log);
    match act(cli.role).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            say(&format!("gongshao: {e:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn act(role: Role) -> Result<()> {
    let clock = Arc::new(SystemClock);
    let shutdown = CancellationToken::new();
    let signals = Tasks::default();
    signals.spawn("signals", stop_on_signal(shutdown.clone())).await;
    match role {
        Role::Run(options) => compose::run(options.config()?, clock, announce, shutdown).await,
        Role::Broker(options) => roles::broker(options.config()?, shutdown).await,
        Role::Plane(options) => roles::plane(options.config()?, clock, shutdown).await,
        Role::CheckConfig { file } => {
            Config::load(&file)?;
            say(&format!("{}: the configuration is valid", file.display()));
            Ok(())
        }
        Role::Smoke { options, patience } => {
            let seen = smoke::run(options.config()?, clock, Duration::from_secs(patience)).await?;
            say(&format!("first alert after {:.1} s: {} on {}", seen.after.as_secs_f64(), seen.algorithm, seen.camera));
            Ok(())
        }
    }
}

fn announce(ready: compose::Ready) {
    say("");
    say(&format!("  工哨 Gongshao is running:  http://{}", ready.console));
    if let Some(password) = ready.admin_password {
        say(&format!("  user: {}", ready.admin));
        say(&format!("  one-time password: {}   (shown only now; change it under 系统 / System)", password.expose()));
    } else {
        say(&format!("  user: {}, with the password shown at the first start", ready.admin));
    }
    say(&format!("  cameras: {}", ready.cameras.join(", ")));
    for problem in ready.problems {
        say(&format!("  problem: {problem}"));
    }
    say("  Ctrl-C stops everything.");
    say("");
}

/// What the person at the terminal reads.
#[expect(clippy::print_stdout, reason = "a program for people speaks on standard output")]
fn say(line: &str) {
    println!("{line}");
}

/// The first signal stops in order, the second at once.
async fn stop_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    for n in 0.. {
        tokio::select! {
            outcome = tokio::signal::ctrl_c() => outcome?,
            _ = terminate.recv() => {}
        }
        if n > 0 {
            std::process::exit(130);
        }
        shutdown.cancel();
    }
    Ok(())
}
