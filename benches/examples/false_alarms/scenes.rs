//! What is drawn on the background. Everything is a function of the frame number: each run draws the same.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::film::{FPS, Picture};

/// A kind of negative footage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    Empty,
    Rain,
    Night,
    Headlights,
    Insects,
    Flags,
    Poster,
    HelmetCarried,
}

/// Cut-outs of real pictures: a worker, and a helmet.
pub(crate) struct Props {
    worker: Picture,
    helmet: Picture,
}

impl Props {
    /// Takes them from the golden picture of the first package that shows a person and a helmet; `None` without one.
    pub(crate) fn load(models: &Path) -> Result<Option<Self>> {
        for package in edge_agent::pipeline::packages(models)? {
            let text = std::fs::read_to_string(package.join("manifest.toml"))?;
            let manifest: toml::Table = text.parse()?;
            let (Some(worker), Some(helmet)) = (golden(&manifest, "person"), golden(&manifest, "helmet")) else {
                continue;
            };
            let picture = manifest["golden"]["picture"].as_str().context("golden.picture")?;
            let picture = image::open(package.join(PathBuf::from(picture)))?.to_rgb8();
            let cut = |[x, y, w, h]: [u32; 4]| {
                let part = image::imageops::crop_imm(&picture, x, y, w, h).to_image();
                Picture { width: w as usize, height: h as usize, data: part.into_raw() }
            };
            return Ok(Some(Self { worker: cut(worker), helmet: cut(helmet) }));
        }
        Ok(None)
    }
}

/// The first golden box of a class, pixels.
fn golden(manifest: &toml::Table, class: &str) -> Option<[u32; 4]> {
    let boxes = manifest.get("golden")?.get("boxes")?.as_array()?;
    let found = boxes.iter().find(|b| b.get("class").and_then(|c| c.as_str()) == Some(class))?;
    let sides: Vec<u32> = found.get("bbox")?.as_array()?.iter().filter_map(|v| Some(v.as_float()? as u32)).collect();
    sides.try_into().ok()
}

impl Scene {
    pub(crate) const ALL: [Self; 8] = [
        Self::Empty,
        Self::Rain,
        Self::Night,
        Self::Headlights,
        Self::Insects,
        Self::Flags,
        Self::Poster,
        Self::HelmetCarried,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Rain => "rain",
            Self::Night => "night",
            Self::Headlights => "headlights",
            Self::Insects => "insects",
            Self::Flags => "flags",
            Self::Poster => "poster",
            Self::HelmetCarried => "helmet_carried",
        }
    }

    pub(crate) fn paint(self, background: &Picture, props: Option<&Props>, frame: u32) -> Picture {
        let mut canvas = background.clone();
        let secs = frame as f32 / FPS as f32;
        let (width, height) = (canvas.width as f32, canvas.height as f32);
        match self {
            Self::Empty => canvas.light(1.0 + 0.1 * (secs / 7.0).sin(), 0.0),
            Self::Rain => {
                canvas.light(0.8, 10.0);
                for drop in 0..220 {
                    let (x, speed) = (random(drop, 1) * width, 700.0 + 500.0 * random(drop, 2));
                    let y = (random(drop, 3) * height + speed * secs) % height;
                    canvas.blob((x, y), (0.8, 12.0), [200.0; 3], 0.4);
                }
            }
            Self::Night => canvas.light(0.22, 4.0),
            Self::Headlights => {
                canvas.light(0.25, 4.0);
                let x = (secs * 0.12).fract() * 1.4 * width - 0.2 * width;
                for side in [-0.035, 0.035] {
                    let at = (x + side * width, 0.55 * height);
                    canvas.blob(at, (70.0, 45.0), [255.0, 240.0, 200.0], 0.6);
                    canvas.blob(at, (14.0, 12.0), [255.0; 3], 1.0);
                }
                canvas.blob((x, 0.75 * height), (160.0, 30.0), [255.0, 230.0, 180.0], 0.3);
            }
            Self::Insects => {
                canvas.light(0.3, 6.0);
                for insect in 0..4 {
                    let phase = secs * (1.0 + random(insect, 5)) + 9.0 * random(insect, 6);
                    let at =
                        (width * (0.5 + 0.45 * (phase * 1.3).sin()), height * (0.5 + 0.45 * (phase * 0.9 + 2.0).cos()));
                    canvas.blob(at, (22.0 + 18.0 * random(insect, 7), 16.0), [235.0; 3], 0.7);
                }
            }
            Self::Flags => {
                for (flag, colour) in
                    [[215.0, 30.0, 25.0], [240.0, 190.0, 20.0], [40.0, 90.0, 200.0]].into_iter().enumerate()
                {
                    let left = width * (0.15 + 0.28 * flag as f32);
                    canvas.flag((left, height * 0.2), (width * 0.14, height * 0.16), colour, secs + flag as f32);
                }
            }
            Self::Poster => {
                if let Some(props) = props {
                    let at = (0.62 * width, 0.3 * height);
                    canvas.paste(&props.worker, at, 1.6);
                }
            }
            Self::HelmetCarried => {
                if let Some(props) = props {
                    let across = (secs * 0.05).fract();
                    let at = (across * width, height * (0.62 + 0.01 * (secs * 6.0).sin()));
                    canvas.paste(&props.helmet, at, 1.8);
                }
            }
        }
        let noise = if matches!(self, Self::Night | Self::Headlights | Self::Insects) { 9.0 } else { 3.0 };
        canvas.noise(noise, frame);
        canvas
    }
}

