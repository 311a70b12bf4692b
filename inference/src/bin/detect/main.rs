//! Runs model packages over a folder of pictures and writes the boxes as COCO results.
//!
//! This is what models are judged by: the same code path as on live frames, with a low score floor.

mod eyes;
mod pictures;

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use eyes::{Eyes, Seen};
use inference::{Frame, Limits, Runtime};
use pictures::Job;
use serde::Serialize;

/// Detect on a folder of pictures, write COCO results.
#[derive(Debug, Parser)]
struct Arguments {
    /// The ONNX Runtime shared library; `make setup` puts it where it is looked for.
    #[arg(long, default_value = ".cache/onnxruntime/libonnxruntime.so")]
    onnxruntime: PathBuf,
    /// The model package: a folder with manifest.toml.
    #[arg(long, required_unless_present = "models", conflicts_with = "models")]
    model: Option<PathBuf>,
    /// A folder of model packages; all are run, and classifiers judge the boxes of detectors.
    #[arg(long)]
    models: Option<PathBuf>,
    /// The pictures: a folder of JPEG or PNG files.
    #[arg(long)]
    images: PathBuf,
    /// COCO annotations: gives the picture list, picture ids and category ids.
    #[arg(long)]
    coco: Option<PathBuf>,
    /// Where to write the results.
    #[arg(long)]
    out: PathBuf,
    /// The lowest score that is written.
    #[arg(long, default_value_t = 0.01)]
    min_score: f32,
    /// The most boxes written per picture.
    #[arg(long, default_value_t = 300)]
    max_per_image: usize,
    /// Threads of the network; 0 takes every core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Measure every way of running the network, and take the fastest.
    #[arg(long)]
    fastest: bool,
}

/// One line of COCO results.
#[derive(Debug, Serialize)]
struct Found<'a> {
    image_id: &'a serde_json::Value,
    category_id: i64,
    bbox: [f64; 4],
    score: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let say = |line: String| Ok(writeln!(std::io::stderr(), "{line}")?);
    let runtime = Runtime::load(&arguments.onnxruntime)?;
    let (dir, folder) = match (&arguments.model, &arguments.models) {
        (Some(model), _) => (model, false),
        (None, Some(models)) => (models, true),
        (None, None) => unreachable!("one of the two is required"),
    };
    let mut eyes = Eyes::load(&runtime, dir, folder, arguments.threads, arguments.fastest, say)?;
    let coco = arguments.coco.as_deref().map(pictures::read_coco).transpose()?;
    let jobs = pictures::jobs(&arguments.images, coco.as_ref())?;
    let categories = pictures::categories(eyes.classes(), coco.as_ref());

    let limits = Limits { min_score: arguments.min_score, max_per_frame: arguments.max_per_image };
    let file = File::create(&arguments.out).with_context(|| format!("cannot write {}", arguments.out.display()))?;
    let mut out = BufWriter::new(file);
    let (mut boxes, mut unreadable, mut spent) = (0, 0, Duration::ZERO);
    let mut counted = vec![0usize; eyes.classes().len()];
    for job in &jobs {
        let found = match detect(&mut eyes, &limits, job, &mut spent) {
            Ok(found) => found,
            Err(reason) => {
                unreadable += 1;
                say(format!("left out {}: {reason:#}", job.path.display()))?;
                continue;
            }
        };
        for (seen, bbox) in found {
            counted[seen.class] += usize::from(eyes.counts(&seen));
            let Some(category_id) = categories[seen.class] else { continue };
            out.write_all(if boxes == 0 { b"[\n" } else { b",\n" })?;
            let score = round(f64::from(seen.score), 5);
            serde_json::to_writer(&mut out, &Found { image_id: &job.id, category_id, bbox, score })?;
            boxes += 1;
        }
    }
    out.write_all(if boxes == 0 { b"[]\n" } else { b"\n]\n" })?;
    out.flush()?;
    ensure!(unreadable < jobs.len(), "none of the {} pictures could be used", jobs.len());
    let used = jobs.len() - unreadable;
    let per_class: Vec<_> = eyes.classes().iter().zip(counted).map(|(name, count)| format!("{name} {count}")).collect();
    let speed = f64::from(u32::try_from(used)?) / spent.as_secs_f64().max(1e-9);
    say(format!(
        "{}{used} pictures, {speed:.1} a second | at their thresholds: {}",
        eyes.card()?,
        per_class.join(", ")
    ))?;
    writeln!(
        std::io::stdout(),
        "{boxes} boxes on {used} pictures, {unreadable} left out: {}",
        arguments.out.display()
    )?;
    Ok(())
}

/// What is on one picture, each with its box in pixels.
fn detect(eyes: &mut Eyes, limits: &Limits, job: &Job, spent: &mut Duration) -> Result<Vec<(Seen, [f64; 4])>> {
    let picture = image::ImageReader::open(&job.path)?.with_guessed_format()?.decode()?.into_rgb8();
    let (width, height) = picture.dimensions();
    let frame = Frame::Rgb { width, height, data: picture.as_raw(), stride: width as usize * 3 };
    let started = Instant::now();
    let seen = eyes.look(&frame, limits)?;
    *spent += started.elapsed();
    let (w, h) = (f64::from(width), f64::from(height));
    let in_pixels = |seen: Seen| {
        let b = seen.bbox;
        let bbox = [f64::from(b.x) * w, f64::from(b.y) * h, f64::from(b.w) * w, f64::from(b.h) * h];
        (seen, bbox.map(|v| round(v, 2)))
    };
    Ok(seen.into_iter().map(in_pixels).collect())
}

fn round(value: f64, digits: i32) -> f64 {
    (value * 10f64.powi(digits)).round() / 10f64.powi(digits)
}
