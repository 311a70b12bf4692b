//! The edge agent as a program: `edge-agent run --config FILE`, `edge-agent check-config FILE`,
//! `edge-agent replay --tasks FILE --video FILE --out FILE`.

mod replay;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use edge_agent::{EdgeConfig, EdgeEnvironment};
use runtime::{CancellationToken, SystemClock, Tasks};
use stream_gateway::Hub;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

/// Analyses the cameras of a site and delivers events to the control plane.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What is logged, e.g. `info` or `info,edge_agent=debug`.
    #[arg(long, env = "GONGSHAO_LOG", default_value = "info", global = true)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs until Ctrl-C.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Says what is wrong with a configuration file, if anything.
    CheckConfig {
        /// The configuration file.
        file: PathBuf,
        /// Also loads the model and runs it on its golden picture.
        #[arg(long)]
        load_model: bool,
    },
    /// Runs the pipeline on a video file, faster than real time, and writes the events.
    Replay(replay::Arguments),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a program that cannot start says why, in one line")]
async fn main() -> ExitCode {
    carry_out(Arguments::parse()).await.unwrap_or_else(|e| {
        eprintln!("error: {e:#}");
        ExitCode::FAILURE
    })
}

async fn carry_out(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_new(&arguments.log).context("--log")?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match arguments.command {
        Command::Run { config } => run(EdgeConfig::load(&config)?).await.map(|()| ExitCode::SUCCESS),
        Command::Replay(arguments) => Ok(replay::run(&arguments)),
        Command::CheckConfig { file, load_model } => Ok(check(&EdgeConfig::load(&file)?, load_model)),
    }
}

async fn run(config: EdgeConfig) -> anyhow::Result<()> {
    let (clock, stop, hub_tasks) = (Arc::new(SystemClock), CancellationToken::new(), Arc::new(Tasks::default()));
    let signals = Tasks::under(&stop);
    let asked = stop.clone();
    signals.spawn("signals", async move { wait_for_signal(&asked).await }).await;
    let hub = Hub::new(clock.clone(), Arc::clone(&hub_tasks));
    let outcome = edge_agent::run(config, EdgeEnvironment { clock, hub }, stop.clone()).await;
    let pulled = hub_tasks.stop(std::time::Duration::from_secs(1)).await;
    stop.cancel();
    outcome?;
    Ok(pulled?)
}

/// The first signal stops in flow order; a second one stops at once.
async fn wait_for_signal(stop: &CancellationToken) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    for attempt in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if attempt == 0 {
            info!("stopping; a second signal stops at once");
            stop.cancel();
        }
    }
    warn!("stopped at once");
    std::process::exit(130);
}

#[expect(clippy::print_stdout, reason = "the answer of a command belongs on standard output")]
fn check(config: &EdgeConfig, load_model: bool) -> ExitCode {
    let problems = config.check(load_model);
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("the configuration is good");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}
