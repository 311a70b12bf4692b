//! Second stages: parts of a frame through a network, several at a time.

use std::{path::PathBuf, time::Instant};

use image::RgbImage;
use protocol::{BoundingBox, ClassTable, Detection, InferenceHealth};

use crate::{
    Frame, InferenceError, Manifest, ModelRefused, Runtime,
    execution::Execution,
    golden, heads,
    manifest::CropSpec,
    meter::Meter,
    network::Network,
    preprocess::{Letterbox, Region},
};

impl CropSpec {
    /// Which of a first stage's `detections` on a picture of `size` are worth a look, strongest first: those of the
    /// wanted classes whose shorter side has enough pixels, and no more than the limit.
    pub fn pick(&self, classes: &ClassTable, size: (u32, u32), detections: &[Detection]) -> Vec<usize> {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let wanted = |&at: &usize| {
            let Detection { class, bbox, .. } = &detections[at];
            let shorter = (bbox.w * width).min(bbox.h * height);
            shorter >= self.min_px as f32 && self.of.iter().any(|name| name == classes.name(*class))
        };
        let mut picked: Vec<usize> = (0..detections.len()).filter(wanted).collect();
        picked.sort_by(|a, b| detections[*b].score.total_cmp(&detections[*a].score));
        picked.truncate(self.max_per_frame);
        picked
    }

    /// The part of a picture of `size` that is shown to the network for `bbox`; `None` when nothing of it is there.
    fn region(&self, bbox: &BoundingBox, size: (u32, u32)) -> Option<Region> {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let side = |start: f32, length: f32, limit: f64| {
            let (start, length) = (f64::from(start) * limit, f64::from(length) * limit);
            let margin = length * f64::from(self.margin);
            let (first, last) = ((start - margin).clamp(0.0, limit), (start + length + margin).clamp(0.0, limit));
            // Less than a pixel shows nothing. A NaN ends here too.
            (last - first >= 1.0).then_some((first, last - first))
        };
        let ((x, width), (y, height)) = (side(bbox.x, bbox.w, width)?, side(bbox.y, bbox.h, height)?);
        Some(Region { x, y, width, height })
    }
}

/// What classifiers and embedders share: one output, a vector per crop.
pub(crate) struct Crops {
    pub(crate) manifest: Manifest,
    spec: CropSpec,
    network: Network,
    letterbox: Letterbox,
    execution: Execution,
    meter: Meter,
}

impl Crops {
    pub(crate) fn load(
        runtime: &Runtime,
        manifest: Manifest,
        (path, model): (PathBuf, &[u8]),
        execution: &Execution,
    ) -> Result<Self, ModelRefused> {
        let spec = manifest.crop.clone();
        let wrong = || ModelRefused::WrongKind { head: manifest.head.name(), wanted: "a second stage" };
        let spec = spec.ok_or_else(wrong)?;
        let network = Network::load(runtime, &path, model, &manifest, heads::wanted(&manifest), execution)?;
        Ok(Self {
            spec,
            network,
            letterbox: Letterbox::new(&manifest.input),
            execution: execution.clone(),
            meter: Meter::default(),
            manifest,
        })
    }

    pub(crate) fn spec(&self) -> &CropSpec {
        &self.spec
    }

    pub(crate) fn health(&self) -> InferenceHealth {
        self.meter.health(&self.manifest.model, &self.execution)
    }

    /// Runs the network alone on whatever its input holds.
    pub(crate) fn run_network(&mut self) -> Result<(), InferenceError> {
        self.network.run(1, |_| ())
    }

