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

/// `[output]` of every kind of head, for the two classes of the valid manifest.
pub(crate) const HEADS: [&str; 8] = [
    "name = \"output\"\nhead = \"yolox\"\nstrides = [8, 16, 32]\nnms_iou = 0.6",
    "name = \"output\"\nhead = \"yolov8\"\nnms_iou = 0.6",
    "name = \"output\"\nhead = \"gfl\"\nstrides = [8, 16]\nreg_max = 7\nnms_iou = 0.6",
    "name = \"boxes\"\nhead = \"detr\"\nbox_format = \"xyxy\"\nlabels = \"labels\"\nscores = \"scores\"",
    "name = \"boxes\"\nhead = \"detr\"\nbox_format = \"cxcywh-normalised\"\nlogits = \"logits\"",
    "name = \"boxes\"\nhead = \"detr\"\nbox_format = \"xyxy-normalised\"\nlogits = \"logits\"\nactivation = \"softmax\"",
    "name = \"output\"\nhead = \"classifier\"\nactivation = \"softmax\"",
    "name = \"output\"\nhead = \"embedding\"\ndim = 16",
];

/// The valid manifest with another `[output]`, and what else that head needs.
pub(crate) fn text_with(head: &str) -> String {
    let (start, end) = (VALID.find("[output]").unwrap(), VALID.find("[[classes]]").unwrap());
    let mut text = format!("{}[output]\n{head}\n\n{}", &VALID[..start], &VALID[end..]);
    let crop = "[crop]\nof = [\"car\"]\nmargin = 0.15\nmin_px = 24\nmax_per_frame = 8\n\n";
    if head.contains("classifier") {
        text = text.replacen("[[classes]]", &format!("{crop}[[classes]]"), 1);
    }
    if head.contains("embedding") {
        let (start, end) = (text.find("[[classes]]").unwrap(), text.find("[golden]").unwrap());
        text = format!("{}{crop}{}", &text[..start], &text[end..]);
        text = text.replace("[[golden.boxes]]\nclass = \"head\"", "[[golden.vectors]]");
        text = text.replace("score = 0.5", "starts = [0.25, -0.5]");
    }
    text
}

pub(crate) fn manifest_with(head: &str) -> Manifest {
    Manifest::parse(&text_with(head)).unwrap()
}

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
        ("nchw", "nwhc", "`input.layout`"),
        ("\"bgr\"", "\"grey\"", "`input.color`"),
        ("letterbox-top-left", "squash", "`input.resize`"),
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

#[test]
fn every_head_is_read() {
    let names = HEADS.map(|head| manifest_with(head).head.name());
    assert_eq!(names, ["yolox", "yolov8", "gfl", "detr", "detr", "detr", "classifier", "embedding"]);
    let classifier = manifest_with(HEADS[6]);
    let crop = CropSpec { of: vec!["car".into()], margin: 0.15, min_px: 24, max_per_frame: 8 };
    assert_eq!(classifier.crop, Some(crop));
    let embedding = manifest_with(HEADS[7]);
    assert_eq!(embedding.head, HeadSpec::Embedding { name: "output".into(), dim: 16 });
    assert_eq!(embedding.golden.vectors[0].starts, [0.25, -0.5]);
    let centred = VALID.replace("letterbox-top-left", "letterbox-center");
    assert_eq!(Manifest::parse(&centred).unwrap().input.resize, Resize::LetterboxCenter);
}

#[test]
fn what_does_not_belong_to_a_head_is_named() {
    for (head, from, to, expect) in [
        (0, "nms_iou = 0.6", "", "`output.nms_iou`"),
        (0, "nms_iou", "dim = 4\nnms_iou", "`output.dim`"),
        (1, "nms_iou = 0.6", "nms_iou = 0.6\nstrides = [8]", "`output.strides`"),
        (2, "reg_max = 7", "", "`output.reg_max`"),
        (2, "reg_max = 7", "reg_max = 65", "`output.reg_max`"),
        (2, "reg_max = 7", "reg_max = 7\ncell_offset = 1.5", "`output.cell_offset`"),
        (3, "labels = \"labels\"", "", "`output.labels`"),
        (3, "labels = \"labels\"", "logits = \"labels\"", "`output.scores`"),
        (3, "\"xyxy\"", "\"ltrb\"", "`output.box_format`"),
        (4, "box_format", "nms_iou = 0.5\nbox_format", "`output.nms_iou`"),
        (5, "softmax", "tanh", "`output.activation`"),
        (6, "[crop]\nof = [\"car\"]\nmargin = 0.15\nmin_px = 24\nmax_per_frame = 8\n", "", "`crop`"),
        (6, "of = [\"car\"]", "of = []", "`crop.of`"),
        (6, "margin = 0.15", "margin = nan", "`crop.margin`"),
        (6, "min_px = 24", "min_px = 0", "`crop.min_px`"),
        (6, "max_per_frame = 8", "max_per_frame = 65", "`crop.max_per_frame`"),
        (6, "name = \"images\"", "name = \"images\"\nsize_name = \"size\"", "`input.size_name`"),
        (7, "dim = 16", "dim = 1", "`output.dim`"),
        (7, "[0.25, -0.5]", "[0.25, -1.5]", "`golden.vectors.starts`"),
        (7, "starts = [0.25, -0.5]", "starts = []", "`golden.vectors.starts`"),
        (7, "[golden]", "[[classes]]\nname = \"a\"\nzh = \"a\"\nen = \"a\"\nthreshold = 0.5\n[golden]", "`classes`"),
    ] {
        let text = text_with(HEADS[head]);
        assert!(text.contains(from), "`{from}` is not in {text}");
        let error = Manifest::parse(&text.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.contains(expect), "`{to}` gave: {error}");
    }
    let crop = "[crop]\nof = [\"car\"]\nmargin = 0.1\nmin_px = 24\nmax_per_frame = 8\n\n[golden]";
    assert!(Manifest::parse(&VALID.replace("[golden]", crop)).unwrap_err().to_string().contains("`crop`"));
    let many = VALID.replace("= 64", "= 4096").replace("max_batch = 8", "max_batch = 1").replace("[8, 16", "[1, 2");
    assert!(Manifest::parse(&many).unwrap_err().to_string().contains("`output.strides`"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Manifest::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_manifests_never_panic(
        head in prop::sample::select(HEADS.to_vec()),
        at in 0.0f32..1.0,
        len in 0usize..40,
        with in ".{0,20}",
    ) {
        let whole = text_with(head);
        let start = (whole.len() as f32 * at) as usize;
        let end = (start + len).min(whole.len());
        let damaged = [&whole.as_bytes()[..start], with.as_bytes(), &whole.as_bytes()[end..]].concat();
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
