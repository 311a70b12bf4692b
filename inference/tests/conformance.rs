//! Every head against Python's onnxruntime and OpenCV on the same picture: boxes within half a pixel.
//!
//! `conformance/make.py` has written the networks, the manifests and the numbers. The published networks are not part
//! of this repository; without `../shared/weights` those tests say that they skip.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use image::RgbImage;
use inference::{Detector, Limits, Loaded, models};
use protocol::{BoundingBox, Detection};
use serde::Deserialize;
use support::Nv12;

/// Pixels by which an edge may be off.
const MAX_OFF: f64 = 0.5;
/// How far a score may be off.
const MAX_SCORE_OFF: f64 = 0.01;

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    boxes: Vec<ExpectedBox>,
    #[serde(default)]
    crops: Vec<[f32; 4]>,
    #[serde(default)]
    numbers: Vec<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
struct ExpectedBox {
    class: String,
    bbox: [f64; 4],
    score: f64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn expected(case: &str) -> Expected {
    let text = fs::read_to_string(folder().join("expected.json")).unwrap();
    serde_json::from_str::<BTreeMap<String, Expected>>(&text).unwrap().remove(case).unwrap()
}

fn picture() -> RgbImage {
    image::open(folder().join("picture.png")).unwrap().into_rgb8()
}

/// The package of a case in a folder; `None` when its weights are not here.
fn package(case: &str) -> Option<tempfile::TempDir> {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(folder().join(format!("{case}.toml"))).unwrap();
    let file = text.parse::<toml::Table>().unwrap()["file"]["path"].as_str().unwrap().to_owned();
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/weights");
    let found = [folder(), weights].map(|folder| folder.join(&file)).into_iter().find(|path| path.exists());
    let Some(found) = found else {
        let note = format!("SKIPPED: {case} needs ../shared/weights/{file}\n");
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return None;
    };
    fs::copy(found, dir.path().join(&file)).unwrap();
    fs::copy(folder().join("picture.png"), dir.path().join("picture.png")).unwrap();
    fs::write(dir.path().join("manifest.toml"), text).unwrap();
    Some(dir)
}

fn load(case: &str) -> Option<Loaded> {
    let dir = package(case)?;
    let (mut loaded, refused) = models::load_all(&support::runtime(), dir.path(), &support::one_thread());
    assert!(refused.is_empty(), "{case}: {refused:?}");
    loaded.pop()
}

fn detector(case: &str) -> Option<Detector> {
    load(case).map(|loaded| match loaded {
        Loaded::Detector(detector) => detector,
        other => panic!("{case} is {other:?}"),
    })
}

/// Checks that both lists hold the same boxes from `floor` on.
fn compare(case: &str, detector: &Detector, found: &[Detection], floor: f64) {
    let expected = expected(case).boxes;
    let (width, height) = picture().dimensions();
    let fits = |expected: &ExpectedBox, found: &Detection| {
        let BoundingBox { x, y, w, h } = found.bbox;
        let (left, top) = (f64::from(x * width as f32), f64::from(y * height as f32));
        let (right, bottom) = (left + f64::from(w * width as f32), top + f64::from(h * height as f32));
        let [ex, ey, ew, eh] = expected.bbox;
        let off = [left - ex, top - ey, right - ex - ew, bottom - ey - eh];
        detector.classes().name(found.class) == expected.class
            && (f64::from(found.score) - expected.score).abs() <= MAX_SCORE_OFF
            && off.iter().all(|off| off.abs() <= MAX_OFF)
    };
    let strong = floor + MAX_SCORE_OFF;
    for wanted in expected.iter().filter(|wanted| wanted.score >= strong) {
        assert!(found.iter().any(|found| fits(wanted, found)), "{case}: {wanted:?} is not among {found:#?}");
    }
    for found in found.iter().filter(|found| f64::from(found.score) >= strong) {
        assert!(expected.iter().any(|wanted| fits(wanted, found)), "{case}: {found:?} is not among {expected:#?}");
    }
    assert!(expected.len() >= 4, "{case}: hardly a test");
}

fn check_detector(case: &str, floor: f64) {
    let Some(mut detector) = detector(case) else { return };
    let picture = picture();
    let limits = Limits { min_score: floor as f32, max_per_frame: 300 };
    // Alone, and as the second of a batch of two.
    let mirrored = image::imageops::flip_horizontal(&picture);
    let frames = [support::rgb(&mirrored), support::rgb(&picture)];
    let mut out = [Vec::new(), Vec::new()];
    detector.detect_with(&frames, &limits, &mut out).unwrap();
    compare(case, &detector, &out[1], floor);
    let mut alone = [Vec::new()];
    detector.detect_with(&frames[1..], &limits, &mut alone).unwrap();
    compare(case, &detector, &alone[0], floor);
    assert_eq!(alone[0].len(), out[1].len());
}

fn check_numbers(case: &str, off: f32) {
    let Some(loaded) = load(case) else { return };
    let picture = picture();
    let Expected { crops, numbers, .. } = expected(case);
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let boxes: Vec<_> =
        crops.iter().map(|[x, y, w, h]| BoundingBox::new(x / width, y / height, w / width, h / height)).collect();
    let frame = support::rgb(&picture);
    let found = match loaded {
        Loaded::Classifier(mut classifier) => {
            let mut out = Vec::new();
            classifier.classify(&frame, &boxes, &mut out).unwrap();
            out
        }
        Loaded::Embedder(mut embedder) => {
            assert_eq!(embedder.dim(), numbers[0].len());
            embedder.embed(&frame, &boxes).unwrap()
        }
        Loaded::Detector(detector) => panic!("{case} is {detector:?}"),
    };
    assert_eq!(found.len(), numbers.len());
    for (found, expected) in found.iter().zip(&numbers) {
        let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= off);
        assert!(found.len() == expected.len() && close, "{case}: {found:?} for {expected:?}");
    }
}

#[test]
fn made_detectors() {
    for case in ["made-yolox", "made-yolov8", "made-gfl", "made-detr-decided", "made-detr-logits"] {
        check_detector(case, 0.1);
    }
}

#[test]
fn made_second_stages() {
    check_numbers("made-classifier", 0.005);
    check_numbers("made-embedding", 0.005);
}

#[test]
fn published_detectors() {
    for case in ["yolox-nano", "nanodet-plus", "deimv2-femto"] {
        check_detector(case, 0.3);
    }
}

#[test]
fn a_published_embedder() {
    check_numbers("person-0248", 0.01);
}

#[test]
fn a_persons_vector_is_nearest_to_itself_in_video_colours() {
    let Some(Loaded::Embedder(mut embedder)) = load("person-0248") else { return };
    let picture = picture();
    let nv12 = Nv12::of(&picture);
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let crops = expected("deimv2-femto").boxes.into_iter().filter(|found| found.class == "person");
    let boxes: Vec<_> = crops
        .map(|found| found.bbox.map(|v| v as f32))
        .map(|[x, y, w, h]| BoundingBox::new(x / width, y / height, w / width, h / height))
        .collect();
    let rgb = embedder.embed(&support::rgb(&picture), &boxes).unwrap();
    let video = embedder.embed(&nv12.frame(), &boxes).unwrap();
    let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    for (at, vector) in video.iter().enumerate() {
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-4);
        let nearest = (0..rgb.len()).max_by(|a, b| cosine(vector, &rgb[*a]).total_cmp(&cosine(vector, &rgb[*b])));
        assert_eq!(nearest, Some(at), "person {at} of {}", boxes.len());
    }
}
