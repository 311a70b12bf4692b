//! How long a frame takes in each way of running the network, and what several sessions give: frames per second
//! and memory for sessions × threads.

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use inference::{DetectorPool, Execution, Frame, Runtime, choice};

/// Frames that are handed over together, as of eight cameras.
const FRAMES: usize = 8;

/// Memory that this process holds.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("the system does not tell about this process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("it does not tell its memory")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: latency LIBONNXRUNTIME MODEL [SECONDS]";
    let (library, model) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let seconds = arguments.next().and_then(|s| s.to_str()?.parse().ok()).unwrap_or(4);
    let runtime = Runtime::load(&library)?;
    let mut stdout = std::io::stdout();

    writeln!(stdout, "one frame through the network alone, median")?;
    let ways = Execution::candidates(&runtime, 0);
    let measured = choice::measure(&runtime, &model, &ways)?;
    let first = measured.iter().find_map(|m| m.outcome.as_ref().ok()).map_or(1.0, Duration::as_secs_f64);
    for measured in &measured {
        match &measured.outcome {
            Ok(time) => writeln!(
                stdout,
                "{:<28} {:7.2} ms   {:.2} of the first",
                measured.execution.to_string(),
                time.as_secs_f64() * 1e3,
                time.as_secs_f64() / first
            )?,
            Err(reason) => writeln!(stdout, "{:<28} {reason}", measured.execution.to_string())?,
        }
    }
    writeln!(stdout, "chosen: {}", choice::best(&measured).map_or_else(|| "none".into(), ToString::to_string))?;

    writeln!(stdout, "\n{FRAMES} frames of 1920×1080 at a time through the whole detector")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let y: Vec<u8> = (0..1920 * 1080).map(|i| (i % 1920 / 3 + i / 1920 / 5) as u8).collect();
    let uv: Vec<u8> = (0..1920 * 540).map(|i| (120 + i % 16) as u8).collect();
    let frame = Frame::Nv12 { width: 1920, height: 1080, y: &y, y_stride: 1920, uv: &uv, uv_stride: 1920 };
    let frames = vec![frame; FRAMES];
    let mut out = vec![Vec::new(); FRAMES];
    let mut ways = vec![(1, 1), (1, cores), (cores, 1)];
    ways.dedup();
    let mut pools = Vec::new();
    for (sessions, threads) in ways {
        let before = resident_bytes()?;
        let mut pool = DetectorPool::load(&runtime, &model, &Execution::cpu(threads), sessions)?;
        pool.detect(&frames, &mut out)?;
        let memory = resident_bytes()?.saturating_sub(before);
        pools.push((sessions, threads, memory, pool, Duration::ZERO, 0u32));
    }
    // In turns, so that a busy machine slows all alike.
    let end = Instant::now() + Duration::from_secs(seconds * pools.len() as u64);
    while Instant::now() < end {
        for (.., pool, spent, done) in &mut pools {
            let started = Instant::now();
            pool.detect(&frames, &mut out)?;
            *spent += started.elapsed();
            *done += u32::try_from(FRAMES)?;
        }
    }
    for (sessions, threads, memory, _, spent, done) in &pools {
        writeln!(
            stdout,
            "{sessions} sessions × {threads} threads: {:6.1} frames/s, {} MiB more memory",
            f64::from(*done) / spent.as_secs_f64(),
            memory >> 20
        )?;
    }
    Ok(())
}
