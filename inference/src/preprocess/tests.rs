//! The fused pass against a naive one: convert the whole picture, then resize it.

use proptest::prelude::*;

use super::*;

fn input(order: ChannelOrder) -> Input {
    Input {
        name: "images".into(),
        width: 64,
        height: 48,
        size_name: None,
        layout: Layout::Nchw,
        resize: Resize::LetterboxTopLeft,
        order,
        scale: 1.0,
        mean: [0.0; 3],
        std: [1.0; 3],
        pad: 114,
        max_batch: 1,
    }
}

fn at_corner(width: f32, height: f32) -> Fitted {
    Fitted { left: 0.0, top: 0.0, width, height }
}

/// A picture with edges in luma and soft chroma, without clipping after conversion.
///
/// Chroma is soft because the naive way interpolates it twice, first to full size and then to the output: on
/// hard chroma edges that blurs more than sampling it once does.
fn nv12(stride: usize, height: usize, seed: usize) -> (Vec<u8>, Vec<u8>) {
    let y = (0..stride * height)
        .map(|i| {
            let (x, y) = (i % stride, i / stride);
            (90 + (x * 3 + y * 2 + seed) % 60 + if (x / 8 + y / 8) % 2 == 0 { 0 } else { 20 }) as u8
        })
        .collect();
    let uv = (0..stride * height.div_ceil(2))
        .map(|i| {
            let (x, y) = (i % stride / 2, i / stride);
            let wave = (x + y + seed) % 40;
            (108 + wave.min(40 - wave) + i % 2 * 7) as u8
        })
        .collect();
    (y, uv)
}

/// Bilinear sample at `(x, y)` with repeated edges.
fn sample(at: impl Fn(usize, usize) -> f64, (w, h): (usize, usize), x: f64, y: f64) -> f64 {
    let (x, y) = (x.clamp(0.0, (w - 1) as f64), y.clamp(0.0, (h - 1) as f64));
    let (x0, y0) = (x.floor() as usize, y.floor() as usize);
    let (x1, y1) = ((x0 + 1).min(w - 1), (y0 + 1).min(h - 1));
    let (fx, fy) = (x - x0 as f64, y - y0 as f64);
    (at(x0, y0) * (1.0 - fx) + at(x1, y0) * fx) * (1.0 - fy) + (at(x0, y1) * (1.0 - fx) + at(x1, y1) * fx) * fy
}

/// Full-size RGB of the NV12 picture, unrounded.
fn to_rgb(w: usize, h: usize, luma: &[u8], chroma: &[u8], stride: usize) -> Vec<[f64; 3]> {
    let matrix = Matrix::for_height(h as u32);
    let half = (w.div_ceil(2), h.div_ceil(2));
    let plane = |plane: usize| move |x: usize, y: usize| f64::from(chroma[y * stride + x * 2 + plane]);
    (0..w * h)
        .map(|i| {
            let (px, py) = (i % w, i / w);
            let (cx, cy) = (px as f64 / 2.0, py as f64 / 2.0 - 0.25);
            let [blue, red] = [0, 1].map(|p| sample(plane(p), half, cx, cy) as f32);
            matrix.rgb(f32::from(luma[py * stride + px]), blue, red).map(f64::from)
        })
        .collect()
}

