//! `edge-agent replay` as outside evaluators run it: the shipped model on the demo clip.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that looks at nothing says so")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const TASKS: &str = r#"
[[tasks]]
algorithm = "intrusion"
name = "walkway"
params = { dwell_secs = 1.0, min_target_px = 20 }

[[tasks.zones]]
name = "lawn"
points = [[0.0, 0.3], [1, 0.3], [1, 1], [0.0, 1.0]]

[[tasks]]
algorithm = "crowd"
params = { crowd_size = 3, dwell_secs = 2.0, sample_fps = 2 }
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The demo clip; without the set-up there is none, and the test says that it looks at nothing.
fn demo_clip() -> Option<PathBuf> {
    let clip = root().join(".cache/clips/vtest.avi");
    if !clip.is_file() {
        eprintln!("skipped: {} is not there; run `make setup`", clip.display());
        return None;
    }
    Some(clip)
}

fn replay(folder: &Path, tasks: &str, video: &Path, out: &str, more: &[&str]) -> Output {
    let file = folder.join("tasks.toml");
    fs::write(&file, tasks).unwrap();
    Command::new(env!("CARGO_BIN_EXE_edge-agent"))
        .current_dir(root())
        .args(["--log", "warn", "replay", "--models", "models/site-ppe", "--seconds", "10", "--tasks"])
        .arg(file)
        .arg("--video")
        .arg(video)
        .arg("--out")
        .arg(folder.join(out))
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn two_runs_over_the_demo_clip_are_the_same_to_the_byte() {
    let Some(clip) = demo_clip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let drawn = folder.path().join("drawn.mp4");
    let first = replay(folder.path(), TASKS, &clip, "a.jsonl", &["--render", drawn.to_str().unwrap()]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let second = replay(folder.path(), TASKS, &clip, "b.jsonl", &["--threads", "1"]);
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    let (a, b) = (fs::read(folder.path().join("a.jsonl")).unwrap(), fs::read(folder.path().join("b.jsonl")).unwrap());
    assert_eq!(String::from_utf8_lossy(&a), String::from_utf8_lossy(&b));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(a).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let new = lines.iter().find(|l| l["phase"] == "new").expect("people walk over the lawn");
    assert_eq!(
        (&new["task"], &new["zone"], &new["model"]["name"]),
        (&"walkway".into(), &"lawn".into(), &"site-ppe".into())
    );
    let at = new["clip_secs"].as_f64().unwrap();
    assert!((1.0..10.0).contains(&at) && new["at_us"].as_i64().unwrap() == (at * 1e6).round() as i64);
    assert!(fs::metadata(drawn).unwrap().len() > 100_000);
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(told.contains("intrusion:") && told.contains("site-ppe"), "{told}");
}

#[test]
fn what_goes_wrong_has_an_exit_code_of_its_own_and_a_sentence() {
    if demo_clip().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words.mp4");
    fs::write(&words, "this is no video").unwrap();
    let check = |tasks: &str, more: &[&str], code: i32, sentence: &str| {
        let output = replay(folder.path(), tasks, &words, "x.jsonl", more);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && told.contains(sentence), "{:?}: {told}", output.status);
        assert!(!folder.path().join("x.jsonl").exists(), "nothing is left of a run that failed");
    };
    check("[[tasks]]\nalgorithm = \"helmets\"", &[], 3, "line 2");
    check("[[tasks]]\nalgorithm = \"fire_smoke\"", &[], 4, "does not know the class `fire`");
    check(TASKS, &["--onnxruntime", "nowhere.so"], 4, "ONNX Runtime is not at nowhere.so");
    check(TASKS, &[], 5, "is not a video");
    check(TASKS, &["--start", "yesterday"], 2, "2026-11-22T08:00:00+08:00");
}
