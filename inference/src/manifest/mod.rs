//! The manifest: what a model package says about its model.
//!
//! The file as written is `spec`; a [`Manifest`] is valid by construction. Sections:
//!
//! | section | keys |
//! | --- | --- |
//! | top | `schema` 1, `name`, `version`, `title_zh`, `title_en`, `license`, `provenance`, `serves` |
//! | `[file]` | `path`, `sha256` |
//! | `[input]` | [`Input`]: `name`, `width`, `height`, `layout`, `color`, `scale`, `mean`, `std`, `resize`, `pad`, `max_batch`; `size_name` with some `detr` heads |
//! | `[output]` | `name`, `head`, and by head: `yolox` `strides` `nms_iou`; `yolov8` `nms_iou`; `gfl` `strides` `reg_max` `nms_iou` (`cell_offset`); `detr` `box_format` and either `labels` `scores` or `logits` (`activation`), `name` being the boxes; `classifier` (`activation`); `embedding` `dim` |
//! | `[crop]` | classifier and embedding only, [`CropSpec`]: `of`, `margin`, `min_px`, `max_per_frame` |
//! | `[[classes]]` | `name`, `zh`, `en`, `threshold`; none for an embedding |
//! | `[golden]` | `picture`; `[[golden.boxes]]` with `class`, `bbox`, `score`, or for an embedding `[[golden.vectors]]` with `bbox`, `starts` |

mod golden;
mod input;
mod output;
mod spec;
mod values;

pub use golden::{Golden, GoldenBox, GoldenVector};
pub use input::{ChannelOrder, CropSpec, Input, Layout, Resize};
pub(crate) use output::HEADS;
pub use output::{Activation, BoxFormat, DetrScores, DetrSpec, HeadSpec};
use protocol::{ClassTable, ContentHash, ModelRef};
use values::{bad, check, check_file_name, check_label};

use crate::ModelRefused;

/// Name of the manifest in a model folder.
pub const FILE_NAME: &str = "manifest.toml";

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
    pub head: HeadSpec,
    /// Which boxes a second stage looks at; there for every second stage and for nothing else.
    pub crop: Option<CropSpec>,
    /// What it can see, in the order of the output; empty for an embedding.
    pub classes: Vec<Class>,
    /// What it must see.
    pub golden: Golden,
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
        check_label("name", &spec.name)?;
        check_label("version", &spec.version)?;
        check_file_name("file.path", &spec.file.path)?;
        let sha256 = spec.file.sha256.parse::<ContentHash>().map_err(|e| bad("file.sha256", e.to_string()))?;
        let head = output::output(spec.output)?;
        let classes = classes(spec.classes, &head)?;
        let golden = golden::golden(spec.golden, &head, &classes)?;
        let input = input::input(spec.input, &head)?;
        let crop = input::crop(spec.crop, &head)?;
        Ok(Self {
            model: ModelRef { name: spec.name, version: spec.version },
            serves: spec.serves,
            file: spec.file.path,
            sha256,
            input,
            head,
            crop,
            classes,
            golden,
        })
    }
}

fn classes(specs: Vec<spec::Class>, head: &HeadSpec) -> Result<Vec<Class>, ModelRefused> {
    if matches!(head, HeadSpec::Embedding { .. }) {
        check(specs.is_empty(), "classes", || "do not belong to an `embedding` head".into())?;
        return Ok(Vec::new());
    }
    check((1..=1000).contains(&specs.len()), "classes", || "must be 1 to 1000".into())?;
    for (i, class) in specs.iter().enumerate() {
        let known = specs[..i].iter().any(|other| other.name == class.name);
        check(!class.name.is_empty() && !known, "classes.name", || format!("`{}` is empty or twice", class.name))?;
        let valid = (0.0..=1.0).contains(&class.threshold);
        check(valid, "classes.threshold", || format!("of `{}` must be 0 to 1", class.name))?;
    }
    Ok(specs.into_iter().map(|c| Class { name: c.name, zh: c.zh, en: c.en, threshold: c.threshold }).collect())
}

#[cfg(test)]
pub(crate) mod tests;
