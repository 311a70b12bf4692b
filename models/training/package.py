"""Writes a model package: the ONNX file, its manifest, and the golden picture's boxes.

Thresholds come from `scores.json` in the package folder, which `evaluate --write` makes.

    python -m models.training.package --checkpoint RUN/last.pth --version 2026.11.22
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path

import cv2

from .config import CLASSES, DEFAULT_WEIGHTS, INPUT_HEIGHT, INPUT_WIDTH, NMS_IOU, PAD, REPO
from .detector import Detector
from .export import export
from .network import build, load_state, stitch

PACKAGE = REPO / "models" / "site-ppe"
NAMES = {
    "person": ("人员", "Person"),
    "helmet": ("安全帽", "Helmet"),
    "head": ("未戴安全帽的头部", "Bare head"),
}
PROVENANCE = (
    "YOLOX-nano COCO weights (Megvii, Apache-2.0) fine-tuned on Hard Hat Workers and other site "
    "pictures with person boxes pseudo-labelled by DEIMv2-femto and NanoDet-Plus; see CARD.md"
)
DEFAULT = {"person": 0.40, "helmet": 0.40, "head": 0.40}

HEADER = """\
schema = 1
name = "site-ppe"
version = "{version}"
title_zh = "人员与安全帽检测"
title_en = "Person and helmet detector"
license = "Apache-2.0"
provenance = "{provenance}"
serves = ["helmet", "intrusion", "crowd"]

[file]
path = "model.onnx"
sha256 = "{sha256}"

[input]
name = "images"
width = {width}
height = {height}
layout = "nchw"
color = "bgr"
scale = 1.0            # tensor = (pixel * scale - mean) / std
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
resize = "letterbox-top-left"
pad = {pad}
max_batch = 8

[output]
name = "output"
head = "yolox"
strides = [8, 16, 32]
nms_iou = {nms_iou}
"""


def manifest(version: str, model: Path, golden: Path, thresholds: dict[str, float]) -> str:
    """Returns the manifest's text for one ONNX file."""
    text = HEADER.format(
        version=version,
        provenance=PROVENANCE,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        width=INPUT_WIDTH,
        height=INPUT_HEIGHT,
        pad=PAD,
        nms_iou=NMS_IOU,
    )
    for name in CLASSES:
        zh, en = NAMES[name]
        text += f'\n[[classes]]\nname = "{name}"\nzh = "{zh}"\nen = "{en}"\n'
        text += f"threshold = {thresholds[name]:.2f}\n"
    text += f'\n[golden]\npicture = "{golden.name}"\n'
    picture = cv2.imread(str(golden))
    for label, score, x1, y1, x2, y2 in Detector(model)(picture):
        name = CLASSES[int(label)]
        if score < thresholds[name]:
            continue
        box = ", ".join(f"{v:.2f}" for v in (x1, y1, x2 - x1, y2 - y1))
        text += f'\n[[golden.boxes]]\nclass = "{name}"\nbbox = [{box}]\nscore = {score:.4f}\n'
    return text


def main() -> None:
    """Reads the command line and replaces the package's files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, help="checkpoint; default: stitched start")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS, help="start weights")
    parser.add_argument("--onnx", type=Path, help="take this ONNX file instead of exporting")
    parser.add_argument("--out", type=Path, default=PACKAGE, help="package folder")
    parser.add_argument("--version", required=True, help="version to write, such as 2026.11.22")
    args = parser.parse_args()
    target = args.out / "model.onnx"
    fresh = args.out / "model.onnx.new"
    if args.onnx:
        fresh.write_bytes(args.onnx.read_bytes())
    elif args.checkpoint:
        model = build()
        model.load_state_dict(load_state(args.checkpoint))
        export(model, fresh)
    else:
        export(
            stitch(
                args.weights / "helmet_head_yolox_nano_start.pth",
                args.weights / "yolox_nano_bn_reinflated.pth",
            ),
            fresh,
        )
    scores = args.out / "scores.json"
    thresholds = json.loads(scores.read_text())["thresholds"] if scores.exists() else DEFAULT
    text = manifest(args.version, fresh, args.out / "golden.jpg", thresholds)
    pending = args.out / "manifest.toml.new"
    pending.write_text(text)
    # Two renames back to back: a reader may meet a hash mismatch, never half a file.
    os.replace(fresh, target)
    os.replace(pending, args.out / "manifest.toml")
    print(text)


if __name__ == "__main__":
    main()
