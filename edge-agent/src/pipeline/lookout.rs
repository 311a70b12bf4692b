//! Runs on every picture the models that are due, and makes one list of what they saw.

use std::{cell::RefCell, fmt, sync::Arc};

use analytics::Appearance;
use inference::{Frame, InferenceError};
use protocol::{BoundingBox, ClassId, ClassTable, Detection, InferenceHealth, ModelRef};

use super::{
    models::{Classify, Embed, Models},
    plan::Due,
    sight::Sight,
};

/// Boxes of the first stage below this score are not worth a second look.
const WORTH_A_CROP: f32 = 0.25;

/// What was seen on one picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// In classes of the common table.
    pub(crate) detections: Vec<Detection>,
    /// The classes that were looked for.
    pub(crate) looked: Vec<ClassId>,
}

/// A model that could not be run.
#[derive(Debug, thiserror::Error)]
#[error("{} {} cannot be run and what it looks for is not seen: {reason}", model.name, model.version)]
pub(crate) struct Failed {
    /// Its place among the models.
    pub(crate) place: usize,
    pub(crate) model: ModelRef,
    pub(crate) reason: InferenceError,
}

/// All models at work.
pub(crate) struct Lookout {
    models: Models,
    embedder: Option<RefCell<Box<dyn Embed>>>,
    sight: Arc<Sight>,
    found: Vec<Vec<Detection>>,
    scores: Vec<Vec<f32>>,
}

impl Lookout {
    pub(crate) fn new(mut models: Models) -> Self {
        let sight = Arc::new(Sight::of(&models));
        let embedder = models.embedder.take().map(RefCell::new);
        Self { models, embedder, sight, found: Vec::new(), scores: Vec::new() }
    }

    /// What the models can see.
    pub(crate) fn sight(&self) -> &Arc<Sight> {
        &self.sight
    }

    /// How they run.
    pub(crate) fn health(&self) -> InferenceHealth {
        self.models.health()
    }

    /// Looks at pictures, each with what is due on it; as many places in `out`. A model that cannot be run takes
    /// its classes out of what was looked for, and the others go on.
    pub(crate) fn look(&mut self, pictures: &[(Frame<'_>, &Due)], out: &mut Vec<Seen>) -> Vec<Failed> {
        out.resize_with(pictures.len(), Seen::default);
        for (seen, (_, due)) in out.iter_mut().zip(pictures) {
            seen.detections.clear();
            seen.looked.clone_from(&due.looked);
        }
        let mut failed = Vec::new();
        for model in 0..self.models.detectors.len() {
            let batch: Vec<usize> = (0..pictures.len()).filter(|&i| pictures[i].1.models.contains(model)).collect();
            if !batch.is_empty()
                && let Err(reason) = self.detect(model, &batch, pictures, out)
            {
                failed.extend(self.give_up(model, &batch, out, reason));
            }
        }
        for place in 0..self.models.classifiers.len() {
            let model = self.models.detectors.len() + place;
            for index in (0..pictures.len()).filter(|&i| pictures[i].1.models.contains(model)) {
                let classifier = &mut *self.models.classifiers[place];
                let (frame, seen) = (&pictures[index].0, &mut out[index]);
                if let Err(reason) = refine(classifier, model, &self.sight, frame, seen, &mut self.scores) {
                    failed.extend(self.give_up(model, &[index], out, reason));
                }
            }
        }
        failed
    }

    /// Says what things in a picture look like, when there is an embedder.
    pub(crate) fn looks<'a>(&'a self, frame: Frame<'a>) -> Option<Looks<'a>> {
        self.embedder.as_ref().map(|embedder| Looks { frame, embedder })
    }

    fn detect(
        &mut self,
        model: usize,
        batch: &[usize],
        pictures: &[(Frame<'_>, &Due)],
        out: &mut [Seen],
    ) -> Result<(), InferenceError> {
        let frames: Vec<Frame<'_>> = batch.iter().map(|&i| pictures[i].0).collect();
        if self.found.len() < frames.len() {
            self.found.resize_with(frames.len(), Vec::new);
        }
        self.models.detectors[model].detect(&frames, &mut self.found[..frames.len()])?;
        for (&index, found) in batch.iter().zip(&self.found) {
            let own = found.iter().filter_map(|d| {
                let class = self.sight.common(model, d.class)?;
                self.sight.is_owner(model, class).then_some(Detection { class, ..*d })
            });
            out[index].detections.extend(own);
        }
        Ok(())
    }

    fn give_up(&self, model: usize, batch: &[usize], out: &mut [Seen], reason: InferenceError) -> Option<Failed> {
        for &index in batch {
            out[index].looked.retain(|class| !self.sight.is_owner(model, *class));
        }
        Some(Failed { place: model, model: self.sight.model(model)?.clone(), reason })
    }
}

/// Takes a second look at the boxes that `classifier` knows something about.
///
/// For a vehicle its word replaces the class, for anything else it is added with the same box; both only when its
/// best score counts and says something else than `other_…`.
fn refine(
    classifier: &mut dyn Classify,
    model: usize,
    sight: &Sight,
    frame: &Frame<'_>,
    seen: &mut Seen,
    scores: &mut Vec<Vec<f32>>,
) -> Result<(), InferenceError> {
    let mut crops = classifier.crops().pick(sight.classes(), frame.size(), &seen.detections);
    crops.retain(|&i| seen.detections[i].score >= WORTH_A_CROP);
    if crops.is_empty() {
        return Ok(());
    }
    let boxes: Vec<BoundingBox> = crops.iter().map(|&i| seen.detections[i].bbox).collect();
    scores.clear();
    classifier.classify(frame, &boxes, scores)?;
    for (&index, scores) in crops.iter().zip(scores.iter()) {
        let Some((best, &score)) = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) else { continue };
        let counts = classifier.thresholds().get(best).is_none_or(|threshold| score >= *threshold);
        let Some(class) = sight.common(model, ClassId(best as u16)).filter(|_| counts) else { continue };
        let first = &mut seen.detections[index];
        if ClassTable::VEHICLES.contains(&sight.classes().name(first.class)) {
            first.class = class;
        } else {
            let bbox = first.bbox;
            seen.detections.push(Detection { class, score, bbox });
        }
    }
    Ok(())
}

/// What things in one picture look like.
pub(crate) struct Looks<'a> {
    frame: Frame<'a>,
    embedder: &'a RefCell<Box<dyn Embed>>,
}

impl Appearance for Looks<'_> {
    fn embedding(&self, bbox: &BoundingBox) -> Option<Vec<f32>> {
        self.embedder
            .try_borrow_mut()
            .ok()?
            .embed(&self.frame, std::slice::from_ref(bbox))
            .ok()?
            .pop()
            .filter(|v| !v.is_empty())
    }
}

impl fmt::Debug for Looks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Looks({:?})", self.frame.size())
    }
}

