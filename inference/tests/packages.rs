//! Folders of packages: second stages, packages of the wrong kind, and bad ones beside good ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{fs, path::Path};

use inference::{Classifier, Detector, Embedder, Frame, InferenceError, Loaded, ModelRefused, models};
use protocol::BoundingBox;

/// Copies a case of the conformance test as the package `name` into `into`.
fn place(case: &str, into: &Path, name: &str) {
    let (from, dir) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance"), into.join(name));
    fs::create_dir(&dir).unwrap();
    fs::copy(from.join(format!("{case}.onnx")), dir.join(format!("{case}.onnx"))).unwrap();
    fs::copy(from.join("picture.png"), dir.join("picture.png")).unwrap();
    fs::copy(from.join(format!("{case}.toml")), dir.join("manifest.toml")).unwrap();
}

fn edit(package: &Path, from: &str, to: &str) {
    let path = package.join("manifest.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "`{from}` is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_bad_package_never_keeps_the_others_out() {
    let dir = tempfile::tempdir().unwrap();
    for (case, name) in [
        ("made-yolox", "a-detector"),
        ("made-yolov8", "b-damaged"),
        ("made-classifier", "c-classifier"),
        ("made-embedding", "d-embedder"),
        ("made-yolox", "e-of-the-same-name"),
        ("made-gfl", "f-newer"),
    ] {
        place(case, dir.path(), name);
    }
    fs::write(dir.path().join("b-damaged/made-yolov8.onnx"), "no network").unwrap();
    edit(&dir.path().join("f-newer"), "schema = 1", "schema = 2");
    fs::create_dir(dir.path().join("no-package")).unwrap();
    fs::write(dir.path().join("README.md"), "not a package").unwrap();

    let (loaded, refused) = models::load_all(&support::runtime(), dir.path(), &support::one_thread());
    let names: Vec<_> = loaded.iter().map(|model| model.model().name).collect();
    assert_eq!(names, ["made-yolox", "made-classifier", "made-embedding"]);
    assert!(matches!(loaded.as_slice(), [Loaded::Detector(_), Loaded::Classifier(_), Loaded::Embedder(_)]));
    let folder = |at: usize| refused[at].0.file_name().unwrap().to_str().unwrap();
    assert_eq!([folder(0), folder(1), folder(2)], ["b-damaged", "e-of-the-same-name", "f-newer"]);
    assert!(matches!(refused[0].1, ModelRefused::WrongHash { .. }));
    assert!(matches!(refused[1].1, ModelRefused::SameName(_)));
    assert!(matches!(refused[2].1, ModelRefused::Schema(2)));
}

#[test]
fn a_folder_that_is_a_package_and_one_that_holds_none() {
    let (runtime, options) = (support::runtime(), support::one_thread());
    let (loaded, refused) = models::load_all(&runtime, &support::site_ppe(), &options);
    assert!(refused.is_empty() && loaded.len() == 1, "{refused:?}");
    let empty = tempfile::tempdir().unwrap();
    let (loaded, refused) = models::load_all(&runtime, empty.path(), &options);
    assert!(loaded.is_empty() && matches!(refused.as_slice(), [(_, ModelRefused::NoPackage(_))]), "{refused:?}");
    let (_, refused) = models::load_all(&runtime, &empty.path().join("nowhere"), &options);
    assert!(matches!(refused.as_slice(), [(_, ModelRefused::Unreadable { .. })]), "{refused:?}");
}

#[test]
fn packages_are_loaded_as_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for (case, name) in [("made-yolox", "detector"), ("made-classifier", "classifier"), ("made-embedding", "embedder")]
    {
        place(case, dir.path(), name);
    }
    let (runtime, options) = (support::runtime(), support::one_thread());
    let path = |name: &str| dir.path().join(name);
    let wrong = |refusal: Option<ModelRefused>| matches!(refusal, Some(ModelRefused::WrongKind { .. }));
    assert!(wrong(Detector::load(&runtime, &path("classifier"), &options).err()));
    assert!(wrong(Detector::load(&runtime, &path("embedder"), &options).err()));
    assert!(wrong(Classifier::load(&runtime, &path("detector"), &options).err()));
    assert!(wrong(Classifier::load(&runtime, &path("embedder"), &options).err()));
    assert!(wrong(Embedder::load(&runtime, &path("classifier"), &options).err()));
}

#[test]
fn second_stages_prove_themselves_too() {
    for (case, from, to) in
        [("made-classifier", "class = \"", "class = \"car\" # "), ("made-embedding", "starts = [", "starts = [0.9, ")]
    {
        let dir = tempfile::tempdir().unwrap();
        place(case, dir.path(), "package");
        edit(&dir.path().join("package"), from, to);
        let (_, refused) = models::load_all(&support::runtime(), dir.path(), &support::one_thread());
        assert!(matches!(refused.as_slice(), [(_, ModelRefused::GoldenMismatch { .. })]), "{case}: {refused:?}");
    }
}

#[test]
fn other_shapes_are_refused() {
    for (case, from, to) in [
        (
            "made-classifier",
            "[[classes]]",
            "[[classes]]\nname = \"bus\"\nzh = \"bus\"\nen = \"bus\"\nthreshold = 0.5\n\n[[classes]]",
        ),
        (
            "made-yolov8",
            "[[classes]]",
            "[[classes]]\nname = \"bus\"\nzh = \"bus\"\nen = \"bus\"\nthreshold = 0.5\n\n[[classes]]",
        ),
        ("made-gfl", "reg_max = 7", "reg_max = 6"),
        ("made-embedding", "dim = 16", "dim = 15"),
        ("made-embedding", "\"nhwc\"", "\"nchw\""),
        ("made-detr-decided", "labels = \"labels\"", "labels = \"scores\""),
        ("made-detr-decided", "size_name = \"orig_target_sizes\"", ""),
        ("made-detr-decided", "size_name = \"orig_target_sizes\"", "size_name = \"other\""),
        ("made-detr-logits", "logits = \"logits\"", "logits = \"numbers\""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        place(case, dir.path(), "package");
        edit(&dir.path().join("package"), from, to);
        // One golden vector is longer than the shortened one may be: that is a refusal as well.
        let refusal = Loaded::load(&support::runtime(), &dir.path().join("package"), &support::one_thread());
        let refusal = refusal.expect_err(to);
        let named = matches!(
            refusal,
            ModelRefused::ClassCount { .. }
                | ModelRefused::OutputShape { .. }
                | ModelRefused::InputShape { .. }
                | ModelRefused::InputName { .. }
                | ModelRefused::OutputName { .. }
                | ModelRefused::OutputType { .. }
        );
        assert!(named, "{case} with `{to}`: {refusal}");
    }
}

#[test]
fn crops_outside_of_the_picture_stay_empty() {
    let dir = tempfile::tempdir().unwrap();
    place("made-classifier", dir.path(), "package");
    let (runtime, options) = (support::runtime(), support::one_thread());
    let mut classifier = Classifier::load(&runtime, &dir.path().join("package"), &options).unwrap();
    assert_eq!(classifier.crop().of, ["person"]);
    let picture = support::golden_picture();
    let inside = BoundingBox::new(0.2, 0.3, 0.1, 0.2);
    let mut boxes = vec![inside; 11];
    boxes[4] = BoundingBox::new(1.5, 0.3, 0.1, 0.2);
    boxes[10] = BoundingBox::new(0.2, 0.3, f32::NAN, 0.2);
    let mut out = vec![vec![1.0]; 20];
    classifier.classify(&support::rgb(&picture), &boxes, &mut out).unwrap();
    assert_eq!(out.len(), boxes.len());
    for (at, scores) in out.iter().enumerate() {
        assert_eq!(scores.len(), if at == 4 || at == 10 { 0 } else { 3 }, "box {at}");
        assert!(scores.is_empty() || (scores.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
    classifier.classify(&support::rgb(&picture), &[], &mut out).unwrap();
    assert!(out.is_empty());
    let short = Frame::Rgb { width: 640, height: 480, data: &[0; 100], stride: 1920 };
    assert!(matches!(classifier.classify(&short, &boxes, &mut out), Err(InferenceError::BadFrame(_))));
    assert!(classifier.health().fps > 0.0);
}
