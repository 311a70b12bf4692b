//! Replays of generated clips with a scripted detector. The shipped model on the demo clip is in `tests/replay.rs`.

use std::path::{Path, PathBuf};

use gstreamer::{self as gst, prelude::*};
use protocol::{BoundingBox, ClassId, ClassTable, Detection, InferenceHealth, ModelRef};

use super::*;
use crate::pipeline::Detect;

/// Sees a bare-headed person between two moments, by counting the pictures it is shown.
struct Scripted {
    classes: ClassTable,
    shown: u64,
    there: std::ops::Range<u64>,
}

impl Detect for Scripted {
    fn classes(&self) -> &ClassTable {
        &self.classes
    }

    fn model(&self) -> ModelRef {
        ModelRef { name: "script".into(), version: "1".into() }
    }

    fn health(&self) -> InferenceHealth {
        InferenceHealth::default()
    }

    fn detect(
        &mut self,
        frames: &[inference::Frame<'_>],
        out: &mut [Vec<Detection>],
    ) -> Result<(), inference::InferenceError> {
        for (frame, out) in frames.iter().zip(out) {
            frame.check()?;
            out.clear();
            if self.there.contains(&self.shown) {
                let drift = 0.002 * self.shown as f32;
                out.push(Detection {
                    class: ClassId(0),
                    score: 0.8,
                    bbox: BoundingBox::new(0.4 + drift, 0.2, 0.15, 0.7),
                });
                out.push(Detection {
                    class: ClassId(2),
                    score: 0.7,
                    bbox: BoundingBox::new(0.44 + drift, 0.2, 0.06, 0.1),
                });
            }
            self.shown += 1;
        }
        Ok(())
    }
}

fn script(there: std::ops::Range<u64>) -> Replayer {
    let classes = ClassTable::new(["person", "helmet", "head"]);
    Replayer::new(Models::only(Scripted { classes, shown: 0, there }))
}

/// Makes a clip of `secs` seconds, 25 pictures a second, a key frame each second.
fn film(folder: &Path, secs: u32, encoder: &str) -> PathBuf {
    gst::init().unwrap();
    let path = folder.join("clip.mp4");
    let description = format!(
        "videotestsrc pattern=ball num-buffers={} ! video/x-raw,format=I420,width=320,height=180,framerate=25/1 \
         ! {encoder} ! filesink location={}",
        secs * 25,
        path.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ended = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &[gst::MessageType::Eos]);
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(ended.is_some(), "the clip is made");
    path
}

const X264: &str = "x264enc key-int-max=25 speed-preset=ultrafast bframes=2 ! h264parse ! mp4mux";

fn clip(video: PathBuf) -> Clip {
    Clip { video, start: Timestamp::from_secs(0), limit: None, render: None }
}

fn tasks(text: &str) -> Watched {
    parse_tasks(text, Path::new("test")).unwrap()
}

/// The lines of a replay as text, and what it did.
fn replay(replayer: &mut Replayer, clip: &Clip, tasks: &Watched) -> (Vec<String>, Summary) {
    let mut lines = Vec::new();
    let mut take = |line: &Line| {
        lines.push(serde_json::to_string(line)?);
        Ok(())
    };
    let summary = replayer.run(clip, tasks, &mut take, &mut |_| ()).unwrap();
    (lines, summary)
}

const HELMET: &str = "[[tasks]]\nalgorithm = \"no_helmet\"\nname = \"gate\"\nparams = { dwell_secs = 0.5 }";

#[test]
fn a_clip_gives_the_same_lines_each_time_with_the_times_of_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let mut clip = clip(film(folder.path(), 8, X264));
    let tasks = tasks(HELMET);
    // There from 1 s to 4 s: at 5 pictures a second the fifth to the twentieth.
    let (lines, summary) = replay(&mut script(5..20), &clip, &tasks);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let line = |i: usize| serde_json::from_str::<serde_json::Value>(&lines[i]).unwrap();
    let (new, end) = (line(0), line(1));
    assert_eq!((&new["phase"], &new["algorithm"], &new["task"]), (&"new".into(), &"no_helmet".into(), &"gate".into()));
    assert_eq!((&new["severity"], &new["model"]["name"]), (&"orange".into(), &"script".into()));
    let (raised, over) = (new["clip_secs"].as_f64().unwrap(), end["clip_secs"].as_f64().unwrap());
    assert!((1.4..=2.4).contains(&raised), "{raised}");
    assert!((3.6..=4.4).contains(&over), "{over}");
    assert_eq!((&end["phase"], &end["alarm"]), (&"end".into(), &new["alarm"]));
    assert!(new["why"]["votes_for"].as_u64().unwrap() >= 3 && !new["boxes"].as_array().unwrap().is_empty());
    assert_eq!((summary.decoded, summary.looked_at, summary.alarms[&Algorithm::NoHelmet]), (200, 40, 1));
    assert_eq!(summary.runs, [("script 1".to_owned(), 40)]);

