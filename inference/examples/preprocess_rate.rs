//! How fast a decoded frame becomes the network's input, against OpenCV doing the same in its usual steps.
//!
//! Both take NV12 and give the same letterboxed planes of floats, on one thread. OpenCV's way is the one of most
//! programs: convert the whole frame to BGR, resize, pad, convert to floats, split into planes.

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use clap::Parser;
use inference::{Frame, Manifest, preprocess::Letterbox};
use opencv::{
    core::{
        BORDER_CONSTANT, CV_32F, Mat, MatTraitConst as _, MatTraitConstManual as _, Scalar, Size, Vector,
        copy_make_border, set_num_threads, split,
    },
    imgproc::{COLOR_YUV2BGR_NV12, INTER_LINEAR, cvt_color_def, resize},
};

/// Compare the fused pass with OpenCV's steps.
#[derive(Debug, Parser)]
struct Arguments {
    /// The model package whose input is filled.
    #[arg(long)]
    model: PathBuf,
    /// How long to measure each size.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let path = arguments.model.join(inference::manifest::FILE_NAME);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest = Manifest::parse(&text)?;
    set_num_threads(1)?;
    let mut stdout = std::io::stdout();
    let input = &manifest.input;
    writeln!(stdout, "NV12 to {}×{} planes of floats, one thread; GB/s of NV12 read", input.width, input.height)?;
    for (width, height) in [(1280u32, 720u32), (1920, 1080), (2560, 1440)] {
        let (w, h) = (width as usize, height as usize);
        let nv12: Vec<u8> = (0..w * h * 3 / 2).map(|i| (i % w / 3 + i / w / 5) as u8).collect();
        let (luma, chroma) = nv12.split_at(w * h);
        let frame = Frame::Nv12 { width, height, y: luma, y_stride: w, uv: chroma, uv_stride: w };
        let mut letterbox = Letterbox::new(input);
        let mut ours = vec![0.0; letterbox.len()];
        letterbox.fill(&frame, &mut ours)?;
        let fitted = letterbox.fitted((width, height));
        let mut steps = Steps::default();
        let theirs =
            steps.run(&nv12, (w, h), (fitted.width as i32, fitted.height as i32), (input.width, input.height))?;

        let off = ours.iter().zip(&theirs).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / ours.len() as f64;
        let (mut fused, mut opencv, mut runs) = (Duration::ZERO, Duration::ZERO, 0u32);
        let end = Instant::now() + Duration::from_secs(arguments.seconds);
        while Instant::now() < end {
            let started = Instant::now();
            letterbox.fill(&frame, &mut ours)?;
            fused += started.elapsed();
            let started = Instant::now();
            steps.run(&nv12, (w, h), (fitted.width as i32, fitted.height as i32), (input.width, input.height))?;
            opencv += started.elapsed();
            runs += 1;
        }
        let rate = |time: Duration| (nv12.len() as f64 * f64::from(runs)) / time.as_secs_f64() / 1e9;
        let ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(runs);
        writeln!(
            stdout,
            "{width}×{height}: fused {:.2} GB/s ({:.2} ms), OpenCV {:.2} GB/s ({:.2} ms), ratio {:.2}; mean difference {off:.2} grey levels",
            rate(fused),
            ms(fused),
            rate(opencv),
            ms(opencv),
            opencv.as_secs_f64() / fused.as_secs_f64()
        )?;
    }
    Ok(())
}

/// OpenCV's steps with reused buffers.
#[derive(Default)]
struct Steps {
    bgr: Mat,
    small: Mat,
    padded: Mat,
    floats: Mat,
    planes: Vector<Mat>,
    tensor: Vec<f32>,
}

impl Steps {
    fn run(
        &mut self,
        nv12: &[u8],
        (w, h): (usize, usize),
        fitted: (i32, i32),
        (width, height): (u32, u32),
    ) -> Result<Vec<f32>> {
        let source = Mat::new_rows_cols_with_data(i32::try_from(h * 3 / 2)?, i32::try_from(w)?, nv12)?;
        cvt_color_def(&source, &mut self.bgr, COLOR_YUV2BGR_NV12)?;
        resize(&self.bgr, &mut self.small, Size::new(fitted.0, fitted.1), 0.0, 0.0, INTER_LINEAR)?;
        let (right, bottom) = (width.cast_signed() - fitted.0, height.cast_signed() - fitted.1);
        copy_make_border(&self.small, &mut self.padded, 0, bottom, 0, right, BORDER_CONSTANT, Scalar::all(114.0))?;
        self.padded.convert_to(&mut self.floats, CV_32F, 1.0, 0.0)?;
        split(&self.floats, &mut self.planes)?;
        self.tensor.clear();
        for plane in &self.planes {
            self.tensor.extend_from_slice(plane.data_typed::<f32>()?);
        }
        Ok(std::mem::take(&mut self.tensor))
    }
}
