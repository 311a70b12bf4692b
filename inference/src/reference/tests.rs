//! A site with a fence before it, rendered, and what happens to both.

use proptest::prelude::*;

use super::*;
use crate::align::signed;

/// What a picture shows and how.
#[derive(Clone, Copy)]
struct Shot {
    fence: bool,
    /// The person before the fence, if any: left and top.
    person: Option<(f32, f32)>,
    shift: (f32, f32),
    gain: f32,
    lift: f32,
    noise: f32,
    /// Right of this column the sun is gone.
    shadow: f32,
    rain: bool,
    size: (usize, usize),
    seed: u32,
}

const DAY: Shot = Shot {
    fence: true,
    person: None,
    shift: (0.0, 0.0),
    gain: 1.0,
    lift: 0.0,
    noise: 0.0,
    shadow: f32::INFINITY,
    rain: false,
    size: (640, 360),
    seed: 1,
};
/// Where the fence is, 0–1.
const FENCE: [f32; 4] = [0.2, 0.5, 0.6, 0.25];
const PERSON: (f32, f32) = (0.08, 0.3);

/// Evenly spread in -1 to 1, always the same.
fn random(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = x.cast_unsigned().wrapping_mul(0x9e37_79b9) ^ y.cast_unsigned().wrapping_mul(0x85eb_ca6b);
    h ^= seed.wrapping_mul(0xc2b2_ae35);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    (h ^ (h >> 15)) as f32 / u32::MAX as f32 * 2.0 - 1.0
}

impl Shot {
    /// Brightness at a place of the scene, in shares of the picture.
    fn scene(&self, x: f32, y: f32) -> f32 {
        let patch = |side: f32, seed| random((x / side).floor() as i32, (y / side).floor() as i32, seed);
        let ground = 115.0 + 25.0 * patch(0.023, 7) + 20.0 * patch(0.057, 8);
        let [left, top, width, height] = FENCE;
        let (u, v) = ((x - left) / width, (y - top) / height);
        if let Some((left, top)) = self.person
            && (0.0..PERSON.0).contains(&(x - left))
            && (0.0..PERSON.1).contains(&(y - top))
        {
            return 60.0 + 40.0 * patch(0.011, 9);
        }
        if self.fence && (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
            // Posts, rails, and mesh between them.
            let post = (u * 24.0).fract() < 0.25;
            let rail = (v * 4.0).fract() < 0.3;
            return if post || rail { 205.0 } else { 90.0 };
        }
        ground
    }

    fn luma(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let mut out = Vec::with_capacity(width * height);
        for row in 0..height {
            for column in 0..width {
                let x = (column as f32 + 0.5) / width as f32 - self.shift.0;
                let y = (row as f32 + 0.5) / height as f32 - self.shift.1;
                let sun = if x > self.shadow { 0.55 } else { 1.0 };
                let mut value = self.lift + self.gain * sun * self.scene(x, y);
                value += self.noise * 1.7 * random(signed(column), signed(row), self.seed);
                // Streaks of 12 pixels on one column of forty.
                if self.rain && random(signed(column), signed(row) / 12, self.seed + 1) > 0.95 {
                    value += 45.0;
                }
                out.push(value.round().clamp(16.0, 235.0) as u8);
            }
        }
        out
    }

