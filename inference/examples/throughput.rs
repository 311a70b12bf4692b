//! How much of the bare network's speed is left after preparing pictures and reading boxes.
//!
//! Prints frames per second of the network alone and of the whole detector, for the same model, threads and
//! batch, in turns so that a busy machine slows both alike.

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Parser;
use inference::{Detector, DetectorOptions, Frame, Runtime};

/// Compare the bare network with the whole detector.
#[derive(Debug, Parser)]
struct Arguments {
    /// The ONNX Runtime shared library.
    #[arg(long)]
    onnxruntime: PathBuf,
    /// The model package: a folder with manifest.toml.
    #[arg(long)]
    model: PathBuf,
    /// Threads of the network.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Frames in one run.
    #[arg(long, default_value_t = 4)]
    batch: usize,
    /// Frame width.
    #[arg(long, default_value_t = 1920)]
    width: u32,
    /// Frame height.
    #[arg(long, default_value_t = 1080)]
    height: u32,
    /// How long to measure.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = Runtime::load(&arguments.onnxruntime)?;
    let options = DetectorOptions { threads: arguments.threads };
    let mut detector = Detector::load(&runtime, &arguments.model, &options)?;
    let batch = arguments.batch.clamp(1, detector.manifest().input.max_batch);

    let (width, height) = (arguments.width, arguments.height);
    let stride = (width as usize).next_multiple_of(32);
    let y: Vec<u8> = (0..stride * height as usize).map(|i| (i % stride / 3 + i / stride / 5) as u8).collect();
    let uv: Vec<u8> = (0..stride * height.div_ceil(2) as usize).map(|i| (120 + i % 16) as u8).collect();
    let frame = Frame::Nv12 { width, height, y: &y, y_stride: stride, uv: &uv, uv_stride: stride };
    let frames = vec![frame; batch];
    let mut out = vec![Vec::new(); batch];

    detector.detect(&frames, &mut out)?;
    let (mut bare, mut whole, mut runs) = (Duration::ZERO, Duration::ZERO, 0);
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    while Instant::now() < end {
        let started = Instant::now();
        detector.run_network(batch)?;
        bare += started.elapsed();
        let started = Instant::now();
        detector.detect(&frames, &mut out)?;
        whole += started.elapsed();
        runs += batch;
    }
    let per_second = |time: Duration| f64::from(u32::try_from(runs).unwrap_or(u32::MAX)) / time.as_secs_f64();
    let (bare, whole) = (per_second(bare), per_second(whole));
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "model {}, {width}x{height} NV12, threads {}, batch {batch}",
        detector.health().model,
        arguments.threads
    )?;
    writeln!(stdout, "bare Session::run   {bare:8.1} frames/s")?;
    writeln!(stdout, "Detector::detect    {whole:8.1} frames/s")?;
    writeln!(stdout, "ratio               {:8.3}", whole / bare)?;
    Ok(())
}
