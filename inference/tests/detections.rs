//! What the committed model sees, however its frames come.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use image::{RgbImage, imageops};
use inference::{Detector, Frame, InferenceError, Limits};
use protocol::Detection;
use support::Nv12;

fn detector() -> Detector {
    support::load(&support::site_ppe()).unwrap()
}

/// Three pictures of different sizes and content.
fn pictures() -> [RgbImage; 3] {
    let whole = support::golden_picture();
    let (w, h) = whole.dimensions();
    let part = imageops::crop_imm(&whole, w / 8, h / 8, w / 4 * 3, h / 2).to_image();
    let mirrored = imageops::flip_horizontal(&whole);
    [whole, part, mirrored]
}

fn detect(detector: &mut Detector, frames: &[Frame<'_>]) -> Vec<Vec<Detection>> {
    let mut out = vec![Vec::new(); frames.len()];
    detector.detect(frames, &mut out).unwrap();
    out
}

fn same(a: &[Detection], b: &[Detection]) -> bool {
    let close = |(a, b): (&Detection, &Detection)| {
        a.class == b.class && (a.score - b.score).abs() < 1e-3 && a.bbox.iou(&b.bbox) > 0.99
    };
    a.len() == b.len() && a.iter().zip(b).all(close)
}

#[test]
fn a_batch_of_three_is_three_single_runs() {
    let mut detector = detector();
    let pictures = pictures();
    let nv12 = Nv12::of(&pictures[2]);
    let frames = [support::rgb(&pictures[0]), support::rgb(&pictures[1]), nv12.frame()];
    let batch = detect(&mut detector, &frames);
    for (frame, batch) in frames.iter().zip(&batch) {
        let single = detect(&mut detector, &[*frame]);
        assert!(!single[0].is_empty());
        assert!(same(&single[0], batch), "alone: {single:?}\nin the batch: {batch:?}");
    }
}

#[test]
fn more_frames_than_a_batch_holds() {
    let mut detector = detector();
    let picture = support::golden_picture();
    let frames = vec![support::rgb(&picture); detector.manifest().input.max_batch + 2];
    let out = detect(&mut detector, &frames);
    assert!(out.iter().all(|boxes| same(boxes, &out[0])));
}

#[test]
fn nv12_and_rgb_show_the_same_objects() {
    let mut detector = detector();
    let picture = support::golden_picture();
    let nv12 = Nv12::of(&picture);
    let out = detect(&mut detector, &[support::rgb(&picture), nv12.frame()]);
    let strong = out[0].iter().filter(|d| d.score > 0.4).collect::<Vec<_>>();
    assert!(!strong.is_empty());
    for expected in strong {
        let fits = |d: &&Detection| d.class == expected.class && d.bbox.iou(&expected.bbox) > 0.75;
        let found = out[1].iter().find(fits).unwrap_or_else(|| panic!("{expected:?} is not on the NV12 frame"));
        assert!((found.score - expected.score).abs() < 0.15, "{found:?} for {expected:?}");
    }
}

#[test]
fn boxes_are_normalised_sorted_and_limited() {
    let mut detector = detector();
    let picture = support::golden_picture();
    let mut out = [Vec::new()];
    let all = Limits { min_score: 0.001, max_per_frame: 1000 };
    detector.detect_with(&[support::rgb(&picture)], &all, &mut out).unwrap();
    let many = std::mem::take(&mut out[0]);
    assert!(many.iter().all(|d| {
        let b = d.bbox;
        b.x >= 0.0 && b.y >= 0.0 && b.w > 0.0 && b.h > 0.0 && b.x + b.w <= 1.0001 && b.y + b.h <= 1.0001
    }));
    assert!(many.is_sorted_by(|a, b| a.score >= b.score));

    let few = Limits { max_per_frame: 2, ..all };
    detector.detect_with(&[support::rgb(&picture)], &few, &mut out).unwrap();
    assert_eq!(out[0], many[..2]);
    detector.detect(&[support::rgb(&picture)], &mut out).unwrap();
    assert!(out[0].len() <= 100 && out[0].iter().all(|d| d.score >= 0.1));
}

#[test]
fn a_bad_frame_is_an_error_and_the_next_frame_works() {
    let mut detector = detector();
    let picture = support::golden_picture();
    let good = support::rgb(&picture);
    let short = Frame::Rgb { width: 640, height: 480, data: &[0; 100], stride: 1920 };
    let mut out = vec![Vec::new(); 2];
    let error = detector.detect(&[good, short], &mut out).unwrap_err();
    assert!(matches!(error, InferenceError::BadFrame(_)), "{error}");
    assert!(out.iter().all(Vec::is_empty));
    let error = detector.detect(&[good], &mut out).unwrap_err();
    assert!(matches!(error, InferenceError::SlotsMismatch { frames: 1, slots: 2 }), "{error}");
    detector.detect(&[good, good], &mut out).unwrap();
    assert!(out.iter().all(|boxes| !boxes.is_empty()));
}

#[test]
fn no_frames_is_no_work() {
    detector().detect(&[], &mut []).unwrap();
}

#[test]
fn health_counts_frames() {
    let mut detector = detector();
    assert!(detector.health().fps.abs() < f32::EPSILON, "the golden picture does not count");
    let picture = support::golden_picture();
    detect(&mut detector, &[support::rgb(&picture)]);
    let health = detector.health();
    assert!(health.fps > 0.0 && health.latency_ms > 0.0, "{health:?}");
    assert!(health.model.starts_with("site-ppe "));
}

#[test]
fn the_runtime_is_one_per_process() {
    let first = support::runtime();
    assert_eq!(support::runtime().library(), first.library());
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("libonnxruntime.so");
    std::fs::write(&other, "").unwrap();
    assert!(matches!(inference::Runtime::load(&other), Err(InferenceError::OtherLibrary { .. })));
}
