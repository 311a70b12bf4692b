//! A demo camera seen from outside: it loops, keeps time, guards its door and fails on demand.

use std::time::Instant;

use crate::client::{Client, PASSWORD, serve};
use demo_camera::synthetic_clip;
use tempfile::TempDir;

/// Long enough for a busy machine; waits end as soon as the picture is there.
const SOON_MS: u64 = 10_000;

fn short_clip(seconds: u32) -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    synthetic_clip(&path, seconds).unwrap();
    (dir, path)
}

#[test]
fn a_clip_loops_with_continuous_timestamps_at_its_own_pace() {
    let (_dir, clip) = short_clip(1); // 15 pictures
    let server = serve(&clip, 0);
    let client = Client::connect(&server.url("gate"), PASSWORD, "tcp");

    let mut last = client.next(SOON_MS).expect("a first picture");
    let (first, started) = (last, Instant::now());
    for nth in 1..40 {
        let pts = client.next(SOON_MS).unwrap_or_else(|| panic!("picture {nth} of an endless clip"));
        assert!(pts > last, "picture {nth}: {pts} after {last}");
        assert!((pts - last).mseconds() < 500, "picture {nth}: a jump from {last} to {pts}");
        last = pts;
    }
    // 39 distances of 1/15 s are 2.6 s. A burst of held-back pictures may shorten the start a little.
    let (by_stamp, by_clock) = ((last - first).mseconds(), started.elapsed().as_millis());
    assert!((2_300..=3_500).contains(&by_stamp), "{by_stamp} ms by the timestamps");
    assert!(by_clock >= 1_800, "{by_clock} ms by the clock: not paced");
}

#[test]
fn udp_works_and_two_viewers_share_a_camera() {
    let (_dir, clip) = short_clip(1);
    let server = serve(&clip, 0);
    let one = Client::connect(&server.url("gate"), PASSWORD, "udp");
    let two = Client::connect(&server.url("gate"), PASSWORD, "tcp");
    for _ in 0..20 {
        assert!(one.next(SOON_MS).is_some());
        assert!(two.next(SOON_MS).is_some());
    }
}

#[test]
fn a_wrong_password_is_refused_as_unauthorised() {
    let (_dir, clip) = short_clip(1);
    let server = serve(&clip, 0);
    let refused = Client::connect(&server.url("gate"), "wrong", "tcp").error();
    assert!(refused.contains("Unauthorized") || refused.contains("401"), "{refused}");
}

#[test]
fn an_unknown_camera_is_not_found() {
    let (_dir, clip) = short_clip(1);
    let server = serve(&clip, 0);
    let refused = Client::connect(&server.url("nowhere"), PASSWORD, "tcp").error();
    assert!(refused.contains("Not found") || refused.contains("404"), "{refused}");
}

#[test]
fn a_stalled_camera_keeps_its_connection_and_goes_on_later() {
    let (_dir, clip) = short_clip(1);
    let server = serve(&clip, 0);
    let client = Client::connect(&server.url("gate"), PASSWORD, "tcp");
    assert!(client.next(SOON_MS).is_some());
    server.stall("gate");
    while client.next(600).is_some() {} // what was under way
    assert!(client.next(600).is_none());
    server.resume("gate");
    assert!(client.next(SOON_MS).is_some(), "pictures after the stall, on the same connection");
}

#[test]
fn a_camera_that_lost_power_comes_back_on_the_same_port() {
    let (_dir, clip) = short_clip(1);
    let mut server = serve(&clip, 0);
    let port = server.port();
    let client = Client::connect(&server.url("gate"), PASSWORD, "tcp");
    assert!(client.next(SOON_MS).is_some());
    server.stop();
    while client.next(600).is_some() {}
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "the port is closed");

    let server = serve(&clip, port);
    assert_eq!(server.port(), port);
    let client = Client::connect(&server.url("gate"), PASSWORD, "tcp");
    assert!(client.next(SOON_MS).is_some());
}

#[test]
fn a_stalled_camera_can_be_stopped() {
    let (_dir, clip) = short_clip(1);
    let mut server = serve(&clip, 0);
    let client = Client::connect(&server.url("gate"), PASSWORD, "tcp");
    assert!(client.next(SOON_MS).is_some());
    server.stall("gate");
    server.stop();
    while client.next(600).is_some() {}
}
