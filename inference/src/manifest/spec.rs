//! The manifest as written. Unknown keys are errors: a misspelt key must not be ignored.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(rename = "schema")]
    _schema: u32,
    pub(super) name: String,
    pub(super) version: String,
    #[serde(rename = "title_zh")]
    _title_zh: String,
    #[serde(rename = "title_en")]
    _title_en: String,
    #[serde(rename = "license")]
    _license: String,
    #[serde(rename = "provenance")]
    _provenance: String,
    pub(super) serves: Vec<String>,
    pub(super) file: File,
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) crop: Option<Crop>,
    #[serde(default)]
    pub(super) classes: Vec<Class>,
    pub(super) golden: Golden,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) sha256: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) size_name: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) layout: String,
    pub(super) color: String,
    pub(super) scale: f32,
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    pub(super) resize: String,
    pub(super) pad: u8,
    pub(super) max_batch: u32,
}

/// Which of the optional keys must be there depends on the head.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) head: String,
    pub(super) strides: Option<Vec<u32>>,
    pub(super) nms_iou: Option<f32>,
    pub(super) reg_max: Option<u32>,
    pub(super) cell_offset: Option<f32>,
    pub(super) labels: Option<String>,
    pub(super) scores: Option<String>,
    pub(super) logits: Option<String>,
    pub(super) box_format: Option<String>,
    pub(super) activation: Option<String>,
    pub(super) dim: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crop {
    pub(super) of: Vec<String>,
    pub(super) margin: f32,
    pub(super) min_px: u32,
    pub(super) max_per_frame: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) threshold: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Golden {
    pub(super) picture: String,
    #[serde(default)]
    pub(super) boxes: Vec<GoldenBox>,
    #[serde(default)]
    pub(super) vectors: Vec<GoldenVector>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoldenBox {
    pub(super) class: String,
    pub(super) bbox: [f32; 4],
    pub(super) score: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoldenVector {
    pub(super) bbox: [f32; 4],
    pub(super) starts: Vec<f32>,
}
