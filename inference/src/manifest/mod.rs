//! The manifest: what a model package says about its model.
//!
//! The file as written is `spec`; a [`Manifest`] is valid by construction.

mod spec;

use std::path::{Component, Path};

use protocol::{ClassTable, ContentHash, ModelRef};

use crate::ModelRefused;

/// Name of the manifest in a model folder.
pub const FILE_NAME: &str = "manifest.toml";

/// The largest batch tensor a manifest may ask for, in values (256 MiB).
const MAX_BATCH_VALUES: u64 = 64 << 20;

/// A valid manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Name and version of the package.
    pub model: ModelRef,
    /// Algorithms it serves, as the package names them.
    pub serves: Vec<String>,
    /// ONNX file inside the folder.
    pub file: String,
    /// SHA-256 of that file.
    pub sha256: ContentHash,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// What it can see, in the order of the output.
    pub classes: Vec<Class>,
    /// What it must see.
    pub golden: Golden,
}

/// The network's input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name in the network.
    pub name: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Order of the planes.
    pub order: ChannelOrder,
    /// `tensor = (pixel * scale - mean) / std`.
    pub scale: f32,
    /// Per plane.
    pub mean: [f32; 3],
    /// Per plane.
    pub std: [f32; 3],
    /// Grey level beside the picture.
    pub pad: u8,
    /// The most frames in one run.
    pub max_batch: usize,
}

/// Order of colour planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Blue first.
    Bgr,
    /// Red first.
    Rgb,
}

/// The network's output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Name in the network.
    pub name: String,
    /// Its format.
    pub head: HeadKind,
    /// Pixels per grid cell, level by level.
    pub strides: Vec<u32>,
    /// Boxes of one class that overlap by more than this are one object.
    pub nms_iou: f32,
}

/// Output formats that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// YOLOX: anchor-free grid cells, raw offsets, sigmoid scores.
    Yolox,
}

/// One class.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Name in rules.
    pub name: String,
    /// Chinese title.
    pub zh: String,
    /// English title.
    pub en: String,
    /// Score from which on it counts, unless a task says otherwise.
    pub threshold: f32,
}

/// A picture with known content.
#[derive(Clone, Debug, PartialEq)]
pub struct Golden {
    /// JPEG or PNG inside the folder.
    pub picture: String,
    /// What must be found on it.
    pub boxes: Vec<GoldenBox>,
}

/// An object on the golden picture.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldenBox {
    /// Index of its class.
    pub class: u16,
    /// Left, top, width, height in pixels.
    pub bbox: [f32; 4],
    /// Score it had when the package was made.
    pub score: f32,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ModelRefused> {
        // The schema first: a newer manifest must fail as "newer", not as "unknown key".
        let table: toml::Table =
            toml::from_str(text).map_err(|e| ModelRefused::ManifestSyntax(e.to_string().trim_end().to_owned()))?;
        if let Some(schema) = table.get("schema").and_then(toml::Value::as_integer)
            && schema != 1
        {
            return Err(ModelRefused::Schema(u32::try_from(schema).unwrap_or(u32::MAX)));
        }
        let spec: spec::Manifest =
            toml::from_str(text).map_err(|e| ModelRefused::ManifestSyntax(e.to_string().trim_end().to_owned()))?;
        Self::try_from(spec)
    }

    /// Names of the classes as rules use them.
    pub fn class_table(&self) -> ClassTable {
        ClassTable::new(self.classes.iter().map(|class| class.name.clone()))
    }

    /// Values per frame at the input.
    pub fn frame_values(&self) -> usize {
        3 * self.input.width as usize * self.input.height as usize
    }
}

impl TryFrom<spec::Manifest> for Manifest {
    type Error = ModelRefused;

    fn try_from(spec: spec::Manifest) -> Result<Self, ModelRefused> {
        let label = |key, text: &str| {
            let valid = (1..=64).contains(&text.len()) && !text.chars().any(char::is_control);
            check(valid, key, || "must have 1 to 64 characters".into())
        };
        label("name", &spec.name)?;
        label("version", &spec.version)?;
        check_file_name("file.path", &spec.file.path)?;
        let sha256 = spec.file.sha256.parse::<ContentHash>().map_err(|e| bad("file.sha256", e.to_string()))?;
        let classes = classes(spec.classes)?;
        let golden = golden(spec.golden, &classes)?;
        let output = output(spec.output)?;
        let input = input(spec.input, &output.strides)?;
        Ok(Self {
            model: ModelRef { name: spec.name, version: spec.version },
            serves: spec.serves,
            file: spec.file.path,
            sha256,
            input,
            output,
            classes,
            golden,
        })
    }
}

fn bad(key: &'static str, reason: impl Into<String>) -> ModelRefused {
    ModelRefused::ManifestValue { key, reason: reason.into() }
}

fn check(valid: bool, key: &'static str, reason: impl FnOnce() -> String) -> Result<(), ModelRefused> {
    if valid { Ok(()) } else { Err(bad(key, reason())) }
}