fn check_nv12(w: usize, h: usize, extra: usize, seed: usize) {
    let stride = w.div_ceil(2) * 2 + extra;
    let (y, uv) = nv12(stride, h, seed);
    let frame = Frame::Nv12 { width: w as u32, height: h as u32, y: &y, y_stride: stride, uv: &uv, uv_stride: stride };
    let mut letterbox = Letterbox::new(&input(ChannelOrder::Bgr));
    let mut out = vec![f32::NAN; letterbox.len()];
    letterbox.fill(&frame, &mut out).unwrap();
    let Fitted { width, height, .. } = letterbox.fitted(frame.size());
    let (fw, fh) = (width as usize, height as usize);

    let rgb = to_rgb(w, h, &y, &uv, stride);
    let (sx, sy) = (w as f64 / fw as f64, h as f64 / fh as f64);
    for (i, &value) in out.iter().enumerate() {
        let (plane, px, py) = (i / (64 * 48), i % 64, i / 64 % 48);
        let expect = if px < fw && py < fh {
            let at = |x: usize, y: usize| rgb[y * w + x][2 - plane];
            sample(at, (w, h), (px as f64 + 0.5) * sx - 0.5, (py as f64 + 0.5) * sy - 0.5)
        } else {
            114.0
        };
        assert!((f64::from(value) - expect).abs() <= 1.0, "{w}x{h} plane {plane} at {px},{py}: {value} for {expect}");
    }
}