fn signed(pixels: usize) -> i64 {
    i64::try_from(pixels).unwrap_or(i64::MAX)
}

impl Picture {
    fn light(&mut self, gain: f32, lift: f32) {
        for value in &mut self.data {
            *value = (f32::from(*value) * gain + lift).clamp(0.0, 255.0) as u8;
        }
    }

    fn mix(&mut self, x: i64, y: i64, colour: [f32; 3], share: f32) {
        if x < 0 || y < 0 || x >= signed(self.width) || y >= signed(self.height) {
            return;
        }
        let at = (y as usize * self.width + x as usize) * 3;
        for (value, colour) in self.data[at..at + 3].iter_mut().zip(colour) {
            *value = (f32::from(*value) * (1.0 - share) + colour * share).clamp(0.0, 255.0) as u8;
        }
    }

    /// A soft ellipse.
    fn blob(&mut self, (x, y): (f32, f32), (rx, ry): (f32, f32), colour: [f32; 3], share: f32) {
        for row in (y - 2.0 * ry) as i64..=(y + 2.0 * ry) as i64 {
            for column in (x - 2.0 * rx) as i64..=(x + 2.0 * rx) as i64 {
                let (dx, dy) = ((column as f32 - x) / rx, (row as f32 - y) / ry);
                self.mix(column, row, colour, share * (-(dx * dx + dy * dy)).exp());
            }
        }
    }

    /// Cloth in the wind: waves run through it, and light and shade with them.
    fn flag(&mut self, (left, top): (f32, f32), (width, height): (f32, f32), colour: [f32; 3], secs: f32) {
        for column in 0..width as i64 {
            let along = column as f32 / width;
            let wave = (along * 9.0 - secs * 7.0).sin() * along;
            for row in 0..height as i64 {
                let shade = 0.85 + 0.25 * wave;
                let y = top + row as f32 + wave * height * 0.15;
                self.mix(left as i64 + column, y as i64, colour.map(|c| c * shade), 1.0);
            }
        }
    }

    /// Another picture on this one, enlarged.
    fn paste(&mut self, other: &Self, (left, top): (f32, f32), scale: f32) {
        let (width, height) = ((other.width as f32 * scale) as usize, (other.height as f32 * scale) as usize);
        for row in 0..height {
            for column in 0..width {
                let (x, y) = ((column as f32 / scale) as usize, (row as f32 / scale) as usize);
                let at = (y.min(other.height - 1) * other.width + x.min(other.width - 1)) * 3;
                let colour = [other.data[at], other.data[at + 1], other.data[at + 2]].map(f32::from);
                self.mix(left as i64 + signed(column), top as i64 + signed(row), colour, 1.0);
            }
        }
    }

    fn noise(&mut self, amplitude: f32, frame: u32) {
        let mut state = frame.wrapping_mul(0x9e37_79b9) | 1;
        for pixel in self.data.chunks_exact_mut(3) {
            // Xorshift: fast, and the same each time.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let add = amplitude * (state as f32 / u32::MAX as f32 * 2.0 - 1.0);
            for value in pixel {
                *value = (f32::from(*value) + add).clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// Evenly spread in 0 to 1, always the same for the same numbers.
fn random(index: u32, salt: u32) -> f32 {
    let mut h = index.wrapping_mul(0x9e37_79b9) ^ salt.wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    (h ^ (h >> 15)) as f32 / u32::MAX as f32
}
