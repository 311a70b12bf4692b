//! Runs the tracker over recorded detections and writes its tracks, for `models/training/tracking`.
//!
//! `cargo run -p analytics --example track -- detections.jsonl FPS > tracks.txt`
//!
//! Each line of the input is one frame: `{"frame":1,"t":0.0,"size":[768,576],"boxes":[["person",0.8,[x,y,w,h]]]}`, with `t`
//! in seconds and boxes in pixels. FPS is the rate that a task asks for. The output is in the format of the MOT
//! challenge, one line per person and frame: `frame,track,x,y,w,h,score,-1,-1,-1`.

use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader, Write, stdout},
    time::Duration,
};

use analytics::{CameraAnalyzer, FrameInput};
use protocol::{
    Algorithm, BoundingBox, CameraId, ClassTable, Detection, ParamsSpec, Task, TaskId, TaskSpec, Timestamp,
};
use serde::Deserialize;

/// One frame of the recording.
#[derive(Deserialize)]
struct Line {
    frame: u32,
    t: f32,
    size: (u32, u32),
    boxes: Vec<(String, f32, [f32; 4])>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(fps)) = (arguments.next(), arguments.next()) else {
        return Err("usage: track DETECTIONS.jsonl FPS".into());
    };
    let classes = ClassTable::new([ClassTable::PERSON, ClassTable::HELMET, ClassTable::HEAD]);
    let mut analyzer = CameraAnalyzer::new(classes.clone());
    analyzer.set_tasks(vec![task(fps.parse()?)?]);
    let mut out = stdout().lock();
    let mut decisions = Vec::new();
    for line in BufReader::new(File::open(file)?).lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let (width, height) = (line.size.0 as f32, line.size.1 as f32);
        let detection = |(class, score, [x, y, w, h]): &(String, f32, [f32; 4])| {
            let bbox = BoundingBox::new(x / width, y / height, w / width, h / height);
            classes.id(class).map(|class| Detection { class, score: *score, bbox })
        };
        let detections: Vec<Detection> = line.boxes.iter().filter_map(detection).collect();
        let at = Timestamp::from_secs(1) + Duration::from_secs_f32(line.t);
        analyzer.step(&FrameInput::new(at, line.size, &detections), &mut decisions);
        for track in analyzer.tracks().filter(|t| t.class == ClassTable::PERSON) {
            let BoundingBox { x, y, w, h } = track.bbox;
            let (x, y, w, h) = (x * width, y * height, w * width, h * height);
            let (frame, id, score) = (line.frame, track.track, track.score);
            writeln!(out, "{frame},{id},{x:.1},{y:.1},{w:.1},{h:.1},{score:.3},-1,-1,-1")?;
        }
    }
    Ok(())
}

/// A task that asks for this rate and takes every box.
fn task(fps: f32) -> Result<Task, Box<dyn Error>> {
    let start = Timestamp::from_secs(0);
    let params = ParamsSpec { sample_fps: Some(fps), ..ParamsSpec::default() };
    let spec =
        TaskSpec { params, ..TaskSpec::new(TaskId::new(start), CameraId::new(start), Algorithm::Intrusion, "track") };
    Ok(Task::try_from(spec)?)
}