#[cfg(test)]
mod tests {
    use inference::CropSpec;
    use protocol::Algorithm;

    use super::*;
    use crate::pipeline::{models::Detect, picture::tests::plain};

    /// Sees the same in every picture.
    struct Fixed(ClassTable, Vec<Detection>, bool);

    impl Detect for Fixed {
        fn classes(&self) -> &ClassTable {
            &self.0
        }

        fn model(&self) -> ModelRef {
            ModelRef { name: format!("sees {}", self.0.name(ClassId(0))), version: "1".into() }
        }

        fn health(&self) -> InferenceHealth {
            InferenceHealth { model: self.model().name, fps: 2.0, latency_ms: 10.0, ..InferenceHealth::default() }
        }

        fn detect(&mut self, _: &[Frame<'_>], out: &mut [Vec<Detection>]) -> Result<(), InferenceError> {
            if self.2 {
                return Err(InferenceError::BadFrame("as the test wants".into()));
            }
            for out in out {
                out.clone_from(&self.1);
            }
            Ok(())
        }
    }

    /// Gives every crop the same scores.
    struct Says(ClassTable, CropSpec, Vec<f32>);

    impl Classify for Says {
        fn classes(&self) -> &ClassTable {
            &self.0
        }

        fn thresholds(&self) -> &[f32] {
            &[0.5, 0.5]
        }

        fn crops(&self) -> &CropSpec {
            &self.1
        }

        fn model(&self) -> ModelRef {
            ModelRef { name: "second".into(), version: "1".into() }
        }

        fn health(&self) -> InferenceHealth {
            InferenceHealth::default()
        }

        fn classify(
            &mut self,
            _: &Frame<'_>,
            boxes: &[BoundingBox],
            out: &mut Vec<Vec<f32>>,
        ) -> Result<(), InferenceError> {
            out.extend(boxes.iter().map(|_| self.2.clone()));
            Ok(())
        }
    }

    fn detection(class: u16, score: f32, x: f32) -> Detection {
        Detection { class: ClassId(class), score, bbox: BoundingBox::new(x, 0.2, 0.1, 0.3) }
    }

    fn detector(names: &[&str], sees: Vec<Detection>, fails: bool) -> Box<dyn Detect> {
        Box::new(Fixed(ClassTable::new(names.iter().copied()), sees, fails))
    }

