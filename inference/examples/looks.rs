//! What pictures are like, and how they differ from the first one: for choosing limits on a camera's own pictures.

use std::{io::Write as _, path::PathBuf, time::Instant};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use image::RgbImage;
use inference::{Frame, Reference, picture, reference};
use protocol::{Point, Polygon};

/// Measure pictures and compare them with the first.
#[derive(Debug, Parser)]
struct Arguments {
    /// Left, top, right and bottom of the region that is compared, 0 to 1.
    #[arg(long, value_delimiter = ',', num_args = 4, default_values_t = [0.0, 0.0, 1.0, 1.0])]
    region: Vec<f32>,
    /// JPEG or PNG files, the first being the reference.
    #[arg(required = true)]
    pictures: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let [x0, y0, x1, y1] = arguments.region[..] else { bail!("a region is four numbers") };
    let region = Polygon::new(vec![Point::new(x0, y0), Point::new(x1, y0), Point::new(x1, y1), Point::new(x0, y1)])?;
    let mut first = None;
    let mut stdout = std::io::stdout();
    for path in &arguments.pictures {
        let picture = image::open(path).with_context(|| format!("cannot read {}", path.display()))?.into_rgb8();
        let frame = frame(&picture);
        let started = Instant::now();
        let m = picture::measure(&frame)?;
        let measuring = started.elapsed();
        writeln!(
            stdout,
            "{}: luma {:.0} contrast {:.0} sharpness {:.0} noise {:.1} saturation {:.1} cast {:.1},{:.1} white {:.2} black {:.2} detail {:.2}",
            path.display(),
            m.mean_luma,
            m.contrast,
            m.sharpness,
            m.noise,
            m.saturation,
            m.cast[0],
            m.cast[1],
            m.white_share,
            m.black_share,
            m.detail_blocks
        )?;
        if let Some((reference, signature)) = &first {
            let started = Instant::now();
            let look = reference::compare(reference, &frame, &[])?;
            let comparing = started.elapsed();
            writeln!(
                stdout,
                "    changed {:.3} masked {:.2} aligned {} shift {:.3},{:.3} light {:.2} at {:?}; thumbnail shift {:?}; {:.1} + {:.1} ms",
                look.changed,
                look.masked,
                look.aligned,
                look.shift.0,
                look.shift.1,
                look.light,
                look.at,
                picture::shift(signature, &m.signature),
                measuring.as_secs_f64() * 1e3,
                comparing.as_secs_f64() * 1e3
            )?;
        } else {
            first = Some((Reference::from_frame(&frame, &region)?, m.signature));
        }
    }
    Ok(())
}

fn frame(picture: &RgbImage) -> Frame<'_> {
    let (width, height) = picture.dimensions();
    Frame::Rgb { width, height, data: picture.as_raw(), stride: width as usize * 3 }
}
