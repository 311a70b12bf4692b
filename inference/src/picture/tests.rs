//! Measures of rendered pictures.

use super::*;

const SIZE: (usize, usize) = (640, 360);

/// A picture from its brightness and its colour.
fn nv12(
    (width, height): (usize, usize),
    luma: impl Fn(usize, usize) -> f32,
    chroma: impl Fn(usize, usize) -> [u8; 2],
) -> PictureMeasures {
    let stride = width + 64;
    let y: Vec<u8> = (0..stride * height)
        .map(|i| if i % stride < width { luma(i % stride, i / stride).round().clamp(0.0, 255.0) as u8 } else { 255 })
        .collect();
    let uv: Vec<u8> = (0..stride * height.div_ceil(2)).map(|i| chroma(i % stride / 2, i / stride)[i % 2]).collect();
    let (w, h) = (width as u32, height as u32);
    measure(&Frame::Nv12 { width: w, height: h, y: &y, y_stride: stride, uv: &uv, uv_stride: stride }).unwrap()
}

fn grey(luma: impl Fn(usize, usize) -> f32) -> PictureMeasures {
    nv12(SIZE, luma, |_, _| [128; 2])
}

/// Evenly spread in -1 to 1, always the same.
fn random(x: usize, y: usize) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9e37_79b9) ^ (y as u32).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    (h ^ (h >> 15)) as f32 / u32::MAX as f32 * 2.0 - 1.0
}

/// Blocks of different greys: detail everywhere, and no two places alike.
fn scene(x: f32, y: f32) -> f32 {
    let block = |side: f32| random((x / side) as usize, (y / side) as usize);
    120.0 + 40.0 * block(24.0) + 30.0 * block(61.0)
}

#[test]
fn flat_pictures_have_no_contrast_and_padding_does_not_count() {
    let measures = grey(|_, _| 77.0);
    let expect = PictureMeasures { mean_luma: 77.0, signature: measures.signature.clone(), ..Default::default() };
    assert_eq!(measures, expect);
    assert_eq!(measures.signature.pixels(), [77; 64 * 36]);
}

#[test]
fn sharp_edges_count_more_than_soft_ones() {
    let sharp = grey(|x, _| if x / 40 % 2 == 0 { 50.0 } else { 200.0 });
    let soft = grey(|x, _| 125.0 + 75.0 * (x as f32 / 40.0 * std::f32::consts::PI).sin());
    assert!(sharp.sharpness > 10.0 * soft.sharpness, "{sharp:?} {soft:?}");
    assert!((sharp.mean_luma - 125.0).abs() < 2.0 && sharp.contrast > 70.0, "{sharp:?}");
}

#[test]
fn rgb_is_measured_by_its_brightness_and_colour() {
    let data: Vec<u8> = [255u8, 0, 0].into_iter().cycle().take(100 * 80 * 3).collect();
    let measures = measure(&Frame::Rgb { width: 100, height: 80, data: &data, stride: 300 }).unwrap();
    assert!((measures.mean_luma - 76.0).abs() < 1.0, "{measures:?}");
    assert!((measures.cast[0] + 37.7).abs() < 1.0 && (measures.cast[1] - 111.9).abs() < 1.0, "{measures:?}");
}

#[test]
fn noise_is_told_from_texture() {
    // Evenly spread noise of width ±a has a standard deviation of a / √3.
    for amplitude in [0.0, 3.0, 9.0] {
        let noisy = nv12((1280, 720), |x, y| 60.0 + x as f32 / 16.0 + amplitude * random(x, y), |_, _| [128; 2]);
        let expect = amplitude / 3f32.sqrt();
        assert!((noisy.noise - expect).abs() < 0.3 + 0.15 * expect, "{} for {expect}", noisy.noise);
    }
    let textured = grey(|x, y| scene(x as f32, y as f32));
    assert!(textured.noise < 1.0, "{}", textured.noise);
    assert!(grey(|x, y| 8.0 + random(x, y)).noise < f32::EPSILON, "too dark to tell");
}

