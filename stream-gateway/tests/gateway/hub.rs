//! The hub against a camera in memory, in simulated time.

use std::{sync::Arc, time::Duration};

use crate::support::{FRAME, FakeSource, Mode, TokioClock, camera, fault, frame, gap, status, until};
use protocol::{Secret, StreamState, Timestamp, Transport};
use runtime::{Clock as _, Tasks};
use stream_gateway::{ClipError, Hub};
use tokio::time::{Instant, sleep_until, timeout};

fn hub() -> (Hub, FakeSource, Arc<TokioClock>, Arc<Tasks>) {
    let (source, clock, tasks) =
        (FakeSource::default(), Arc::new(TokioClock(Instant::now())), Arc::new(Tasks::default()));
    let hub = Hub::with_source(clock.clone(), tasks.clone(), Arc::new(source.clone()));
    (hub, source, clock, tasks)
}

/// Lets simulated time pass while everything runs.
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

#[tokio::test(start_paused = true)]
async fn one_pull_serves_all_and_a_late_joiner_starts_at_a_key_frame() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let mut first = hub.subscribe(camera.id).unwrap();
    for n in 0..40 {
        let unit = frame(&mut first).await;
        assert_eq!((unit.key, unit.pts_us), (n % 25 == 0, n * 40_000));
    }
    let joined = Instant::now();
    let mut second = hub.subscribe(camera.id).unwrap();
    let unit = frame(&mut second).await;
    assert!(unit.key);
    assert_eq!(unit.pts_us, 1_000_000, "the newest key frame");
    assert_eq!(joined.elapsed(), Duration::ZERO, "the first picture comes at once");
    assert_eq!(source.seen().opened.len(), 1);
    let now = status(&hub, camera.id);
    assert_eq!((now.state, now.detail.as_str(), now.reconnects), (StreamState::Online, "", 0));
    assert_eq!((now.width, now.height, now.codec.as_str()), (1920, 1080, "h264"));
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_measured() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let _consumer = hub.subscribe(camera.id).unwrap();
    pass(Duration::from_secs(20)).await;
    let now = status(&hub, camera.id);
    assert!((24.5..=25.5).contains(&now.fps), "{}", now.fps);
    assert!(now.kbps > 1.0);
    source.become_(Mode::Stalled);
    pass(Duration::from_secs(12)).await;
    assert!(status(&hub, camera.id).fps < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_camera_is_pulled_only_while_somebody_watches() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    pass(Duration::from_mins(1)).await;
    assert!(source.seen().opened.is_empty());

    let consumer = hub.subscribe(camera.id).unwrap();
    until(&hub, camera.id, StreamState::Online).await;
    drop(consumer);
    pass(Duration::from_secs(9)).await;
    assert_eq!(source.seen().closed, 0, "somebody may come back");
    let mut consumer = hub.subscribe(camera.id).unwrap();
    assert!(frame(&mut consumer).await.key);
    pass(Duration::from_secs(9)).await;
    drop(consumer);
    pass(Duration::from_secs(11)).await;
    assert_eq!(source.seen().closed, 1);

    let mut consumer = hub.subscribe(camera.id).unwrap();
    assert!(frame(&mut consumer).await.key);
    assert_eq!(source.seen().opened.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn backs_off_from_the_first_failure_on_and_recovers() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    source.become_(Mode::Fails(fault(StreamState::Unreachable)));
    hub.apply(camera.clone()).await;
    let mut consumer = hub.subscribe(camera.id).unwrap();
    pass(Duration::from_secs(200)).await;
    let now = status(&hub, camera.id);
    assert_eq!((now.state, now.detail.as_str()), (StreamState::Unreachable, "as the test wants"));
    let opened: Vec<_> = source.seen().opened.iter().map(|(at, _)| *at).collect();
    for (pair, step) in opened.windows(2).zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]) {
        let wait = (pair[1] - pair[0]).as_secs_f64();
        assert!((step / 2.0 - 0.01..=step + 0.01).contains(&wait), "{wait} s instead of half to all of {step} s");
    }
    assert!(opened.len() >= 6);

    source.become_(Mode::Good);
    assert!(frame(&mut consumer).await.key, "the subscription survived it all");
    assert_eq!(until(&hub, camera.id, StreamState::Online).await.reconnects, 0);
}

