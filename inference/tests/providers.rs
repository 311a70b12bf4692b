//! Ways to run a network: what is measured is what runs, and what cannot run is left out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use inference::{
    DetectorPool, Execution, choice,
    execution::{Device, Precision, Provider},
    models,
};

#[test]
fn the_fastest_way_is_one_that_was_measured() {
    let runtime = support::runtime();
    let (loaded, refused, measured) = models::load_fastest(&runtime, &support::site_ppe(), 2);
    assert!(refused.is_empty() && loaded.len() == 1, "{refused:?}");
    assert!(measured.len() >= 2 && measured.iter().any(|m| m.outcome.is_ok()), "{measured:?}");
    let best = choice::best(&measured).unwrap();
    let models::Loaded::Detector(detector) = &loaded[0] else { panic!("{loaded:?}") };
    let health = detector.health();
    assert_eq!(health.provider, best.provider.to_string());
    assert_eq!(health.precision, best.precision.to_string());
}

#[test]
fn a_way_that_is_not_there_is_measured_as_such_and_the_processor_remains() {
    let runtime = support::runtime();
    let provider = Provider::Plugin { name: "NoSuchExecutionProvider".into(), device: Device::Gpu };
    let nowhere = Execution { provider, precision: Precision::Own, threads: 1 };
    let ways = [nowhere.clone(), Execution::cpu(1)];
    let measured = choice::measure(&runtime, &support::site_ppe(), &ways).unwrap();
    assert!(
        measured[0].outcome.as_ref().is_err_and(|reason| reason.contains("NoSuchExecutionProvider")),
        "{measured:?}"
    );
    assert_eq!(choice::best(&measured), Some(&ways[1]));
    let (loaded, refused) = models::load_all_on(&runtime, &support::site_ppe(), &nowhere);
    assert!(refused.is_empty() && loaded.len() == 1, "{refused:?}");
}

#[test]
fn a_pool_sees_what_one_session_sees() {
    let runtime = support::runtime();
    let mut one = support::load(&support::site_ppe()).unwrap();
    let mut pool = DetectorPool::load(&runtime, &support::site_ppe(), &Execution::cpu(1), 2).unwrap();
    assert_eq!(pool.sessions(), 2);
    let picture = support::golden_picture();
    let mirrored = image::imageops::flip_horizontal(&picture);
    let frames = [support::rgb(&picture), support::rgb(&mirrored), support::rgb(&picture)];
    let (mut expect, mut found) = (vec![Vec::new(); 3], vec![Vec::new(); 3]);
    one.detect(&frames, &mut expect).unwrap();
    pool.detect(&frames, &mut found).unwrap();
    for (expect, found) in expect.iter().zip(&found) {
        assert!(!expect.is_empty() && expect.len() == found.len());
        assert!(expect.iter().zip(found).all(|(a, b)| a.bbox.iou(&b.bbox) > 0.99 && a.class == b.class));
    }
    assert!(pool.health().fps > 0.0);
    pool.detect(&[], &mut []).unwrap();
    assert!(pool.detect(&frames, &mut []).is_err());
}