#[test]
fn casts_and_greys() {
    let green = nv12(SIZE, |_, _| 120.0, |_, _| [110, 105]);
    assert!((green.cast[0] + 18.0).abs() < 0.1 && (green.cast[1] + 23.0).abs() < 0.1, "{green:?}");
    let colourful = nv12(SIZE, |_, _| 120.0, |x, _| if x / 8 % 2 == 0 { [148, 128] } else { [108, 128] });
    assert!(colourful.cast[0].abs() < 2.0 && (colourful.saturation - 20.0).abs() < 0.5, "{colourful:?}");
    assert!(grey(|_, _| 120.0).saturation < f32::EPSILON);
}

#[test]
fn white_and_black_shares() {
    let halves = grey(|x, _| {
        if x < 160 {
            16.0
        } else if x < 480 {
            100.0
        } else {
            236.0
        }
    });
    assert!((halves.black_share - 0.25).abs() < 0.01 && (halves.white_share - 0.25).abs() < 0.01, "{halves:?}");
}

#[test]
fn a_covered_lens_shows_no_detail() {
    let open = grey(|x, y| scene(x as f32, y as f32) + 2.0 * random(x, y));
    assert!(open.detail_blocks > 0.95, "{}", open.detail_blocks);
    // A hand before the lens: soft brightness, only noise.
    let covered = grey(|x, y| 40.0 + (x as f32 / 100.0).sin() * 30.0 + y as f32 / 12.0 + 4.0 * random(x, y));
    assert!(covered.detail_blocks < 0.05, "{}", covered.detail_blocks);
    let half = grey(|x, y| if x < 320 { 60.0 } else { scene(x as f32, y as f32) });
    assert!((half.detail_blocks - 0.5).abs() < 0.1, "{}", half.detail_blocks);
}

#[test]
fn shifts_are_found_in_any_light() {
    let reference = grey(|x, y| scene(x as f32 + 200.0, y as f32 + 200.0)).signature;
    for (dx, dy, gain, lift) in [
        (0.0, 0.0, 1.0, 0.0),
        (40.0, 0.0, 1.0, 0.0),
        (-60.0, 30.0, 0.5, 10.0),
        (15.0, -25.0, 0.7, 60.0),
        (5.0, 5.0, 0.4, 0.0),
    ] {
        let now = grey(|x, y| {
            let moved = scene(x as f32 + 200.0 - dx, y as f32 + 200.0 - dy);
            lift + gain * moved + 2.0 * random(x, y)
        });
        let (x, y, confidence) = shift(&reference, &now.signature).unwrap();
        let close = (x * 640.0 - dx).abs() < 4.0 && (y * 360.0 - dy).abs() < 4.0;
        assert!(close && confidence > 0.5, "{dx},{dy}: {:?} {confidence}", (x * 640.0, y * 360.0));
    }
}

#[test]
fn another_place_has_little_confidence_and_nothing_has_no_shift() {
    let reference = grey(|x, y| scene(x as f32, y as f32)).signature;
    let elsewhere = grey(|x, y| scene(x as f32 + 3000.0, y as f32 + 5000.0)).signature;
    let (.., confidence) = shift(&reference, &elsewhere).unwrap();
    assert!(confidence < 0.25, "{confidence}");
    assert_eq!(shift(&reference, &grey(|_, _| 50.0).signature), None);
    assert_eq!(shift(&reference, &Signature::default()), None);
    assert_eq!(reference.difference(&Signature::default()), None);
    assert_eq!(reference.difference(&reference), Some(0.0));
    assert_eq!(Signature::from_pixels(reference.pixels().to_vec()), Some(reference));
    assert_eq!(Signature::from_pixels(vec![1, 2, 3]), None);
}

#[test]
fn a_bad_frame_is_an_error_and_the_smallest_is_none() {
    assert!(measure(&Frame::Rgb { width: 100, height: 80, data: &[0; 10], stride: 300 }).is_err());
    assert!(measure(&Frame::Rgb { width: 16, height: 16, data: &[90; 16 * 16 * 3], stride: 48 }).is_ok());
}
