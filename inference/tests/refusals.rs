//! A model that is damaged, or is not what its manifest says, is refused with its reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::fs;

use inference::ModelRefused;
use support::{
    Package,
    onnx::{self, FLOAT, Tensor, UINT8},
};

const INPUT: Tensor = Tensor("images", FLOAT, &[-1, 3, 64, 64]);

#[test]
fn the_committed_model_is_accepted() {
    let package = Package::copy();
    let detector = package.load().unwrap();
    assert_eq!(detector.model().name, "site-ppe");
    assert_eq!(detector.classes().names(), ["person", "helmet", "head"]);
    assert_eq!(detector.thresholds().len(), 3);
    let health = detector.health();
    assert_eq!((health.provider.as_str(), health.precision.as_str()), ("cpu", "fp32"));
}

#[test]
fn missing_files_are_named() {
    for file in ["manifest.toml", "model.onnx", "golden.jpg"] {
        let package = Package::copy();
        fs::remove_file(package.file(file)).unwrap();
        let refusal = support::load(package.file("manifest.toml").parent().unwrap()).unwrap_err();
        assert!(matches!(&refusal, ModelRefused::FileMissing(path) if path.ends_with(file)), "{refusal}");
    }
}

#[test]
fn a_manifest_that_is_no_text_is_refused() {
    let package = Package::copy();
    fs::write(package.file("manifest.toml"), [0xff, 0xfe, 0x00]).unwrap();
    let refusal = support::load(package.file("manifest.toml").parent().unwrap()).unwrap_err();
    assert!(matches!(refusal, ModelRefused::ManifestSyntax(_)), "{refusal}");
}

#[test]
fn a_changed_model_file_is_refused_by_its_hash() {
    let package = Package::copy();
    let mut model = package.model();
    let middle = model.len() / 2;
    model[middle] ^= 1;
    fs::write(package.file("model.onnx"), model).unwrap();
    let refusal = package.refusal();
    assert!(matches!(refusal, ModelRefused::WrongHash { .. }), "{refusal}");
}

#[test]
fn files_that_are_no_networks_are_refused() {
    let whole = Package::copy().model();
    let noise: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: [(&str, &[u8]); 6] = [
        ("empty", &[]),
        ("text", b"not a model"),
        ("noise", &noise),
        ("cut in half", &whole[..whole.len() / 2]),
        ("last bytes gone", &whole[..whole.len() - 100]),
        ("twice", &[&whole[..], &whole[..]].concat()),
    ];
    for (what, bytes) in cases {
        let mut package = Package::copy();
        package.replace_model(bytes);
        let refusal = package.refusal();
        assert!(matches!(refusal, ModelRefused::NotLoadable { .. }), "{what}: {refusal}");
    }
}

#[test]
fn flipped_bytes_never_crash() {
    let whole = Package::copy().model();
    let mut package = Package::copy();
    for i in 0..24usize {
        let mut damaged = whole.clone();
        // Half of the damage goes to the graph at the end of the file, where structure is, half anywhere.
        let span = if i % 2 == 0 { damaged.len() } else { 4096 };
        let at = damaged.len() - 1 - (i * 7919 * 131) % span;
        damaged[at] ^= 1 << (i % 8);
        package.replace_model(&damaged);
        // A flipped weight may be harmless; what counts is that there is an answer.
        let _ = package.load();
    }
}

#[test]
fn other_dimensions_are_refused() {
    let mut package = Package::copy();
    package.set("input", "width", 416);
    package.set("input", "height", 416);
    let refusal = package.refusal();
    assert!(matches!(refusal, ModelRefused::InputShape { .. }), "{refusal}");
    assert!(refusal.to_string().contains("N×3×416×416"), "{refusal}");

    let mut package = Package::copy();
    package.set("output", "strides", vec![8, 16]);
    let refusal = package.refusal();
    assert!(matches!(refusal, ModelRefused::OutputShape { .. }), "{refusal}");
}

#[test]
fn other_class_counts_are_refused() {
    let mut package = Package::copy();
    let classes = package.manifest["classes"].as_array_mut().unwrap();
    let mut extra = classes[0].clone();
    extra["name"] = "vest".into();
    classes.push(extra);
    let refusal = package.refusal();
    assert!(matches!(refusal, ModelRefused::ClassCount { manifest: 4, network: 3 }), "{refusal}");
}

#[test]
fn other_names_are_refused() {
    let mut package = Package::copy();
    package.set("input", "name", "pixels");
    assert!(matches!(package.refusal(), ModelRefused::InputName { .. }));
    let mut package = Package::copy();
    package.set("output", "name", "boxes");
    assert!(matches!(package.refusal(), ModelRefused::OutputName { .. }));
}

#[test]
fn another_head_is_refused() {
    let mut package = Package::copy();
    package.set("output", "head", "frcnn");
    assert!(matches!(package.refusal(), ModelRefused::UnsupportedHead(head) if head == "frcnn"));
}

#[test]
fn other_types_are_refused() {
    let identity = |element| {
        let input = Tensor("images", element, &[-1, 3, 64, 64]);
        onnx::model("Identity", &[input], &[Tensor("output", element, &[-1, 3, 64, 64])])
    };
    let refusal = Package::around(&identity(UINT8)).refusal();
    assert!(matches!(refusal, ModelRefused::InputType(_)), "{refusal}");
    // The input is right here, the output is a picture.
    let refusal = Package::around(&identity(FLOAT)).refusal();
    assert!(matches!(refusal, ModelRefused::OutputShape { .. }), "{refusal}");
    let shape = onnx::model("Shape", &[INPUT], &[Tensor("output", onnx::INT64, &[4])]);
    let refusal = Package::around(&shape).refusal();
    assert!(matches!(refusal, ModelRefused::OutputType { .. }), "{refusal}");
}