#[test]
fn agrees_with_the_naive_way_within_one_grey_level() {
    for (w, h) in [(64, 48), (128, 96), (192, 108), (640, 360), (1280, 720), (63, 47), (51, 99), (16, 16)] {
        check_nv12(w, h, 0, 0);
        check_nv12(w, h, 32, 5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_for_any_size(w in 16usize..200, h in 16usize..200, half_extra in 0usize..4, seed in 0usize..100) {
        check_nv12(w, h, half_extra * 2, seed);
    }
}

#[test]
fn rgb_and_its_order() {
    let pixel = [10u8, 20, 30];
    let data: Vec<u8> = pixel.into_iter().cycle().take(32 * 24 * 3).collect();
    let frame = Frame::Rgb { width: 32, height: 24, data: &data, stride: 96 };
    for (order, expect) in [(ChannelOrder::Rgb, [10.0, 20.0, 30.0]), (ChannelOrder::Bgr, [30.0, 20.0, 10.0])] {
        let mut letterbox = Letterbox::new(&input(order));
        let mut out = vec![0.0; letterbox.len()];
        letterbox.fill(&frame, &mut out).unwrap();
        assert_eq!(letterbox.fitted(frame.size()), at_corner(64.0, 48.0));
        for (plane, expect) in out.chunks(64 * 48).zip(expect) {
            assert!(plane.iter().all(|value: &f32| (value - expect).abs() < 1e-4));
        }
    }
}

#[test]
fn normalises_pixels_and_padding() {
    let spec =
        Input { scale: 1.0 / 255.0, mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.5], pad: 51, ..input(ChannelOrder::Rgb) };
    let mut letterbox = Letterbox::new(&spec);
    let mut out = vec![0.0; letterbox.len()];
    let data = [255u8; 16 * 32 * 3];
    let frame = Frame::Rgb { width: 16, height: 32, data: &data, stride: 48 };
    letterbox.fill(&frame, &mut out).unwrap();
    assert_eq!(letterbox.fitted(frame.size()), at_corner(24.0, 48.0));
    for (plane, (white, pad)) in [(3.0, -1.0), (2.0, -1.2), (0.8, -0.8)].into_iter().enumerate() {
        let row = &out[plane * 64 * 48..][..64];
        assert!((row[0] - white).abs() < 1e-5 && (row[23] - white).abs() < 1e-5, "{row:?}");
        assert!((row[24] - pad).abs() < 1e-5 && (row[63] - pad).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn a_smaller_picture_leaves_nothing_of_the_one_before() {
    let mut letterbox = Letterbox::new(&input(ChannelOrder::Bgr));
    let white = vec![255u8; 64 * 48 * 3];
    let mut out = vec![0.0; letterbox.len()];
    letterbox.fill(&Frame::Rgb { width: 64, height: 48, data: &white, stride: 192 }, &mut out).unwrap();
    letterbox.fill(&Frame::Rgb { width: 64, height: 16, data: &white, stride: 192 }, &mut out).unwrap();
    assert!(out[64 * 16..64 * 48].iter().all(|value| (value - 114.0).abs() < 1e-6));
}

#[test]
fn more_sizes_than_plans() {
    let mut letterbox = Letterbox::new(&input(ChannelOrder::Bgr));
    let data = vec![200u8; 300 * 300 * 3];
    let mut out = vec![0.0; letterbox.len()];
    for side in 16..(16 + 2 * MAX_PLANS as u32) {
        let frame = Frame::Rgb { width: side, height: side, data: &data, stride: 900 };
        letterbox.fill(&frame, &mut out).unwrap();
        assert_eq!(letterbox.fitted(frame.size()), at_corner(48.0, 48.0));
    }
    assert_eq!(letterbox.plans.len(), MAX_PLANS);
}

#[test]
fn colours_side_by_side_are_the_same_numbers() {
    let data: Vec<u8> = (0..40 * 30 * 3).map(|i| (i * 7 % 251) as u8).collect();
    let frame = Frame::Rgb { width: 40, height: 30, data: &data, stride: 120 };
    let planes = Input { mean: [1.0, 2.0, 3.0], std: [1.0, 2.0, 4.0], ..input(ChannelOrder::Rgb) };
    let pixels = Input { layout: Layout::Nhwc, ..planes.clone() };
    let [a, b] = [planes, pixels].map(|input| {
        let mut letterbox = Letterbox::new(&input);
        let mut out = vec![0.0; letterbox.len()];
        letterbox.fill(&frame, &mut out).unwrap();
        out
    });
    for (i, pixel) in b.chunks(3).enumerate() {
        assert_eq!(pixel, [a[i], a[64 * 48 + i], a[2 * 64 * 48 + i]]);
    }
}

#[test]
fn a_centred_picture_is_padded_on_all_sides() {
    let mut letterbox = Letterbox::new(&Input { resize: Resize::LetterboxCenter, ..input(ChannelOrder::Rgb) });
    let white = [255u8; 32 * 16 * 3];
    let mut out = vec![0.0; letterbox.len()];
    let frame = Frame::Rgb { width: 32, height: 16, data: &white, stride: 96 };
    letterbox.fill(&frame, &mut out).unwrap();
    assert_eq!(letterbox.fitted(frame.size()), Fitted { left: 0.0, top: 8.0, width: 64.0, height: 32.0 });
    for (row, values) in out[..64 * 48].chunks(64).enumerate() {
        let expect = if (8..40).contains(&row) { 255.0 } else { 114.0 };
        assert!(values.iter().all(|v| (v - expect).abs() < 1e-4), "row {row}");
    }
}

#[test]
fn a_region_is_what_a_cut_out_picture_is() {
    let (w, h) = (96, 64);
    let data: Vec<u8> = (0..w * h * 3).map(|i| (i * 31 % 253) as u8).collect();
    let frame = Frame::Rgb { width: 96, height: 64, data: &data, stride: w * 3 };
    let (left, top, width, height) = (24, 10, 40, 30);
    let cut: Vec<u8> = (top..top + height).flat_map(|y| &data[(y * w + left) * 3..][..width * 3]).copied().collect();
    let mut letterbox = Letterbox::new(&Input { resize: Resize::Stretch, ..input(ChannelOrder::Rgb) });
    let (mut a, mut b) = (vec![0.0; letterbox.len()], vec![0.0; letterbox.len()]);
    let region = Region { x: left as f64, y: top as f64, width: width as f64, height: height as f64 };
    letterbox.fill_region(&frame, region, &mut a).unwrap();
    letterbox.fill(&Frame::Rgb { width: 40, height: 30, data: &cut, stride: width * 3 }, &mut b).unwrap();
    // At its edges the region sees its neighbours, and the cut-out picture repeats itself.
    for row in 2..46 {
        for column in 2..62 {
            let at = row * 64 + column;
            assert!((a[at] - b[at]).abs() < 1e-2, "{column},{row}: {} for {}", a[at], b[at]);
        }
    }
}
