//! Runs a model package over a folder of pictures and writes the boxes as COCO results.
//!
//! This is what models are judged by: the same code path as on live frames, with a low score floor.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use inference::{Detector, DetectorOptions, Frame, Limits, Runtime};
use serde::{Deserialize, Serialize};

/// Detect on a folder of pictures, write COCO results.
#[derive(Debug, Parser)]
struct Arguments {
    /// The ONNX Runtime shared library.
    #[arg(long)]
    onnxruntime: PathBuf,
    /// The model package: a folder with manifest.toml.
    #[arg(long)]
    model: PathBuf,
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
}

/// The part of a COCO file that is needed.
#[derive(Debug, Deserialize)]
struct Coco {
    images: Vec<CocoImage>,
    categories: Vec<CocoCategory>,
}

#[derive(Debug, Deserialize)]
struct CocoImage {
    id: serde_json::Value,
    file_name: String,
}

#[derive(Debug, Deserialize)]
struct CocoCategory {
    id: i64,
    name: String,
}

/// One line of COCO results.
#[derive(Debug, Serialize)]
struct Found<'a> {
    image_id: &'a serde_json::Value,
    category_id: i64,
    bbox: [f64; 4],
    score: f64,
}

/// A picture to look at and what to call it.
#[derive(Debug)]
struct Job {
    path: PathBuf,
    id: serde_json::Value,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = Runtime::load(&arguments.onnxruntime)?;
    let mut detector = Detector::load(&runtime, &arguments.model, &DetectorOptions { threads: arguments.threads })?;
    let coco = arguments.coco.as_deref().map(read_coco).transpose()?;
    let jobs = jobs(&arguments.images, coco.as_ref())?;
    let categories = categories(&detector, coco.as_ref());

    let limits = Limits { min_score: arguments.min_score, max_per_frame: arguments.max_per_image };
    let file = File::create(&arguments.out).with_context(|| format!("cannot write {}", arguments.out.display()))?;
    let mut out = BufWriter::new(file);
    let (mut boxes, mut unreadable) = (0, 0);
    for job in &jobs {
        match detect(&mut detector, &limits, job, &categories) {
            Ok(found) => {
                for found in found {
                    out.write_all(if boxes == 0 { b"[\n" } else { b",\n" })?;
                    serde_json::to_writer(&mut out, &found)?;
                    boxes += 1;
                }
            }
            Err(reason) => {
                unreadable += 1;
                writeln!(std::io::stderr(), "left out {}: {reason:#}", job.path.display())?;
            }
        }
    }
    out.write_all(if boxes == 0 { b"[]\n" } else { b"\n]\n" })?;
    out.flush()?;
    ensure!(unreadable < jobs.len(), "none of the {} pictures could be used", jobs.len());
    let used = jobs.len() - unreadable;
    writeln!(
        std::io::stdout(),
        "{boxes} boxes on {used} pictures, {unreadable} left out: {}",
        arguments.out.display()
    )?;
    Ok(())
}

fn read_coco(path: &Path) -> Result<Coco> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no COCO file", path.display()))
}

/// The pictures in the order of the COCO file, or of their names.
fn jobs(dir: &Path, coco: Option<&Coco>) -> Result<Vec<Job>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if ["jpg", "jpeg", "png"].iter().any(|known| extension == *known) {
            files.insert(path.file_name().unwrap_or_default().to_owned(), path);
        }
    }
    let jobs: Vec<_> = match coco {
        Some(coco) => {
            let find = |image: &CocoImage| {
                // Some COCO files have the folder in the name, some have not.
                let name = Path::new(&image.file_name).file_name().unwrap_or_default();
                let path = files.get(name).cloned().unwrap_or_else(|| dir.join(name));
                Job { path, id: image.id.clone() }
            };
            coco.images.iter().map(find).collect()
        }
        None => files
            .into_values()
            .map(|path| {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let id = stem.parse::<i64>().map_or_else(|_| stem.clone().into(), Into::into);
                Job { path, id }
            })
            .collect(),
    };
    if jobs.is_empty() {
        bail!("there are no JPEG or PNG pictures in {}", dir.display());
    }
    Ok(jobs)
}

/// The category id of each class; a class that the COCO file does not have is not written.
fn categories(detector: &Detector, coco: Option<&Coco>) -> Vec<Option<i64>> {
    let names = detector.classes().names().iter();
    match coco {
        Some(coco) => names.map(|name| coco.categories.iter().find(|c| c.name == *name).map(|c| c.id)).collect(),
        None => names.zip(1..).map(|(_, id)| Some(id)).collect(),
    }
}

fn detect<'a>(
    detector: &mut Detector,
    limits: &Limits,
    job: &'a Job,
    categories: &[Option<i64>],
) -> Result<Vec<Found<'a>>> {
    let picture = image::ImageReader::open(&job.path)?.with_guessed_format()?.decode()?.into_rgb8();
    let (width, height) = picture.dimensions();
    let frame = Frame::Rgb { width, height, data: picture.as_raw(), stride: width as usize * 3 };
    let mut out = [Vec::new()];
    detector.detect_with(&[frame], limits, &mut out)?;
    let (w, h) = (f64::from(width), f64::from(height));
    let round = |value: f64, digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    let found = out[0].iter().filter_map(|detection| {
        let b = detection.bbox;
        let bbox = [f64::from(b.x) * w, f64::from(b.y) * h, f64::from(b.w) * w, f64::from(b.h) * h];
        Some(Found {
            image_id: &job.id,
            category_id: categories[usize::from(detection.class.0)]?,
            bbox: bbox.map(|v| round(v, 2)),
            score: round(f64::from(detection.score), 5),
        })
    });
    Ok(found.collect())
}
