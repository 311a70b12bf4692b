//! Any video becomes a clip that loops; what is no video is refused in words.

use std::fs;

use crate::client::{Client, PASSWORD, serve};
use demo_camera::{DemoConfig, DemoError, DemoServer, PrepareError, View, prepare, prepare_view, synthetic_clip};
use gstreamer as gst;
use gstreamer::prelude::*;

#[test]
fn a_video_in_another_format_becomes_a_clip_that_loops() {
    let dir = tempfile::tempdir().unwrap();
    let (input, cache) = (dir.path().join("工地 1.avi"), dir.path().join("cache"));
    write_avi(input.to_str().unwrap());

    let clip = prepare(&input, &cache).unwrap();
    let server = serve(&clip, 0);
    let client = Client::connect(&server.url("gate"), PASSWORD, "tcp");
    for nth in 0..25 {
        assert!(client.next(10_000).is_some(), "picture {nth} of a clip with 20");
    }

    let written = fs::metadata(&clip).unwrap().modified().unwrap();
    assert_eq!(prepare(&input, &cache).unwrap(), clip);
    assert_eq!(fs::metadata(&clip).unwrap().modified().unwrap(), written, "kept, not made again");
    let closer = prepare_view(&input, View { x: 0.25, y: 0.3, w: 0.5, h: 0.5 }, &cache).unwrap();
    assert_ne!(closer, clip);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 2, "nothing half-written is left");
}

#[test]
fn what_is_no_video_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8]); 2] =
        [("notes.mp4", b"these are only words, and a file name does not make them a video"), ("empty.mp4", b"")];
    for (name, bytes) in cases {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let refused = prepare(&path, dir.path()).unwrap_err();
        assert!(matches!(refused, PrepareError::NotVideo { .. }), "{name}: {refused:?}");
        assert!(refused.to_string().contains("is not a video"), "{name}: {refused}");
    }
    let made = [
        ("sound.wav", "audiotestsrc num-buffers=20 ! wavenc"),
        ("picture.jpg", "videotestsrc num-buffers=1 ! video/x-raw,width=64,height=64 ! jpegenc"),
    ];
    for (name, pipeline) in made {
        let path = dir.path().join(name);
        run(&format!("{pipeline} ! filesink location=\"{}\"", path.display()));
        let refused = prepare(&path, dir.path()).unwrap_err();
        assert!(matches!(refused, PrepareError::NotVideo { .. }), "{name}: {refused:?}");
    }
    assert!(fs::read_dir(dir.path()).unwrap().all(|file| file.unwrap().path().extension().unwrap() != "tmp"));
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let refused = prepare(&dir.path().join("gone.mp4"), dir.path()).unwrap_err();
    assert!(matches!(refused, PrepareError::Read { .. }));
    assert!(refused.to_string().contains("gone.mp4"), "{refused}");
}

#[test]
fn a_damaged_video_ends_in_a_clip_or_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.mp4");
    synthetic_clip(&whole, 2).unwrap();
    let mut bytes = fs::read(&whole).unwrap();
    bytes.truncate(bytes.len() / 2); // an MP4 keeps its table at the end
    let half = dir.path().join("half.mp4");
    fs::write(&half, bytes).unwrap();
    let refused = prepare(&half, dir.path()).unwrap_err();
    assert!(matches!(refused, PrepareError::NotVideo { .. } | PrepareError::Convert { .. }), "{refused:?}");
}

#[test]
fn a_server_refuses_clips_and_names_that_it_can_not_serve() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.mp4");
    fs::write(&text, "words").unwrap();
    let good = dir.path().join("good.mp4");
    synthetic_clip(&good, 1).unwrap();
    let start = |clips: Vec<(&str, &std::path::Path)>| {
        DemoServer::start(DemoConfig {
            bind: ([127, 0, 0, 1], 0).into(),
            username: "admin".into(),
            password: "secret".into(),
            clips: clips.into_iter().map(|(name, path)| (name.to_owned(), path.to_owned())).collect(),
        })
    };
    assert!(matches!(start(vec![("gate", &text)]), Err(DemoError::Clip { .. })));
    assert!(matches!(start(vec![("gate 1/../x", &good)]), Err(DemoError::Name { .. })));
    assert!(matches!(start(vec![("gate", &good), ("gate", &good)]), Err(DemoError::Name { .. })));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = DemoConfig {
        bind: taken.local_addr().unwrap(),
        username: "admin".into(),
        password: "secret".into(),
        clips: vec![("gate".into(), good)],
    };
    assert!(matches!(DemoServer::start(config), Err(DemoError::Listen { .. })));
}

/// Two seconds of Motion JPEG, larger than a clip may be, with an odd height.
fn write_avi(path: &str) {
    run(&format!(
        "videotestsrc num-buffers=20 ! video/x-raw,width=1400,height=787,framerate=10/1 ! jpegenc ! \
         avimux ! filesink location=\"{path}\""
    ));
}

fn run(description: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &ends).unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
}