    fn with<T>(&self, use_frame: impl FnOnce(&Frame<'_>) -> T) -> T {
        let (width, height) = self.size;
        let (y, uv) = (self.luma(), vec![128; width * height.div_ceil(2)]);
        let (w, h) = (width as u32, height as u32);
        use_frame(&Frame::Nv12 { width: w, height: h, y: &y, y_stride: width, uv: &uv, uv_stride: width })
    }

    fn look(&self, reference: &Reference, masks: &[BoundingBox]) -> ReferenceLook {
        self.with(|frame| compare(reference, frame, masks)).unwrap()
    }
}

fn region() -> Polygon {
    let [x, y, w, h] = FENCE;
    Polygon::new(vec![Point::new(x, y), Point::new(x + w, y), Point::new(x + w, y + h), Point::new(x, y + h)]).unwrap()
}

fn reference() -> Reference {
    DAY.with(|frame| Reference::from_frame(frame, &region())).unwrap()
}

#[test]
fn the_fence_is_there_in_all_weather() {
    let reference = reference();
    for (what, shot) in [
        ("the same", DAY),
        ("another resolution", Shot { size: (1280, 720), ..DAY }),
        ("dusk", Shot { gain: 0.45, lift: 5.0, noise: 4.0, ..DAY }),
        ("haze", Shot { gain: 0.4, lift: 110.0, noise: 2.0, ..DAY }),
        ("bright", Shot { gain: 1.15, lift: 5.0, ..DAY }),
        ("noise", Shot { noise: 12.0, ..DAY }),
        ("a shadow over half of it", Shot { shadow: 0.5, noise: 2.0, ..DAY }),
        ("rain", Shot { rain: true, noise: 3.0, gain: 0.8, ..DAY }),
        ("wind on the pole", Shot { shift: (0.004, -0.006), noise: 2.0, ..DAY }),
        ("a nudged camera", Shot { shift: (-0.05, 0.04), noise: 2.0, gain: 0.8, ..DAY }),
    ] {
        let look = shot.look(&reference, &[]);
        assert!(look.aligned && look.changed < 0.08 && look.masked < 0.2, "{what}: {look:?}");
        let moved = (look.shift.0 - shot.shift.0).abs() < 0.004 && (look.shift.1 - shot.shift.1).abs() < 0.005;
        assert!(moved, "{what}: {look:?}");
    }
}

#[test]
fn a_missing_fence_is_seen_in_all_weather() {
    let reference = reference();
    let gone = Shot { fence: false, ..DAY };
    for (what, shot) in [
        ("day", gone),
        ("dusk", Shot { gain: 0.45, lift: 5.0, noise: 4.0, ..gone }),
        ("noise", Shot { noise: 12.0, ..gone }),
        ("shadow", Shot { shadow: 0.5, noise: 2.0, ..gone }),
        ("rain", Shot { rain: true, noise: 3.0, gain: 0.8, ..gone }),
        ("a nudged camera", Shot { shift: (-0.05, 0.04), noise: 2.0, ..gone }),
    ] {
        let look = shot.look(&reference, &[]);
        assert!(look.aligned && look.changed > 0.7, "{what}: {look:?}");
        let [x, y, w, h] = FENCE;
        let fence = BoundingBox::new(x + shot.shift.0, y + shot.shift.1, w, h);
        assert!(look.at.iou(&fence) > 0.7, "{what}: {look:?}");
    }
}

#[test]
fn the_light_is_told() {
    let look = Shot { gain: 0.5, ..DAY }.look(&reference(), &[]);
    assert!((look.light - 0.5).abs() < 0.05, "{look:?}");
}

#[test]
fn people_before_the_fence_are_masked() {
    let reference = reference();
    let shot = Shot { person: Some((0.4, 0.47)), ..DAY };
    let seen = shot.look(&reference, &[]);
    assert!(seen.changed > 0.08, "without a mask the person is a change: {seen:?}");
    let person = BoundingBox::new(0.395, 0.465, PERSON.0 + 0.01, PERSON.1 + 0.01);
    let masked = shot.look(&reference, &[person]);
    assert!(masked.changed < 0.05 && (0.1..0.25).contains(&masked.masked), "{masked:?}");
    let [x, y, w, h] = FENCE;
    let all = shot.look(&reference, &[BoundingBox::new(x - 0.01, y - 0.02, w + 0.02, h + 0.04)]);
    assert!(all.aligned && all.masked > 0.999 && all.changed < f32::EPSILON, "{all:?}");
}

#[test]
fn what_was_in_the_way_of_the_reference_is_left_out() {
    let person = BoundingBox::new(0.395, 0.465, PERSON.0 + 0.01, PERSON.1 + 0.01);
    let crowded = Shot { person: Some((0.4, 0.47)), ..DAY };
    let reference = crowded.with(|frame| Reference::from_frame(frame, &region())).unwrap();
    let cells = reference.cells();
    let reference = reference.without(&[person]);
    assert!(reference.cells() < cells);
    let look = DAY.look(&reference, &[]);
    assert!(look.changed < 0.05, "{look:?}");
}

#[test]
fn a_turned_camera_or_a_covered_lens_compares_nothing() {
    let reference = reference();
    for (what, shot) in [
        ("turned", Shot { shift: (3.0, 5.0), ..DAY }),
        ("covered", Shot { gain: 0.0, lift: 60.0, noise: 3.0, ..DAY }),
        ("night", Shot { gain: 0.01, lift: 16.0, noise: 2.0, ..DAY }),
    ] {
        let look = shot.look(&reference, &[]);
        // What is left of the edges at night may still be placed.
        assert!(
            (!look.aligned || what == "night") && look.masked > 0.999 && look.changed < f32::EPSILON,
            "{what}: {look:?}"
        );
    }
}

#[test]
fn colours_tell_flat_things_apart() {
    let (width, height) = (640usize, 360usize);
    let look = |panel: [u8; 2], cast: u8| {
        let y = Shot { fence: false, size: (width, height), ..DAY }.luma();
        let inside = |i: usize| (128..512).contains(&(i % width)) && (200..260).contains(&(i / width));
        let y: Vec<u8> = y.iter().enumerate().map(|(i, v)| if inside(i) { 120 } else { *v }).collect();
        let uv: Vec<u8> = (0..width * height / 2)
            .map(|i| {
                let (x, y) = (i % width, i / width * 2);
                let colour = if inside(y * width + x) { panel } else { [120, 138] };
                colour[i % 2] + cast
            })
            .collect();
        let points = [(0.22, 0.58), (0.78, 0.58), (0.78, 0.70), (0.22, 0.70)].map(|(x, y)| Point::new(x, y));
        (y, uv, Polygon::new(points.to_vec()).unwrap())
    };
    let frame = |y: &[u8], uv: &[u8], run: &mut dyn FnMut(&Frame<'_>)| {
        run(&Frame::Nv12 { width: 640, height: 360, y, y_stride: width, uv, uv_stride: width });
    };
    let (y, uv, polygon) = look([150, 90], 0);
    let mut reference = None;
    frame(&y, &uv, &mut |frame| reference = Some(Reference::from_frame(frame, &polygon).unwrap()));
    let reference = reference.unwrap();
    for (panel, cast, expect) in [([150, 90], 0, false), ([150, 90], 9, false), ([112, 150], 0, true)] {
        let (y, uv, _) = look(panel, cast);
        frame(&y, &uv, &mut |frame| {
            let look = compare(&reference, frame, &[]).unwrap();
            assert!(look.aligned && (look.changed > 0.5) == expect, "{panel:?} {cast}: {look:?}");
            assert!(expect || look.changed < 0.1, "{look:?}");
        });
    }
}

#[test]
fn references_are_kept_as_bytes() {
    let reference = reference().without(&[BoundingBox::new(0.3, 0.5, 0.1, 0.1)]);
    let bytes = reference.to_bytes();
    assert_eq!(bytes.len(), Reference::BYTES);
    assert_eq!(Reference::from_bytes(&bytes).unwrap(), reference);
    assert_eq!(Reference::from_bytes(b"GSR2"), Err(InvalidReference::Unknown));
    let short = InvalidReference::Length { expected: Reference::BYTES, found: bytes.len() - 1 };
    assert_eq!(Reference::from_bytes(&bytes[..bytes.len() - 1]), Err(short));
    let mut empty = bytes.clone();
    empty[Reference::BYTES - 450..].fill(0);
    assert_eq!(Reference::from_bytes(&empty), Err(InvalidReference::Empty));
}

#[test]
fn a_region_thinner_than_a_cell_still_has_cells() {
    let points = [(0.50, 0.500), (0.502, 0.500), (0.502, 0.501), (0.50, 0.501)].map(|(x, y)| Point::new(x, y));
    let thin = Polygon::new(points.to_vec()).unwrap();
    let reference = DAY.with(|frame| Reference::from_frame(frame, &thin)).unwrap();
    assert!(reference.cells() > 0);
    let look = DAY.look(&reference, &[]);
    assert!(look.aligned && look.changed < f32::EPSILON, "{look:?}");
}

#[test]
fn a_bad_frame_is_an_error() {
    let short = Frame::Rgb { width: 640, height: 360, data: &[0; 10], stride: 1920 };
    assert!(Reference::from_frame(&short, &region()).is_err());
    assert!(compare(&reference(), &short, &[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever bytes, pictures and masks come: an answer within its ranges.
    #[test]
    fn any_input_gives_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 64),
        pixels in prop::collection::vec(any::<u8>(), 97),
        masks in prop::collection::vec((any::<f32>(), any::<f32>(), any::<f32>(), any::<f32>()), 0..4),
    ) {
        let mut kept = b"GSR1".to_vec();
        kept.extend(bytes.iter().cycle().take(Reference::BYTES - 4));
        if let Ok(reference) = Reference::from_bytes(&kept) {
            let data: Vec<u8> = pixels.iter().copied().cycle().take(160 * 90 * 3).collect();
            let frame = Frame::Rgb { width: 160, height: 90, data: &data, stride: 480 };
            let masks: Vec<_> = masks.iter().map(|(x, y, w, h)| BoundingBox::new(*x, *y, *w, *h)).collect();
            let look = compare(&reference, &frame, &masks).unwrap();
            let share = |v: f32| (0.0..=1.0).contains(&v);
            prop_assert!(share(look.changed) && share(look.masked) && look.light.is_finite(), "{look:?}");
            prop_assert!(share(look.at.x) && share(look.at.y), "{look:?}");
        }
    }
}