    /// Runs `boxes` of `frame` and hands the numbers of each that has pixels, with its place, to `read`; the slots
    /// of the others in `out` are left empty.
    pub(crate) fn run(
        &mut self,
        frame: &Frame<'_>,
        boxes: &[BoundingBox],
        out: &mut Vec<Vec<f32>>,
        finish: impl Fn(&mut Vec<f32>) -> Result<(), InferenceError>,
    ) -> Result<(), InferenceError> {
        frame.check()?;
        out.resize_with(boxes.len(), Vec::new);
        out.iter_mut().for_each(Vec::clear);
        let mut slots = Vec::with_capacity(self.network.max_batch());
        let mut started = Instant::now();
        for (at, bbox) in boxes.iter().enumerate() {
            if let Some(region) = self.spec.region(bbox, frame.size()) {
                self.letterbox.fill_region(frame, region, self.network.slot(slots.len()))?;
                slots.push(at);
            }
            if slots.len() == self.network.max_batch() || (at + 1 == boxes.len() && !slots.is_empty()) {
                self.network.run(slots.len(), |outputs| {
                    slots.iter().enumerate().try_for_each(|(slot, &at)| {
                        out[at].extend(outputs.vector(0, slot));
                        finish(&mut out[at])
                    })
                })??;
                self.meter.add(slots.len(), started.elapsed());
                started = Instant::now();
                slots.clear();
            }
        }
        Ok(())
    }

    /// Looks at parts of the golden picture.
    pub(crate) fn prove(
        &mut self,
        picture: &RgbImage,
        parts: &[[f32; 4]],
        finish: impl Fn(&mut Vec<f32>) -> Result<(), InferenceError>,
    ) -> Result<Vec<Vec<f32>>, ModelRefused> {
        let (width, height) = picture.dimensions();
        let frame = Frame::Rgb { width, height, data: picture.as_raw(), stride: width as usize * 3 };
        let boxes: Vec<_> = parts.iter().map(|part| golden::normalised(*part, (width, height))).collect();
        let mut out = Vec::new();
        self.run(&frame, &boxes, &mut out, finish)?;
        self.meter = Meter::default();
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use protocol::ClassId;

    use super::*;

    fn spec() -> CropSpec {
        CropSpec { of: vec!["truck".into(), "car".into()], margin: 0.1, min_px: 24, max_per_frame: 2 }
    }

    #[test]
    fn the_strongest_of_the_wanted_classes_are_picked() {
        let classes = ClassTable::new(["person", "car", "truck"]);
        let detection =
            |class, score, w, h| Detection { class: ClassId(class), score, bbox: BoundingBox::new(0.1, 0.1, w, h) };
        let detections = [
            detection(1, 0.5, 0.3, 0.3),
            detection(0, 0.9, 0.3, 0.3),
            detection(2, 0.8, 0.3, 0.02),
            detection(2, 0.7, 0.3, 0.3),
            detection(1, 0.6, 0.3, 0.3),
        ];
        assert_eq!(spec().pick(&classes, (640, 360), &detections), [3, 4]);
        assert!(spec().pick(&ClassTable::new(["person"]), (640, 360), &detections).is_empty());
    }

    #[test]
    fn regions_have_their_margin_and_end_at_the_picture() {
        let region = |x, y, w, h| spec().region(&BoundingBox::new(x, y, w, h), (200, 100));
        let inside = region(0.25, 0.2, 0.5, 0.5).unwrap();
        assert!((inside.x - 40.0).abs() < 1e-3 && (inside.width - 120.0).abs() < 1e-3, "{inside:?}");
        assert!((inside.y - 15.0).abs() < 1e-3 && (inside.height - 60.0).abs() < 1e-3, "{inside:?}");
        let corner = region(-0.5, -0.5, 2.0, 2.0).unwrap();
        assert_eq!(corner, Region { x: 0.0, y: 0.0, width: 200.0, height: 100.0 });
        for nothing in [
            region(1.5, 0.0, 0.5, 0.5),
            region(0.5, 0.5, 0.001, 0.5),
            region(0.5, 0.5, -0.5, 0.5),
            region(f32::NAN, 0.0, 0.5, 0.5),
            region(0.0, 0.0, f32::INFINITY, f32::NAN),
        ] {
            assert_eq!(nothing, None);
        }
    }
}
