//! What several models see together.

use inference::{CropSpec, Frame, InferenceError};
use protocol::{BoundingBox, Detection, InferenceHealth, Timestamp};

use super::*;
use crate::pipeline::models::{Classify, Detect};

struct Named(&'static str, ClassTable);

impl Detect for Named {
    fn classes(&self) -> &ClassTable {
        &self.1
    }

    fn model(&self) -> ModelRef {
        ModelRef { name: self.0.into(), version: "1".into() }
    }

    fn health(&self) -> InferenceHealth {
        InferenceHealth::default()
    }

    fn detect(&mut self, _: &[Frame<'_>], _: &mut [Vec<Detection>]) -> Result<(), InferenceError> {
        Ok(())
    }
}

struct Second(ClassTable, CropSpec);

impl Classify for Second {
    fn classes(&self) -> &ClassTable {
        &self.0
    }

    fn thresholds(&self) -> &[f32] {
        &[]
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

    fn classify(&mut self, _: &Frame<'_>, _: &[BoundingBox], _: &mut Vec<Vec<f32>>) -> Result<(), InferenceError> {
        Ok(())
    }
}

const NAMES: [&str; 3] = ["first", "next", "last"];

fn models(classes: &[&[&str]]) -> Models {
    let detector = |(i, names): (usize, &&[&str])| {
        Box::new(Named(NAMES[i], ClassTable::new(names.iter().copied()))) as Box<dyn Detect>
    };
    Models { detectors: classes.iter().enumerate().map(detector).collect(), ..Models::default() }
}

pub(in crate::pipeline) fn sight_of(classes: &[&[&str]]) -> Sight {
    Sight::of(&models(classes))
}

fn second(of: &str, classes: &[&str]) -> Box<dyn Classify> {
    Box::new(Second(
        ClassTable::new(classes.iter().copied()),
        CropSpec { of: vec![of.into()], margin: 0.1, min_px: 0, max_per_frame: 8 },
    ))
}

#[test]
fn tables_are_united_and_the_first_model_answers() {
    let sight = sight_of(&[&["person", "head"], &["fire", "person"]]);
    assert_eq!(sight.classes().names(), ["person", "head", "fire"]);
    assert_eq!(sight.common(1, ClassId(1)), Some(ClassId(0)));
    assert!(sight.is_owner(0, ClassId(0)) && !sight.is_owner(1, ClassId(0)) && sight.is_owner(1, ClassId(2)));
    let fire = sight.models_for(&sight.wanted(Algorithm::FireSmoke));
    assert!(fire.contains(1) && !fire.contains(0));
}

#[test]
fn a_second_stage_brings_its_first_stage_along() {
    let mut models = models(&[&["person"], &["truck"]]);
    models.classifiers.push(second("person", &["life_jacket", "no_life_jacket", "other_wear"]));
    models.classifiers.push(second("boat", &["ferry"]));
    let sight = Sight::of(&models);
    assert_eq!(sight.classes().names(), ["person", "truck", "life_jacket", "no_life_jacket"], "no boats, no ferries");
    assert_eq!(sight.lacking(Algorithm::NoLifeJacket), None);
    let jackets = sight.models_for(&sight.wanted(Algorithm::NoLifeJacket));
    assert!(jackets.contains(0) && !jackets.contains(1) && jackets.contains(2) && !jackets.contains(3));
    let intrusion = sight.models_for(&sight.wanted(Algorithm::Intrusion));
    assert!(!intrusion.contains(2), "nobody asks for jackets");
}

#[test]
fn what_the_models_lack_is_said() {
    let sight = sight_of(&[&["person", "helmet", "head"]]);
    assert_eq!(sight.lacking(Algorithm::NoHelmet), None);
    assert_eq!(sight.lacking(Algorithm::PictureQuality), None);
    assert_eq!(
        sight_of(&[&["person"]]).lacking(Algorithm::NoHelmet).as_deref(),
        Some("the model first 1 does not know the class `helmet`, which 未戴安全帽 needs")
    );
    let several = sight_of(&[&["person"], &["fire"]]).lacking(Algorithm::NoHelmet).unwrap();
    assert!(several.starts_with("the models first 1, next 1 do not know"), "{several}");
    assert_eq!(
        Sight::of(&Models::none("the file is damaged")).lacking(Algorithm::Crowd).as_deref(),
        Some("no model is loaded on this edge: the file is damaged")
    );
}

#[test]
fn the_event_names_the_model_whose_class_decided() {
    let sight = sight_of(&[&["person"][..], &["helmet", "head"]]);
    let seen = |class: &str, subject| TimedBox {
        at: Timestamp::from_secs(0),
        class: class.into(),
        score: 0.5,
        bbox: BoundingBox::default(),
        track: None,
        subject,
    };
    let check = |algorithm, boxes: &[TimedBox], expect: &str| assert_eq!(sight.decided(algorithm, boxes).name, expect);
    check(Algorithm::NoHelmet, &[seen("person", true), seen("head", true)], "next");
    check(Algorithm::Intrusion, &[seen("person", true), seen("head", false)], "first");
    check(Algorithm::Crowd, &[], "first");
    check(Algorithm::Overhang, &[], "reference-comparison");
    check(Algorithm::PictureQuality, &[], "picture-measures");
}