#[test]
fn a_second_input_is_refused() {
    let sum = onnx::model(
        "Add",
        &[INPUT, Tensor("more", FLOAT, &[-1, 3, 64, 64])],
        &[Tensor("output", FLOAT, &[-1, 3, 64, 64])],
    );
    let refusal = Package::around(&sum).refusal();
    assert!(matches!(&refusal, ModelRefused::InputName { found, .. } if found == "images, more"), "{refusal}");
}

#[test]
fn a_fixed_batch_must_be_the_only_batch() {
    let fixed = |batch: &'static [i64]| {
        onnx::model("Identity", &[Tensor("images", FLOAT, batch)], &[Tensor("output", FLOAT, batch)])
    };
    let refusal = Package::around(&fixed(&[1, 3, 64, 64])).refusal();
    assert!(matches!(refusal, ModelRefused::InputShape { .. }), "{refusal}");
    let mut package = Package::around(&fixed(&[1, 3, 64, 64]));
    package.set("input", "max_batch", 1);
    let refusal = package.refusal();
    assert!(matches!(refusal, ModelRefused::OutputShape { .. }), "the input fits now: {refusal}");
}

#[test]
fn a_free_output_shape_is_checked_by_a_run() {
    // 64 × 64 × 3 values in rows of 6 are 2048 rows; the head wants 84.
    let reshape = onnx::model_with("Reshape", &[INPUT], &[Tensor("output", FLOAT, &[-1, -1, 6])], &[0, -1, 6]);
    let refusal = Package::around(&reshape).refusal();
    assert!(matches!(&refusal, ModelRefused::OutputShape { found, .. } if found.ends_with("2048×6")), "{refusal}");
}

#[test]
fn an_unknown_operator_is_refused() {
    let odd = onnx::model("NoSuchOperator", &[INPUT], &[Tensor("output", FLOAT, &[-1, 84, 6])]);
    let refusal = Package::around(&odd).refusal();
    assert!(matches!(&refusal, ModelRefused::NotLoadable { reason, .. } if reason.contains("NoSuchOperator")));
}

#[test]
fn a_golden_picture_that_is_none_is_refused() {
    for rubbish in [&b"no picture"[..], &[], &[0xff, 0xd8, 0xff, 0xe0, 0, 16]] {
        let package = Package::copy();
        fs::write(package.file("golden.jpg"), rubbish).unwrap();
        let refusal = package.refusal();
        assert!(matches!(refusal, ModelRefused::GoldenPicture { .. }), "{refusal}");
    }
}

#[test]
fn a_model_that_does_not_see_what_it_must_is_refused() {
    let change = |key: &str, value: toml::Value| {
        let mut package = Package::copy();
        package.manifest["golden"]["boxes"][0][key] = value;
        package.refusal()
    };
    let first = &Package::copy().manifest["golden"]["boxes"][0];
    let score = first["score"].as_float().unwrap();
    let other = if first["class"].as_str() == Some("person") { "helmet" } else { "person" };
    let off = if score > 0.5 { score - 0.1 } else { score + 0.1 };
    for refusal in
        [change("score", off.into()), change("class", other.into()), change("bbox", vec![1.0, 1.0, 20.0, 20.0].into())]
    {
        assert!(matches!(refusal, ModelRefused::GoldenMismatch { .. }), "{refusal}");
    }
}

#[test]
fn a_batch_frozen_at_export_is_refused() {
    // Says it takes any batch, but always gives one frame's worth of rows.
    let frozen = onnx::model_with("Reshape", &[INPUT], &[Tensor("output", FLOAT, &[-1, -1, -1])], &[1, -1, 6]);
    let refusal = Package::around(&frozen).refusal();
    assert!(matches!(&refusal, ModelRefused::OutputShape { found, .. } if found == "1×4096×6"), "{refusal}");
}

#[test]
fn weights_outside_of_the_file_are_refused() {
    // The last one exists, beside the process instead of the package.
    for file in ["golden.jpg", "/etc/passwd", "../Cargo.toml", "Cargo.toml"] {
        let refusal = Package::around(&onnx::model_with_external_weights(file)).refusal();
        assert!(matches!(refusal, ModelRefused::NotLoadable { .. }), "{file}: {refusal}");
    }
}

#[test]
fn a_network_that_wants_all_memory_is_refused() {
    // Sixteen terabytes, at loading or at the first run.
    let output = [Tensor("output", FLOAT, &[-1, 84, 6])];
    let rows: (&str, &[i64]) = ("rows", &[-1, 84, 6]);
    let constant = onnx::model_of(
        &[
            ("ConstantOfShape", &["shape"], "huge"),
            ("ReduceMax", &["huge"], "one"),
            ("Reshape", &["images", "rows"], "flat"),
            ("Add", &["flat", "one"], "output"),
        ],
        &[("shape", &[1 << 42]), rows],
        &[INPUT],
        &output,
    );
    let running = onnx::model_of(
        &[
            ("Tile", &["images", "repeats"], "huge"),
            ("ReduceMax", &["huge"], "most"),
            ("Reshape", &["most", "single"], "one"),
            ("Reshape", &["images", "rows"], "flat"),
            ("Add", &["flat", "one"], "output"),
        ],
        &[("repeats", &[1 << 14, 1 << 14, 1, 1]), ("single", &[1]), rows],
        &[INPUT],
        &output,
    );
    for (what, model) in [("constant", constant), ("running", running)] {
        let refusal = Package::around(&model).refusal();
        let expected = matches!(refusal, ModelRefused::NotLoadable { .. } | ModelRefused::Run(_));
        assert!(expected, "{what}: {refusal}");
    }
}
