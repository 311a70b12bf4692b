//! The committed model, copies of it to damage, and tiny networks written byte by byte.

#![expect(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod onnx;

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::{RgbImage, imageops};
use inference::{Detector, DetectorOptions, Frame, ModelRefused, Runtime};
use tempfile::TempDir;

pub fn library() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/onnxruntime/libonnxruntime.so");
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

pub fn runtime() -> Runtime {
    Runtime::load(&library()).unwrap()
}

pub fn site_ppe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/site-ppe")
}

pub fn one_thread() -> DetectorOptions {
    DetectorOptions { threads: 1 }
}

pub fn load(dir: &Path) -> Result<Detector, ModelRefused> {
    Detector::load(&runtime(), dir, &one_thread())
}

/// The golden picture and one more made of it, so that the frames of a batch differ.
pub fn golden_picture() -> RgbImage {
    let manifest = Package::copy();
    image::open(manifest.file(manifest.text("golden", "picture"))).unwrap().into_rgb8()
}

pub fn rgb(picture: &RgbImage) -> Frame<'_> {
    let (width, height) = picture.dimensions();
    Frame::Rgb { width, height, data: picture.as_raw(), stride: width as usize * 3 }
}

/// A picture as a decoder would give it, in BT.601.
pub struct Nv12 {
    width: u32,
    height: u32,
    stride: usize,
    y: Vec<u8>,
    uv: Vec<u8>,
}

impl Nv12 {
    pub fn of(picture: &RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        let stride = (width as usize).next_multiple_of(64);
        let mut luma = vec![0; stride * height as usize];
        let mut chroma = vec![128; stride * height.div_ceil(2) as usize];
        // A colour sample is the mean of its 2x2 pixels, as in what cameras send.
        let small = imageops::resize(picture, width.div_ceil(2), height.div_ceil(2), imageops::FilterType::Triangle);
        for (column, row, pixel) in picture.enumerate_pixels() {
            let [red, green, blue] = pixel.0.map(f32::from);
            let (column, row) = (column as usize, row as usize);
            luma[row * stride + column] = (16.0 + 0.257 * red + 0.504 * green + 0.098 * blue).round() as u8;
        }
        for (column, row, pixel) in small.enumerate_pixels() {
            let [red, green, blue] = pixel.0.map(f32::from);
            let at = row as usize * stride + column as usize * 2;
            chroma[at] = (128.0 - 0.148 * red - 0.291 * green + 0.439 * blue).round() as u8;
            chroma[at + 1] = (128.0 + 0.439 * red - 0.368 * green - 0.071 * blue).round() as u8;
        }
        Self { width, height, stride, y: luma, uv: chroma }
    }

    pub fn frame(&self) -> Frame<'_> {
        let Self { width, height, stride, ref y, ref uv } = *self;
        Frame::Nv12 { width, height, y, y_stride: stride, uv, uv_stride: stride }
    }
}

/// A copy of the committed model package that a test may damage.
pub struct Package {
    dir: TempDir,
    pub manifest: toml::Table,
}

impl Package {
    pub fn copy() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(site_ppe()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
            }
        }
        let text = fs::read_to_string(dir.path().join("manifest.toml")).unwrap();
        Self { dir, manifest: toml::from_str(&text).unwrap() }
    }

    /// A package around a network of the test's own: 64 × 64 in, one class, strides 8, 16, 32.
    pub fn around(model: &[u8]) -> Self {
        let mut package = Self::copy();
        package.set("input", "width", 64);
        package.set("input", "height", 64);
        package.set("input", "max_batch", 2);
        let classes = package.manifest["classes"].as_array_mut().unwrap();
        classes.truncate(1);
        let only = classes[0]["name"].clone();
        for golden in package.manifest["golden"]["boxes"].as_array_mut().unwrap() {
            golden["class"] = only.clone();
        }
        package.replace_model(model);
        package
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn text(&self, section: &str, key: &str) -> &str {
        self.manifest[section][key].as_str().unwrap()
    }

    pub fn set(&mut self, section: &str, key: &str, value: impl Into<toml::Value>) {
        self.manifest[section][key] = value.into();
    }

    pub fn model(&self) -> Vec<u8> {
        fs::read(self.file(self.text("file", "path"))).unwrap()
    }

    /// Writes another ONNX file and its hash, so that only its content can be wrong.
    pub fn replace_model(&mut self, bytes: &[u8]) {
        fs::write(self.file(self.text("file", "path")), bytes).unwrap();
        self.set("file", "sha256", protocol::ContentHash::of(bytes).as_str());
    }

    pub fn load(&self) -> Result<Detector, ModelRefused> {
        fs::write(self.file("manifest.toml"), toml::to_string(&self.manifest).unwrap()).unwrap();
        load(self.dir.path())
    }

    pub fn refusal(&self) -> ModelRefused {
        self.load().expect_err("the package must be refused")
    }
}