    fn classifier(of: &str, classes: [&str; 2], scores: [f32; 2]) -> Box<dyn Classify> {
        let crops = CropSpec { of: vec![of.into()], margin: 0.1, min_px: 24, max_per_frame: 2 };
        Box::new(Says(ClassTable::new(classes), crops, scores.to_vec()))
    }

    /// What is seen by `models` when `algorithms` are due, as class names with scores, and what failed.
    fn look(models: Models, algorithms: &[Algorithm]) -> (Vec<(String, f32)>, Seen, usize) {
        let mut lookout = Lookout::new(models);
        let sight = Arc::clone(lookout.sight());
        let mut due = Due::default();
        for algorithm in algorithms {
            let wanted = sight.wanted(*algorithm);
            due.models = due.models.union(sight.models_for(&wanted));
            due.looked.extend(wanted);
        }
        let picture = plain(100, protocol::Timestamp::from_secs(0), (320, 180));
        let mut out = Vec::new();
        let failed = lookout.look(&[(picture.frame(), &due)], &mut out).len();
        let seen = out.remove(0);
        let names = seen.detections.iter().map(|d| (sight.classes().name(d.class).to_owned(), d.score));
        (names.collect(), seen, failed)
    }

    #[test]
    fn only_what_is_due_runs_and_each_class_has_one_source() {
        let models = || Models {
            detectors: vec![
                detector(&["person"], vec![detection(0, 0.8, 0.1)], false),
                detector(&["fire", "person"], vec![detection(0, 0.7, 0.4), detection(1, 0.9, 0.1)], false),
            ],
            ..Models::default()
        };
        let names = |algorithms: &[Algorithm]| look(models(), algorithms).0;
        assert_eq!(names(&[Algorithm::Intrusion]), [("person".to_owned(), 0.8)]);
        assert_eq!(names(&[Algorithm::PictureQuality]), []);
        let both = [("person".to_owned(), 0.8), ("fire".to_owned(), 0.7)];
        let smoke = Models {
            detectors: vec![
                detector(&["person"], vec![detection(0, 0.8, 0.1)], false),
                detector(&["fire", "smoke"], vec![detection(0, 0.7, 0.4)], false),
            ],
            ..Models::default()
        };
        assert_eq!(look(smoke, &[Algorithm::Intrusion, Algorithm::FireSmoke]).0, both);
        let health = models().health();
        assert_eq!((health.model.as_str(), health.fps, health.latency_ms), ("sees person, sees fire", 4.0, 10.0));
    }

    #[test]
    fn a_second_look_adds_for_persons_and_replaces_for_vehicles() {
        let models = |scores| Models {
            detectors: vec![detector(
                &["person", "truck"],
                (0..4)
                    .map(|i| detection(0, 0.5 + 0.1 * i as f32, 0.2 * i as f32))
                    .chain([detection(1, 0.6, 0.3)])
                    .collect(),
                false,
            )],
            classifiers: vec![
                classifier("person", ["life_jacket", "no_life_jacket"], scores),
                classifier("truck", ["fire_truck", "other_vehicle_kind"], scores),
            ],
            ..Models::default()
        };
        let count = |scores, algorithm, class: &str| {
            look(models(scores), &[algorithm]).0.iter().filter(|(name, _)| name == class).count()
        };
        assert_eq!(count([0.1, 0.9], Algorithm::NoLifeJacket, "no_life_jacket"), 2, "no more crops than allowed");
        assert_eq!(count([0.1, 0.9], Algorithm::NoLifeJacket, "person"), 4);
        assert_eq!(count([0.4, 0.45], Algorithm::NoLifeJacket, "no_life_jacket"), 0, "too unsure");
        assert_eq!(count([0.9, 0.1], Algorithm::SpecialVehicle, "fire_truck"), 1);
        assert_eq!(count([0.9, 0.1], Algorithm::SpecialVehicle, "truck"), 0);
        assert_eq!(count([0.1, 0.9], Algorithm::SpecialVehicle, "truck"), 1, "none of those");
        assert_eq!(count([0.9, 0.1], Algorithm::Intrusion, "life_jacket"), 0, "nobody asked");
    }

    #[test]
    fn a_model_that_fails_takes_only_its_own_classes_along() {
        let models = Models {
            detectors: vec![
                detector(&["person"], vec![detection(0, 0.8, 0.1)], false),
                detector(&["fire", "smoke"], vec![], true),
            ],
            ..Models::default()
        };
        let (names, seen, failed) = look(models, &[Algorithm::Intrusion, Algorithm::FireSmoke]);
        assert_eq!((names.len(), failed), (1, 1));
        assert_eq!(seen.looked, [ClassId(0)]);
    }
}