/// A package must not reach outside of its folder.
fn check_file_name(key: &'static str, name: &str) -> Result<(), ModelRefused> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    check(plain && !name.contains(['\\', '\0']), key, || "must be the name of a file beside the manifest".into())
}

fn input(spec: spec::Input, strides: &[u32]) -> Result<Input, ModelRefused> {
    check(!spec.name.is_empty() && !spec.name.contains('\0'), "input.name", || "must not be empty".into())?;
    for (key, side) in [("input.width", spec.width), ("input.height", spec.height)] {
        let valid = (32..=4096).contains(&side) && strides.iter().all(|stride| side % stride == 0);
        check(valid, key, || format!("is {side}, must be 32 to 4096 and a multiple of every stride"))?;
    }
    check(spec.layout == "nchw", "input.layout", || format!("is `{}`, must be `nchw`", spec.layout))?;
    check(spec.resize == "letterbox-top-left", "input.resize", || {
        format!("is `{}`, must be `letterbox-top-left`", spec.resize)
    })?;
    let order = match spec.color.as_str() {
        "bgr" => ChannelOrder::Bgr,
        "rgb" => ChannelOrder::Rgb,
        other => return Err(bad("input.color", format!("is `{other}`, must be `bgr` or `rgb`"))),
    };
    check(spec.scale.is_finite() && spec.scale > 0.0, "input.scale", || "must be above 0".into())?;
    check(spec.mean.iter().all(|v| v.is_finite()), "input.mean", || "must be three numbers".into())?;
    check(spec.std.iter().all(|v| v.is_finite() && *v > 0.0), "input.std", || "must be above 0".into())?;
    check((1..=64).contains(&spec.max_batch), "input.max_batch", || "must be 1 to 64".into())?;
    let values = 3 * u64::from(spec.width) * u64::from(spec.height) * u64::from(spec.max_batch);
    check(values <= MAX_BATCH_VALUES, "input.max_batch", || "makes the input larger than 256 MiB".into())?;
    Ok(Input {
        name: spec.name,
        width: spec.width,
        height: spec.height,
        order,
        scale: spec.scale,
        mean: spec.mean,
        std: spec.std,
        pad: spec.pad,
        max_batch: spec.max_batch as usize,
    })
}

fn output(spec: spec::Output) -> Result<Output, ModelRefused> {
    check(!spec.name.is_empty() && !spec.name.contains('\0'), "output.name", || "must not be empty".into())?;
    let head = match spec.head.as_str() {
        "yolox" => HeadKind::Yolox,
        _ => return Err(ModelRefused::UnsupportedHead(spec.head)),
    };
    let valid = (1..=8).contains(&spec.strides.len()) && spec.strides.iter().all(|s| (1..=256).contains(s));
    check(valid, "output.strides", || "must be 1 to 8 numbers, each 1 to 256".into())?;
    check((0.05..=1.0).contains(&spec.nms_iou), "output.nms_iou", || "must be 0.05 to 1".into())?;
    Ok(Output { name: spec.name, head, strides: spec.strides, nms_iou: spec.nms_iou })
}

fn classes(specs: Vec<spec::Class>) -> Result<Vec<Class>, ModelRefused> {
    check((1..=1000).contains(&specs.len()), "classes", || "must be 1 to 1000".into())?;
    for (i, class) in specs.iter().enumerate() {
        let known = specs[..i].iter().any(|other| other.name == class.name);
        check(!class.name.is_empty() && !known, "classes.name", || format!("`{}` is empty or twice", class.name))?;
        let valid = (0.0..=1.0).contains(&class.threshold);
        check(valid, "classes.threshold", || format!("of `{}` must be 0 to 1", class.name))?;
    }
    Ok(specs.into_iter().map(|c| Class { name: c.name, zh: c.zh, en: c.en, threshold: c.threshold }).collect())
}

fn golden(spec: spec::Golden, classes: &[Class]) -> Result<Golden, ModelRefused> {
    check_file_name("golden.picture", &spec.picture)?;
    check((1..=100).contains(&spec.boxes.len()), "golden.boxes", || "must be 1 to 100".into())?;
    let read = |spec: spec::GoldenBox| -> Result<GoldenBox, ModelRefused> {
        let class = classes.iter().position(|class| class.name == spec.class);
        let class = class.ok_or_else(|| bad("golden.boxes.class", format!("`{}` is not in `classes`", spec.class)))?;
        let [x, y, w, h] = spec.bbox;
        let valid = [x, y, w, h].iter().all(|v| v.is_finite() && v.abs() < 1e5) && w > 0.0 && h > 0.0;
        check(valid, "golden.boxes.bbox", || "must be left, top, width and height in pixels".into())?;
        check((0.0..=1.0).contains(&spec.score), "golden.boxes.score", || "must be 0 to 1".into())?;
        Ok(GoldenBox { class: class as u16, bbox: spec.bbox, score: spec.score })
    };
    let boxes = spec.boxes.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Golden { picture: spec.picture, boxes })
}

#[cfg(test)]
mod tests;
