//! Whatever numbers a network gives, every head ends, stays bounded, and gives only finite boxes.

use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

use super::*;
use crate::{
    manifest::tests::{HEADS, manifest_with},
    nms,
    outputs::{Element, Side, Values},
};

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -10.0f32..10.0,
        2 => 0.0f32..1.0,
        1 => any::<f32>(),
        1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -0.0]),
    ]
}

/// Outputs of the shapes that the manifest promises, filled from a short list of numbers.
fn fill(wanted: &[Wanted], queries: usize, numbers: &[f32]) -> (Vec<ArrayD<f32>>, Vec<ArrayD<i64>>) {
    let (mut floats, mut integers) = (vec![], vec![]);
    for wanted in wanted {
        let sides = wanted.sides.iter().map(|side| match *side {
            Side::Exactly(count) => count,
            Side::Classes { beside, count } => beside + count,
            Side::UpTo(_) => queries,
        });
        let shape = IxDyn(&std::iter::once(1).chain(sides).collect::<Vec<_>>());
        let mut next = numbers.iter().cycle();
        match wanted.element {
            Element::Floats => floats.push(ArrayD::from_shape_fn(shape, |_| *next.next().unwrap())),
            Element::Integers => integers.push(ArrayD::from_shape_fn(shape, |_| *next.next().unwrap() as i64)),
        }
    }
    (floats, integers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers(
        head in prop::sample::select(HEADS.to_vec()),
        numbers in prop::collection::vec(number(), 1..40),
        queries in 0usize..300,
        min_score in prop_oneof![Just(0.1f32), number()],
    ) {
        let manifest = manifest_with(head);
        let wanted = wanted(&manifest);
        let (floats, integers) = fill(&wanted, queries, &numbers);
        let (mut floats, mut integers) = (floats.iter(), integers.iter());
        let outputs = Outputs::of(wanted.iter().map(|wanted| match wanted.element {
            Element::Floats => Values::Floats(floats.next().unwrap().view()),
            Element::Integers => Values::Integers(integers.next().unwrap().view()),
        }));
        let Some(mut head) = Head::new(&manifest) else { return Ok(()) };
        let mut out = vec![];
        head.decode(&outputs, 0, min_score, &mut out);
        prop_assert!(out.len() <= MAX_DECODED);
        for c in &out {
            let finite = [c.score, c.left, c.top, c.right, c.bottom].iter().all(|v| v.is_finite());
            prop_assert!(finite && usize::from(c.class) < manifest.classes.len() && c.score <= 1.0, "{c:?}");
        }
        nms::suppress(&mut out, Head::nms_iou(&manifest), 100);
        prop_assert!(out.len() <= 100);
    }
}

#[test]
fn a_network_certain_of_everything_is_bounded() {
    let numbers: Vec<f32> = vec![0.9];
    for head in HEADS {
        let manifest = manifest_with(head);
        let Some(mut head) = Head::new(&manifest) else { continue };
        let wanted = wanted(&manifest);
        let most = wanted.iter().flat_map(|w| &w.sides).fold(1, |most, side| match side {
            Side::UpTo(count) => *count,
            _ => most,
        });
        let (floats, integers) = fill(&wanted, most, &numbers);
        let (mut floats, mut integers) = (floats.iter(), integers.iter());
        let outputs = Outputs::of(wanted.iter().map(|wanted| match wanted.element {
            Element::Floats => Values::Floats(floats.next().unwrap().view()),
            Element::Integers => Values::Integers(integers.next().unwrap().view()),
        }));
        let mut out = vec![];
        head.decode(&outputs, 0, 0.1, &mut out);
        assert!(out.len() <= MAX_DECODED);
    }
}
