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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) head: String,
    pub(super) strides: Vec<u32>,
    pub(super) nms_iou: f32,
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
    pub(super) boxes: Vec<GoldenBox>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoldenBox {
    pub(super) class: String,
    pub(super) bbox: [f32; 4],
    pub(super) score: f32,
}
