//! `[output]`: what comes out of the network, and in which format.

use super::{
    spec,
    values::{bad, check, tensor_name},
};
use crate::ModelRefused;

/// Formats that are decoded, as manifests name them.
pub(crate) const HEADS: &str = "yolox, yolov8, gfl, detr, classifier, embedding";

/// An output format with what decoding it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadSpec {
    /// YOLOX: frame × cell × (4 + 1 + classes), raw offsets, scores after the sigmoid.
    Yolox {
        /// Output in the network.
        name: String,
        /// Pixels per grid cell, level by level.
        strides: Vec<u32>,
        /// Boxes of one class that overlap by more than this are one object.
        nms_iou: f32,
    },
    /// Ultralytics' `YOLOv8` and those that follow it: frame × (4 + classes) × candidate, decoded in the network.
    Yolov8 {
        /// Output in the network.
        name: String,
        /// As for YOLOX.
        nms_iou: f32,
    },
    /// Generalised focal loss (NanoDet-Plus): frame × cell × (classes + 4 × (`reg_max` + 1)), the distance to each
    /// edge a distribution over `reg_max` + 1 steps.
    Gfl {
        /// Output in the network.
        name: String,
        /// Pixels per grid cell, level by level; levels have ⌈side / stride⌉ cells a side.
        strides: Vec<u32>,
        /// The longest distance, in strides.
        reg_max: usize,
        /// Where in the cell distances are counted from, as a share of the stride; 0 for NanoDet-Plus.
        cell_offset: f32,
        /// As for YOLOX.
        nms_iou: f32,
    },
    /// Sets of boxes that need no suppression (DETR, RT-DETR, D-FINE, DEIM).
    Detr(DetrSpec),
    /// One score per class.
    Classifier {
        /// Output in the network.
        name: String,
        /// What is still to be done to the scores.
        activation: Activation,
    },
    /// A feature vector.
    Embedding {
        /// Output in the network.
        name: String,
        /// Its length.
        dim: usize,
    },
}

/// Outputs of a DETR-style network.
#[derive(Clone, Debug, PartialEq)]
pub struct DetrSpec {
    /// The output with the boxes, frame × query × 4.
    pub boxes: String,
    /// What its numbers mean.
    pub box_format: BoxFormat,
    /// Where classes and scores are.
    pub scores: DetrScores,
}

/// Where a DETR-style network says what it saw.
#[derive(Clone, Debug, PartialEq)]
pub enum DetrScores {
    /// Decided in the network: class indices and scores, each frame × query.
    Decided {
        /// The output with class indices.
        labels: String,
        /// The output with scores.
        scores: String,
    },
    /// Numbers per query and class, frame × query × classes (one more for *no object* with softmax).
    Logits {
        /// The output.
        logits: String,
        /// What is to be done to them.
        activation: Activation,
    },
}

/// What four numbers of a box mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxFormat {
    /// Left, top, right, bottom in pixels of the input.
    CornersPixels,
    /// Left, top, right, bottom as shares of the input.
    CornersNormalised,
    /// Middle, width and height as shares of the input.
    CenterNormalised,
}

/// What makes probabilities of a network's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing: they are probabilities.
    None,
    /// Each class for itself.
    Sigmoid,
    /// One of the classes.
    Softmax,
}

impl HeadSpec {
    /// Its name in manifests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Yolox { .. } => "yolox",
            Self::Yolov8 { .. } => "yolov8",
            Self::Gfl { .. } => "gfl",
            Self::Detr(_) => "detr",
            Self::Classifier { .. } => "classifier",
            Self::Embedding { .. } => "embedding",
        }
    }

    /// Whether it gives boxes.
    pub fn is_detector(&self) -> bool {
        !matches!(self, Self::Classifier { .. } | Self::Embedding { .. })
    }
}

/// Hands out the optional keys; what is left over at the end does not belong there.
struct Keys {
    head: String,
    spec: spec::Output,
}

impl Keys {
    fn need<T>(&self, key: &'static str, value: Option<T>) -> Result<T, ModelRefused> {
        value.ok_or_else(|| bad(key, format!("is missing, a `{}` head needs it", self.head)))
    }

    fn strides(&mut self) -> Result<Vec<u32>, ModelRefused> {
        let strides = self.spec.strides.take();
        let strides = self.need("output.strides", strides)?;
        let valid = (1..=8).contains(&strides.len()) && strides.iter().all(|s| (1..=256).contains(s));
        check(valid, "output.strides", || "must be 1 to 8 numbers, each 1 to 256".into())?;
        Ok(strides)
    }

