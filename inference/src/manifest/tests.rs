//! Every refusal names its key; rubbish never panics.

use proptest::prelude::*;

use super::*;

const VALID: &str = r#"
schema = 1
name = "two-classes"
version = "1"
title_zh = "二类"
title_en = "Two classes"
license = "Apache-2.0"
provenance = "made up"
serves = ["helmet"]

[file]
path = "model.onnx"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[input]
name = "images"
width = 64
height = 64
layout = "nchw"
color = "bgr"
scale = 1.0
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
resize = "letterbox-top-left"
pad = 114
max_batch = 8

[output]
name = "output"
head = "yolox"
strides = [8, 16, 32]
nms_iou = 0.6

[[classes]]
name = "person"
zh = "人员"
en = "Person"
threshold = 0.4

[[classes]]
name = "head"
zh = "头部"
en = "Head"
threshold = 0.5

[golden]
picture = "golden.jpg"

[[golden.boxes]]
class = "head"
bbox = [1.0, 2.0, 3.0, 4.0]
score = 0.5
"#;

fn check(from: &str, to: &str, expect: &str) {
    assert!(VALID.contains(from), "`{from}` is not in the valid manifest");
    let error = Manifest::parse(&VALID.replace(from, to)).expect_err(to).to_string();
    assert!(error.contains(expect), "`{to}` gave: {error}");
}

#[test]
fn a_valid_manifest_is_read() {
    let manifest = Manifest::parse(VALID).unwrap();
    assert_eq!(manifest.class_table().names(), ["person", "head"]);
    assert_eq!((manifest.input.width, manifest.input.order), (64, ChannelOrder::Bgr));
    assert_eq!(manifest.golden.boxes[0].class, 1);
    assert_eq!(manifest.frame_values(), 3 * 64 * 64);
}

#[test]
fn each_mistake_is_named() {
    for (from, to, expect) in [
        ("schema = 1", "schema = 2", "schema 2"),
        ("schema = 1", "schema = \"1\"", "schema"),
        ("schema = 1\n", "", "schema"),
        ("name = \"two-classes\"", "name = \"\"", "`name`"),
        ("license", "licence", "licence"),
        ("\"model.onnx\"", "\"../model.onnx\"", "`file.path`"),
        ("\"model.onnx\"", "\"/etc/passwd\"", "`file.path`"),
        ("\"model.onnx\"", "\".\"", "`file.path`"),
        ("\"e3b0", "\"E3B0", "`file.sha256`"),
        ("width = 64", "width = 72", "`input.width`"),
        ("height = 64", "height = 0", "`input.height`"),
        ("width = 64", "width = -1", "width"),
        ("nchw", "nhwc", "`input.layout`"),
        ("\"bgr\"", "\"grey\"", "`input.color`"),
        ("letterbox-top-left", "stretch", "`input.resize`"),
        ("scale = 1.0", "scale = nan", "`input.scale`"),
        ("std = [1.0,", "std = [0.0,", "`input.std`"),
        ("mean = [0.0,", "mean = [inf,", "`input.mean`"),
        ("mean = [0.0,", "mean = [", "mean"),
        ("pad = 114", "pad = 256", "pad"),
        ("max_batch = 8", "max_batch = 0", "`input.max_batch`"),
        ("\"yolox\"", "\"nanodet\"", "`nanodet`"),
        ("[8, 16, 32]", "[]", "`output.strides`"),
        ("[8, 16, 32]", "[0]", "`output.strides`"),
        ("nms_iou = 0.6", "nms_iou = 1.5", "`output.nms_iou`"),
        ("threshold = 0.4", "threshold = 1.4", "`person`"),
        ("name = \"head\"", "name = \"person\"", "`person`"),
        ("class = \"head\"", "class = \"hat\"", "`hat`"),
        ("3.0, 4.0]", "-3.0, 4.0]", "`golden.boxes.bbox`"),
        ("score = 0.5", "score = 5", "`golden.boxes.score`"),
        ("\"golden.jpg\"", "\"a/b.jpg\"", "`golden.picture`"),
        ("[golden]", "[golden", "not valid"),
    ] {
        check(from, to, expect);
    }
    let no_boxes = &VALID[..VALID.find("[[golden.boxes]]").unwrap()];
    assert!(Manifest::parse(&format!("{no_boxes}boxes = []\n")).unwrap_err().to_string().contains("`golden.boxes`"));
    let huge = VALID.replace("= 64", "= 4096").replace("max_batch = 8", "max_batch = 64");
    assert!(Manifest::parse(&huge).unwrap_err().to_string().contains("256 MiB"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Manifest::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_manifests_never_panic(at in 0..VALID.len(), len in 0usize..40, with in ".{0,20}") {
        let end = (at + len).min(VALID.len());
        let damaged = [&VALID.as_bytes()[..at], with.as_bytes(), &VALID.as_bytes()[end..]].concat();
        let _ = Manifest::parse(&String::from_utf8_lossy(&damaged));
    }

    #[test]
    fn any_numbers_never_panic(width in any::<i64>(), batch in any::<i64>(), iou in any::<f64>()) {
        let text = VALID
            .replace("width = 64", &format!("width = {width}"))
            .replace("max_batch = 8", &format!("max_batch = {batch}"))
            .replace("nms_iou = 0.6", &format!("nms_iou = {iou:e}"));
        let _ = Manifest::parse(&text);
    }
}