    assert_eq!(replay(&mut script(5..20), &clip, &tasks).0, lines, "twice the same");
    clip.render = Some(folder.path().join("drawn.mp4"));
    assert_eq!(replay(&mut script(5..20), &clip, &tasks).0, lines, "drawing changes nothing");
    let drawn = Clip { video: clip.render.take().unwrap(), ..clip };
    let (_, summary) = replay(&mut script(0..0), &drawn, &tasks);
    assert_eq!(summary.decoded, 200, "every picture is in the drawn clip");
}

#[test]
fn an_alarm_that_is_open_at_the_end_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(film(folder.path(), 4, X264));
    let (lines, _) = replay(&mut script(5..100), &clip, &tasks(HELMET));
    assert_eq!(lines.len(), 2);
    assert!(lines[1].contains("\"phase\":\"end\"") && lines[1].contains("\"cut_off\":true"), "{}", lines[1]);
}

#[test]
fn slow_tasks_decode_key_frames_only_and_sleeping_ones_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(film(folder.path(), 10, X264));
    let slow = tasks("[[tasks]]\nalgorithm = \"crowd\"\nparams = { sample_fps = 0.2 }");
    let (_, summary) = replay(&mut script(0..0), &clip, &slow);
    assert_eq!((summary.decoded, summary.looked_at), (2, 2), "of 250 pictures with 10 key frames");
    // The clip begins on a Thursday.
    let asleep = tasks(
        "[[tasks]]\nalgorithm = \"crowd\"\n[tasks.schedule]\nspans = [{ weekday = 0, from_minute = 0, to_minute = 60 }]",
    );
    let (_, summary) = replay(&mut script(0..0), &clip, &asleep);
    assert_eq!((summary.decoded, summary.looked_at, summary.runs), (0, 0, vec![]));
    // From the second minute on it would be armed; the clip starts four seconds before that.
    let later = tasks(
        "[[tasks]]\nalgorithm = \"crowd\"\n[tasks.schedule]\nspans = [{ weekday = 3, from_minute = 1, to_minute = 60 }]",
    );
    let clip = Clip { start: Timestamp::from_secs(56), ..clip };
    let (_, summary) = replay(&mut script(0..0), &clip, &later);
    assert!((140..=150).contains(&summary.decoded) && (29..=30).contains(&summary.looked_at), "{summary:?}");
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words.mp4");
    std::fs::write(&words, "this is no video, whatever its name says").unwrap();
    let run = |video: PathBuf, tasks: &Watched| {
        script(0..0).run(&clip(video), tasks, &mut |_| Ok(()), &mut |_| ()).unwrap_err().to_string()
    };
    let helmet = tasks(HELMET);
    assert!(run(folder.path().join("none.mp4"), &helmet).contains("cannot be read"));
    let error = run(words.clone(), &helmet);
    assert!(error.contains("words.mp4 is not a video"), "{error}");
    let error = run(words, &tasks("[[tasks]]\nalgorithm = \"fire_smoke\"\nname = \"yard\""));
    assert_eq!(
        error,
        "task \"yard\" (fire_smoke) cannot run: the model script 1 does not know the class `fire`, which 烟火 needs"
    );
}

#[test]
fn other_codecs_are_decoded_too() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(film(folder.path(), 2, "jpegenc ! avimux"));
    let (_, summary) = replay(&mut script(0..0), &clip, &tasks(HELMET));
    assert_eq!(
        (summary.decoded, summary.looked_at),
        (10, 10),
        "every picture is a key frame: only what is due is decoded"
    );
}