    fn nms_iou(&mut self) -> Result<f32, ModelRefused> {
        let iou = self.spec.nms_iou.take();
        let iou = self.need("output.nms_iou", iou)?;
        check((0.05..=1.0).contains(&iou), "output.nms_iou", || "must be 0.05 to 1".into())?;
        Ok(iou)
    }

    fn activation(&mut self, default: Activation) -> Result<Activation, ModelRefused> {
        match self.spec.activation.take().as_deref() {
            None => Ok(default),
            Some("none") => Ok(Activation::None),
            Some("sigmoid") => Ok(Activation::Sigmoid),
            Some("softmax") => Ok(Activation::Softmax),
            Some(other) => {
                Err(bad("output.activation", format!("is `{other}`, must be `none`, `sigmoid` or `softmax`")))
            }
        }
    }

    fn detr(&mut self, boxes: String) -> Result<DetrSpec, ModelRefused> {
        let format = self.spec.box_format.take();
        let box_format = match self.need("output.box_format", format)?.as_str() {
            "xyxy" => BoxFormat::CornersPixels,
            "xyxy-normalised" => BoxFormat::CornersNormalised,
            "cxcywh-normalised" => BoxFormat::CenterNormalised,
            other => {
                let reason = format!("is `{other}`, must be `xyxy`, `xyxy-normalised` or `cxcywh-normalised`");
                return Err(bad("output.box_format", reason));
            }
        };
        let scores = if let Some(logits) = self.spec.logits.take() {
            let logits = tensor_name("output.logits", logits)?;
            DetrScores::Logits { logits, activation: self.activation(Activation::Sigmoid)? }
        } else {
            let (labels, scores) = (self.spec.labels.take(), self.spec.scores.take());
            DetrScores::Decided {
                labels: tensor_name("output.labels", self.need("output.labels", labels)?)?,
                scores: tensor_name("output.scores", self.need("output.scores", scores)?)?,
            }
        };
        Ok(DetrSpec { boxes, box_format, scores })
    }

    fn nothing_left(&self) -> Result<(), ModelRefused> {
        let spec = &self.spec;
        let left = [
            ("output.strides", spec.strides.is_some()),
            ("output.nms_iou", spec.nms_iou.is_some()),
            ("output.reg_max", spec.reg_max.is_some()),
            ("output.cell_offset", spec.cell_offset.is_some()),
            ("output.labels", spec.labels.is_some()),
            ("output.scores", spec.scores.is_some()),
            ("output.logits", spec.logits.is_some()),
            ("output.box_format", spec.box_format.is_some()),
            ("output.activation", spec.activation.is_some()),
            ("output.dim", spec.dim.is_some()),
        ];
        left.into_iter().try_for_each(|(key, there)| {
            check(!there, key, || format!("does not belong to a `{}` head as written here", self.head))
        })
    }
}

pub(super) fn output(mut spec: spec::Output) -> Result<HeadSpec, ModelRefused> {
    let name = tensor_name("output.name", std::mem::take(&mut spec.name))?;
    let mut keys = Keys { head: spec.head.clone(), spec };
    let head = match keys.head.as_str() {
        "yolox" => HeadSpec::Yolox { name, strides: keys.strides()?, nms_iou: keys.nms_iou()? },
        "yolov8" => HeadSpec::Yolov8 { name, nms_iou: keys.nms_iou()? },
        "gfl" => {
            let reg_max = keys.spec.reg_max.take();
            let reg_max = keys.need("output.reg_max", reg_max)?;
            check((1..=64).contains(&reg_max), "output.reg_max", || "must be 1 to 64".into())?;
            let cell_offset = keys.spec.cell_offset.take().unwrap_or(0.0);
            check((0.0..=1.0).contains(&cell_offset), "output.cell_offset", || "must be 0 to 1".into())?;
            let (strides, nms_iou) = (keys.strides()?, keys.nms_iou()?);
            HeadSpec::Gfl { name, strides, reg_max: reg_max as usize, cell_offset, nms_iou }
        }
        "detr" => HeadSpec::Detr(keys.detr(name)?),
        "classifier" => HeadSpec::Classifier { name, activation: keys.activation(Activation::None)? },
        "embedding" => {
            let dim = keys.spec.dim.take();
            let dim = keys.need("output.dim", dim)?;
            check((2..=8192).contains(&dim), "output.dim", || "must be 2 to 8192".into())?;
            HeadSpec::Embedding { name, dim: dim as usize }
        }
        _ => return Err(ModelRefused::UnsupportedHead(keys.head)),
    };
    keys.nothing_left()?;
    Ok(head)
}
