//! `[golden]`: a picture with known content.

use super::{
    Class, HeadSpec, spec,
    values::{bad, check, check_file_name},
};
use crate::ModelRefused;

/// A picture with known content.
#[derive(Clone, Debug, PartialEq)]
pub struct Golden {
    /// JPEG or PNG inside the folder.
    pub picture: String,
    /// What a detector must find on it, or how a classifier must judge these parts of it.
    pub boxes: Vec<GoldenBox>,
    /// What vectors parts of it must give.
    pub vectors: Vec<GoldenVector>,
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

/// The vector of a part of the golden picture.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldenVector {
    /// Left, top, width, height in pixels.
    pub bbox: [f32; 4],
    /// The first values of the vector of length one.
    pub starts: Vec<f32>,
}

pub(super) fn golden(spec: spec::Golden, head: &HeadSpec, classes: &[Class]) -> Result<Golden, ModelRefused> {
    check_file_name("golden.picture", &spec.picture)?;
    let count = 1..=100;
    let boxes = spec.boxes.into_iter().map(|spec| golden_box(&spec, classes)).collect::<Result<Vec<_>, _>>()?;
    if let HeadSpec::Embedding { dim, .. } = *head {
        check(boxes.is_empty(), "golden.boxes", || "do not belong to an `embedding` head, it has vectors".into())?;
        check(count.contains(&spec.vectors.len()), "golden.vectors", || "must be 1 to 100".into())?;
        let vectors = spec.vectors.into_iter().map(|spec| golden_vector(spec, dim)).collect::<Result<_, _>>()?;
        return Ok(Golden { picture: spec.picture, boxes, vectors });
    }
    check(count.contains(&boxes.len()), "golden.boxes", || "must be 1 to 100".into())?;
    check(spec.vectors.is_empty(), "golden.vectors", || "belong to an `embedding` head only".into())?;
    Ok(Golden { picture: spec.picture, boxes, vectors: Vec::new() })
}

fn golden_box(spec: &spec::GoldenBox, classes: &[Class]) -> Result<GoldenBox, ModelRefused> {
    let class = classes.iter().position(|class| class.name == spec.class);
    let class = class.ok_or_else(|| bad("golden.boxes.class", format!("`{}` is not in `classes`", spec.class)))?;
    check(is_box(spec.bbox), "golden.boxes.bbox", || "must be left, top, width and height in pixels".into())?;
    check((0.0..=1.0).contains(&spec.score), "golden.boxes.score", || "must be 0 to 1".into())?;
    Ok(GoldenBox { class: class as u16, bbox: spec.bbox, score: spec.score })
}

fn golden_vector(spec: spec::GoldenVector, dim: usize) -> Result<GoldenVector, ModelRefused> {
    check(is_box(spec.bbox), "golden.vectors.bbox", || "must be left, top, width and height in pixels".into())?;
    let valid = (1..=dim).contains(&spec.starts.len()) && spec.starts.iter().all(|v| (-1.0..=1.0).contains(v));
    check(valid, "golden.vectors.starts", || format!("must be 1 to {dim} numbers, each -1 to 1"))?;
    Ok(GoldenVector { bbox: spec.bbox, starts: spec.starts })
}

fn is_box([x, y, w, h]: [f32; 4]) -> bool {
    [x, y, w, h].iter().all(|v| v.is_finite() && v.abs() < 1e5) && w > 0.0 && h > 0.0
}