#[tokio::test(start_paused = true)]
async fn every_fault_keeps_its_name_while_it_lasts() {
    let (hub, source, clock, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let _consumer = hub.subscribe(camera.id).unwrap();
    for state in [StreamState::Unauthorised, StreamState::NotFound, StreamState::Unsupported, StreamState::Interrupted]
    {
        source.become_(Mode::Fails(fault(state)));
        let since = until(&hub, camera.id, state).await.since;
        pass(Duration::from_secs(30)).await;
        let now = status(&hub, camera.id);
        assert_eq!((now.state, now.since), (state, since));
        assert!(clock.now() > since);
        source.become_(Mode::Good);
        until(&hub, camera.id, StreamState::Online).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_camera_is_told_and_pulled_anew() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let mut consumer = hub.subscribe(camera.id).unwrap();
    let before = frame(&mut consumer).await;
    source.become_(Mode::Stalled);
    let stalled = Instant::now();
    let now = until(&hub, camera.id, StreamState::NoFrames).await;
    assert!(stalled.elapsed() < Duration::from_secs(11));
    assert!(now.detail.contains("no picture for 10 s"), "{}", now.detail);
    source.become_(Mode::Good);
    gap(&mut consumer).await;
    let after = frame(&mut consumer).await;
    assert!(after.key);
    assert_eq!(after.pts_us - before.pts_us, (after.received_at.since(before.received_at)).as_micros() as i64);
    assert_eq!(source.seen().closed, 1, "the old connection was told goodbye");
    assert_eq!(status(&hub, camera.id).reconnects, 1);
}

#[tokio::test(start_paused = true)]
async fn pictures_without_a_key_frame_are_a_fault() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    source.become_(Mode::NoKeys);
    hub.apply(camera.clone()).await;
    let _consumer = hub.subscribe(camera.id).unwrap();
    let now = until(&hub, camera.id, StreamState::NoFrames).await;
    assert!(now.detail.contains("key frame"), "{}", now.detail);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_is_unreachable() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    source.become_(Mode::Hangs);
    hub.apply(camera.clone()).await;
    let _consumer = hub.subscribe(camera.id).unwrap();
    let now = until(&hub, camera.id, StreamState::Unreachable).await;
    assert_eq!(now.detail, "192.0.2.1:554 did not answer within 10 s: check its power, its network and the address");
}

#[tokio::test(start_paused = true)]
async fn changed_settings_keep_the_consumers() {
    let (hub, source, _, _) = hub();
    let mut camera = camera(1);
    hub.apply(camera.clone()).await;
    let mut consumer = hub.subscribe(camera.id).unwrap();
    frame(&mut consumer).await;

    camera.name = "another name".into();
    hub.apply(camera.clone()).await;
    pass(Duration::from_secs(1)).await;
    assert_eq!(source.seen().opened.len(), 1, "a name needs no new connection");

    camera.transport = Transport::Udp;
    camera.credentials = Some(("admin".into(), Secret::new("new")));
    hub.apply(camera.clone()).await;
    gap(&mut consumer).await;
    assert!(frame(&mut consumer).await.key);
    let seen = source.seen();
    assert_eq!((seen.opened.len(), seen.closed), (2, 1));
    assert_eq!(seen.opened[1].1, camera);
}

#[tokio::test(start_paused = true)]
async fn changed_settings_end_a_back_off() {
    let (hub, source, _, _) = hub();
    let mut camera = camera(1);
    source.become_(Mode::Fails(fault(StreamState::Unauthorised)));
    hub.apply(camera.clone()).await;
    let mut consumer = hub.subscribe(camera.id).unwrap();
    pass(Duration::from_secs(100)).await;
    source.become_(Mode::Good);
    camera.credentials = Some(("admin".into(), Secret::new("right")));
    hub.apply(camera.clone()).await;
    timeout(FRAME, frame(&mut consumer)).await.expect("the right password is tried at once");
}

#[tokio::test(start_paused = true)]
async fn removing_a_camera_ends_its_consumers() {
    let (hub, source, _, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let mut consumer = hub.subscribe(camera.id).unwrap();
    frame(&mut consumer).await;
    hub.remove(camera.id).await;
    assert_eq!(source.seen().closed, 1, "goodbye was said before removing returned");
    assert!(consumer.next().await.is_none());
    assert_eq!(hub.subscribe(camera.id).unwrap_err().to_string(), format!("there is no camera {}", camera.id));
    assert!(hub.status().is_empty());

    hub.apply(camera.clone()).await;
    assert!(frame(&mut hub.subscribe(camera.id).unwrap()).await.key);
}

#[tokio::test(start_paused = true)]
async fn stopping_the_tasks_ends_everything() {
    let (hub, source, _, tasks) = hub();
    for number in 1..=3 {
        hub.apply(camera(number)).await;
    }
    let mut consumers: Vec<_> = (1..=3).map(|n| hub.subscribe(camera(n).id).unwrap()).collect();
    for consumer in &mut consumers {
        frame(consumer).await;
    }
    tasks.stop(Duration::from_secs(5)).await.unwrap();
    assert_eq!(source.seen().closed, 3);
    for consumer in &mut consumers {
        assert!(consumer.next().await.is_none());
    }
    timeout(Duration::from_secs(1), hub.apply(camera(4))).await.expect("a stopped hub does not block");
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_gets_a_gap_and_never_holds_up_the_others() {
    let (hub, _, _, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let mut slow = hub.subscribe(camera.id).unwrap();
    let mut fast = hub.subscribe(camera.id).unwrap();
    frame(&mut slow).await;
    for n in 0..110 {
        assert_eq!(frame(&mut fast).await.pts_us, n * 40_000);
    }
    gap(&mut slow).await;
    let unit = frame(&mut slow).await;
    assert!(unit.key);
    assert_eq!((unit.pts_us, slow.skipped(), fast.skipped()), (4_000_000, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_clip_waits_for_its_end() {
    let (hub, _, clock, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let _consumer = hub.subscribe(camera.id).unwrap();
    pass(Duration::from_millis(20_300)).await;
    let now = clock.now();
    let clip = hub.clip(camera.id, now - Duration::from_secs(5), now + Duration::from_secs(5)).await.unwrap();
    let waited = clock.now().since(now);
    assert!((5.0..5.1).contains(&waited.as_secs_f64()), "{waited:?}");
    let lead = (now - Duration::from_secs(5)).since(clip.starts_at);
    assert!(lead < Duration::from_secs(1), "it starts at the key frame before: {lead:?}");
    assert!((10_000..11_100).contains(&clip.duration_ms), "{}", clip.duration_ms);
    assert_eq!((clip.width, clip.height), (1920, 1080));
    assert_eq!(clip.bytes[4..8], *b"ftyp");
}

#[tokio::test(start_paused = true)]
async fn a_clip_is_as_long_as_there_is_video() {
    let (hub, source, clock, _) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let _consumer = hub.subscribe(camera.id).unwrap();
    pass(Duration::from_secs(20)).await;
    source.become_(Mode::Stalled);
    let now = clock.now();
    let clip = hub.clip(camera.id, now - Duration::from_secs(5), now + Duration::from_secs(5)).await.unwrap();
    assert!((10.0..10.1).contains(&clock.now().since(now).as_secs_f64()), "waited 5 s past the end");
    assert!((5_000..6_100).contains(&clip.duration_ms), "{}", clip.duration_ms);

    let none = hub.clip(camera.id, now - Duration::from_secs(100), now - Duration::from_secs(90)).await;
    assert!(matches!(none, Err(ClipError::NoVideo)));
    assert!(matches!(hub.clip(camera.id, now, now).await, Err(ClipError::Range)));
    let ancient = hub.clip(camera.id, Timestamp::from_secs(0), now).await;
    assert!(matches!(ancient, Err(ClipError::Range)));
    let unknown = hub.clip(crate::support::camera(9).id, now - FRAME, now).await;
    assert!(matches!(unknown, Err(ClipError::UnknownCamera(_))));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_hub_ends_everything() {
    let (hub, source, _, _tasks) = hub();
    let camera = camera(1);
    hub.apply(camera.clone()).await;
    let mut consumer = hub.subscribe(camera.id).unwrap();
    frame(&mut consumer).await;
    drop(hub);
    assert!(consumer.next().await.is_none());
    pass(FRAME).await;
    assert_eq!(source.seen().closed, 1);
}
