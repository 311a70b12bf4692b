//! The golden picture: proof that the whole path, not just the file, does what it did when the model was packed.

use std::{io::Cursor, path::Path};

use image::{ImageReader, Limits, RgbImage};
use protocol::{BoundingBox, Detection};

use crate::{Manifest, ModelRefused, runtime::guarded};

/// How well a box must lie on its golden box.
const MIN_IOU: f32 = 0.9;
/// How far a score may be from its golden score; another JPEG decoder or thread count moves it by far less.
const MAX_SCORE_ERROR: f32 = 0.05;
/// How far a value of a vector of length one may be from its golden value.
const MAX_VECTOR_ERROR: f32 = 0.02;
/// The largest side of a golden picture.
const MAX_SIDE: u32 = 8192;

/// Decodes the golden picture, `bytes` of the file at `path`.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<RgbImage, ModelRefused> {
    // Guarded: a decoder must not take the edge down over a damaged picture.
    guarded(|| decode_guarded(bytes).map_err(|e| e.to_string()))
        .map_err(|reason| ModelRefused::GoldenPicture { path: path.to_owned(), reason })
}

fn decode_guarded(bytes: &[u8]) -> image::ImageResult<RgbImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    Ok(reader.decode()?.into_rgb8())
}

/// A box in pixels of a picture of `size`, as shares of it.
pub(crate) fn normalised([left, top, width, height]: [f32; 4], size: (u32, u32)) -> BoundingBox {
    let (w, h) = (size.0 as f32, size.1 as f32);
    BoundingBox::new(left / w, top / h, width / w, height / h)
}

/// Checks that the scores of each golden box, `found`, have its class at the score it had.
pub(crate) fn check_scores(manifest: &Manifest, found: &[Vec<f32>]) -> Result<(), ModelRefused> {
    for (golden, scores) in manifest.golden.boxes.iter().zip(found) {
        let class = &manifest.classes[usize::from(golden.class)].name;
        let found = scores.get(usize::from(golden.class)).copied();
        if found.is_some_and(|score| (score - golden.score).abs() <= MAX_SCORE_ERROR) {
            continue;
        }
        let [left, top, ..] = golden.bbox;
        return Err(ModelRefused::GoldenMismatch {
            expected: format!("{class} at {left:.0},{top:.0} with score {:.3}", golden.score),
            found: found.map_or_else(|| "that part is outside of it".into(), |score| format!("found score {score:.3}")),
        });
    }
    Ok(())
}

/// Checks that the vector of each golden part, `found`, starts as it did.
pub(crate) fn check_vectors(manifest: &Manifest, found: &[Vec<f32>]) -> Result<(), ModelRefused> {
    for (golden, vector) in manifest.golden.vectors.iter().zip(found) {
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= MAX_VECTOR_ERROR;
        if vector.len() >= golden.starts.len() && vector.iter().zip(&golden.starts).all(close) {
            continue;
        }
        let [left, top, ..] = golden.bbox;
        return Err(ModelRefused::GoldenMismatch {
            expected: format!("a vector at {left:.0},{top:.0} that starts with {:?}", golden.starts),
            found: format!("found {:?}", &vector[..golden.starts.len().min(vector.len())]),
        });
    }
    Ok(())
}

/// Checks that every golden box is among `found`.
pub(crate) fn check(manifest: &Manifest, size: (u32, u32), found: &[Detection]) -> Result<(), ModelRefused> {
    for golden in &manifest.golden.boxes {
        let [left, top, width, height] = golden.bbox;
        let expected = normalised(golden.bbox, size);
        let best = found
            .iter()
            .filter(|detection| detection.class.0 == golden.class)
            .max_by(|a, b| a.bbox.iou(&expected).total_cmp(&b.bbox.iou(&expected)));
        let fits = |detection: &Detection| {
            detection.bbox.iou(&expected) >= MIN_IOU && (detection.score - golden.score).abs() <= MAX_SCORE_ERROR
        };
        if best.is_some_and(fits) {
            continue;
        }
        let class = &manifest.classes[usize::from(golden.class)].name;
        let found = best.filter(|best| best.bbox.iou(&expected) > 0.0).map_or_else(
            || "found none there".into(),
            |best| {
                let (iou, score) = (best.bbox.iou(&expected), best.score);
                format!("found one that overlaps by {iou:.2} with score {score:.3}")
            },
        );
        return Err(ModelRefused::GoldenMismatch {
            expected: format!("{class} at {left:.0},{top:.0} of {width:.0}×{height:.0} with score {:.3}", golden.score),
            found,
        });
    }
    Ok(())
}
