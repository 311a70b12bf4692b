//! `edge-agent replay`: the pipeline on a file.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use edge_agent::{
    pipeline::load_models,
    replay::{Clip, Line, Progress, ReplayError, Replayer, Summary, parse_start, parse_tasks},
};
use protocol::Timestamp;

/// What went wrong, told to scripts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exit {
    Failed = 1,
    Tasks = 3,
    Models = 4,
    Video = 5,
    Output = 6,
}

/// Arguments of the command.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 done, 2 wrong arguments, 3 the tasks file is not valid, 4 a model is missing for a task \
                  or cannot be used, 5 the video cannot be decoded, 6 the output cannot be written, 1 anything else."
)]
pub(crate) struct Arguments {
    /// What to look for; see edge-agent/examples/tasks.toml.
    #[arg(long)]
    tasks: PathBuf,
    /// The video: any container and codec that GStreamer decodes.
    #[arg(long)]
    video: PathBuf,
    /// Where to write the events, one JSON object a line.
    #[arg(long)]
    out: PathBuf,
    /// Also writes the clip with boxes, zones and open alarms drawn on it, MP4.
    #[arg(long)]
    render: Option<PathBuf>,
    /// A model package, or a folder of packages.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// The ONNX Runtime shared library.
    #[arg(long, env = "GONGSHAO_ONNXRUNTIME", default_value = ".cache/onnxruntime/libonnxruntime.so")]
    onnxruntime: PathBuf,
    /// Time of the clip's first picture, e.g. 2026-11-22T08:00:00+08:00: schedules go by it.
    #[arg(long, default_value = "1970-01-01T00:00:00Z", value_parser = parse_start)]
    start: Timestamp,
    /// Stops after so many seconds of the clip.
    #[arg(long)]
    seconds: Option<f64>,
    /// Threads of the models; 0 takes every core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

#[expect(clippy::print_stderr, reason = "progress and errors of a command belong on standard error")]
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match replay(arguments) {
        Ok(summary) => {
            tell(&summary);
            ExitCode::SUCCESS
        }
        Err((code, reason)) => {
            eprintln!("error: {reason}");
            ExitCode::from(code as u8)
        }
    }
}

fn replay(arguments: &Arguments) -> Result<Summary, (Exit, String)> {
    let text = fs::read_to_string(&arguments.tasks)
        .map_err(|e| (Exit::Tasks, format!("{} cannot be read: {e}", arguments.tasks.display())))?;
    let watched = parse_tasks(&text, &arguments.tasks).map_err(|e| (Exit::Tasks, e.to_string()))?;
    let models = load_models(&arguments.onnxruntime, &arguments.models, arguments.threads)
        .map_err(|e| (Exit::Models, e.to_string()))?;
    warn_refused(&models.refused);
    // Written beside its place, so that a run that fails leaves no half list of events.
    let partial = arguments.out.with_extension("part");
    let unwritable = |e: std::io::Error| (Exit::Output, format!("{} cannot be written: {e}", arguments.out.display()));
    let mut out = BufWriter::new(File::create(&partial).map_err(unwritable)?);
    let limit = arguments.seconds.map(Duration::try_from_secs_f64).transpose();
    let clip = Clip {
        video: arguments.video.clone(),
        start: arguments.start,
        limit: limit.map_err(|e| (Exit::Failed, format!("--seconds: {e}")))?,
        render: arguments.render.clone(),
    };
    let mut write = |line: &Line| {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")
    };
    let outcome = Replayer::new(models).run(&clip, &watched, &mut write, &mut show);
    let outcome = outcome.map_err(|e| (exit_of(&e), e.to_string()));
    if outcome.is_err() {
        // The error is what matters; the leftover would do no harm.
        let _ = fs::remove_file(&partial);
    } else {
        out.flush().and_then(|()| fs::rename(&partial, &arguments.out)).map_err(unwritable)?;
    }
    outcome
}

fn exit_of(error: &ReplayError) -> Exit {
    match error {
        ReplayError::Refused { .. } | ReplayError::Model(_) => Exit::Models,
        ReplayError::Video(_) => Exit::Video,
        ReplayError::Render(_) | ReplayError::Write(_) => Exit::Output,
    }
}

#[expect(clippy::print_stderr, reason = "progress and errors of a command belong on standard error")]
fn warn_refused(refused: &[String]) {
    for reason in refused {
        eprintln!("warning: a model is not used: {reason}");
    }
}

#[expect(clippy::print_stderr, reason = "progress and errors of a command belong on standard error")]
fn show(progress: Progress) {
    let Progress { clip_secs, of_secs, speed, alarms } = progress;
    let of = of_secs.map(|of| format!(" of {of:.0} s ({:.0} %)", 100.0 * clip_secs / of.max(1e-3)));
    eprintln!("{clip_secs:.1}{}, {speed:.1}x real time, {alarms} alarms", of.unwrap_or_else(|| " s".into()));
}

#[expect(clippy::print_stderr, reason = "progress and errors of a command belong on standard error")]
fn tell(summary: &Summary) {
    let Summary { clip_secs, decoded, looked_at, runs, alarms, suppressed } = summary;
    eprintln!(
        "{clip_secs:.1} s replayed: {decoded} pictures decoded, {looked_at} looked at, {suppressed} candidates held back"
    );
    for (model, count) in runs {
        eprintln!("  {model}: {count} pictures");
    }
    for (algorithm, count) in alarms {
        eprintln!("  {algorithm}: {count} alarms");
    }
}
