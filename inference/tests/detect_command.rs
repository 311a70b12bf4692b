//! The `detect` program on a small folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

fn detect(arguments: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detect"));
    for (name, value) in arguments {
        command.arg(name).arg(value);
    }
    command.output().unwrap()
}

/// The golden picture as `7.jpg`, a file that is no picture, and one to ignore.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let package = support::Package::copy();
    fs::copy(package.file(package.text("golden", "picture")), dir.path().join("7.jpg")).unwrap();
    fs::write(dir.path().join("broken.jpg"), "no picture").unwrap();
    fs::write(dir.path().join("notes.txt"), "not looked at").unwrap();
    dir
}

fn run(dir: &Path, coco: Option<&Path>) -> (Output, Vec<Value>) {
    let (library, model, out) = (support::library(), support::site_ppe(), dir.join("detections.json"));
    let mut arguments =
        vec![("--onnxruntime", library.as_path()), ("--model", &model), ("--images", dir), ("--out", &out)];
    arguments.extend(coco.map(|coco| ("--coco", coco)));
    let output = detect(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output, serde_json::from_slice(&fs::read(&out).unwrap()).unwrap())
}

#[test]
fn without_annotations_ids_are_names_and_classes_count_from_one() {
    let dir = folder();
    let (output, found) = run(dir.path(), None);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("broken.jpg") && !stderr.contains("notes.txt"), "{stderr}");
    assert!(!found.is_empty() && found.iter().all(|f| f["image_id"] == json!(7)));

    let golden = &support::Package::copy().manifest["golden"]["boxes"][0];
    let class = ["person", "helmet", "head"].iter().position(|c| golden["class"].as_str() == Some(c)).unwrap() + 1;
    let expected: Vec<_> = golden["bbox"].as_array().unwrap().iter().map(|v| v.as_float().unwrap()).collect();
    let fits = |f: &&Value| {
        let close = |i: usize| (f["bbox"][i].as_f64().unwrap() - expected[i]).abs() < 2.0;
        f["category_id"] == json!(class) && (0..4).all(close)
    };
    assert!(found.iter().any(|f| fits(&f)), "{golden:?} is not among {found:?}");
}

#[test]
fn annotations_give_the_ids() {
    let dir = folder();
    let coco = dir.path().join("dev.json");
    let text = json!({
        "images": [{ "id": 4711, "file_name": "images/7.jpg", "width": 1, "height": 1 }],
        "annotations": [],
        "categories": [{ "id": 30, "name": "head" }, { "id": 20, "name": "helmet" }],
    });
    fs::write(&coco, text.to_string()).unwrap();
    let (_, found) = run(dir.path(), Some(&coco));
    assert!(!found.is_empty());
    let known = |f: &Value| f["image_id"] == json!(4711) && [json!(20), json!(30)].contains(&f["category_id"]);
    assert!(found.iter().all(known), "persons have no category here and must be left out");
}

#[test]
fn what_is_missing_is_said() {
    let dir = folder();
    let (library, model, out) = (support::library(), support::site_ppe(), dir.path().join("out.json"));
    let empty = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    for (name, value, expect) in [
        ("--onnxruntime", nowhere.as_path(), "make setup"),
        ("--model", &nowhere, "manifest.toml"),
        ("--images", empty.path(), "no JPEG or PNG"),
        ("--coco", &nowhere, "cannot read"),
    ] {
        let mut arguments =
            vec![("--onnxruntime", library.as_path()), ("--model", &model), ("--images", dir.path()), ("--out", &out)];
        arguments.retain(|(known, _)| *known != name);
        arguments.push((name, value));
        let output = detect(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(expect), "{name}: {stderr}");
    }
}

#[test]
fn a_folder_of_packages_gives_the_boxes_of_all() {
    let dir = folder();
    let packages = tempfile::tempdir().unwrap();
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    for case in ["made-yolov8", "made-classifier", "made-gfl"] {
        let package = packages.path().join(case);
        fs::create_dir(&package).unwrap();
        fs::copy(conformance.join(format!("{case}.onnx")), package.join(format!("{case}.onnx"))).unwrap();
        fs::copy(conformance.join("picture.png"), package.join("picture.png")).unwrap();
        let text = fs::read_to_string(conformance.join(format!("{case}.toml"))).unwrap();
        let text = if case == "made-classifier" { text.replace("\"car\"", "\"hat\"") } else { text };
        let text = if case == "made-gfl" { text.replace("schema = 1", "schema = 2") } else { text };
        fs::write(package.join("manifest.toml"), text).unwrap();
    }
    let (library, out) = (support::library(), dir.path().join("detections.json"));
    let output = detect(&[
        ("--onnxruntime", &library),
        ("--models", packages.path()),
        ("--images", dir.path()),
        ("--out", &out),
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("made-gfl") && stderr.contains("schema 2"), "the refused one is named: {stderr}");
    assert!(stderr.contains("made-yolov8 1 | yolov8 96×64 | cpu fp32 |"), "{stderr}");
    assert!(stderr.contains("made-classifier 1 | classifier 64×48 | cpu fp32 |"), "{stderr}");
    let found: Vec<Value> = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    // Judged persons stand beside the persons themselves: in the same place, weaker.
    let category = |f: &Value| f["category_id"].as_u64().unwrap();
    assert!(found.iter().any(|f| category(f) == 1), "{found:?}");
    assert!(found.iter().is_sorted_by(|a, b| a["score"].as_f64() >= b["score"].as_f64()));
    let pairs =
        found.iter().any(|a| found.iter().any(|b| a["bbox"] == b["bbox"] && a["score"].as_f64() > b["score"].as_f64()));
    assert!(pairs, "{found:?}");
}
