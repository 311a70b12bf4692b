"""Writes a detector's package: the ONNX file, its manifest, and the golden picture's boxes.

Thresholds come from `scores.json` in the package folder, which `evaluate --write` makes.

    python -m models.training.package --net site-ppe --onnx RUN/model.onnx --version 2026.11.22
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2

from .config import NETS, NMS_IOU, PAD, Net
from .detector import Detector

NAMES = {
    "person": ("人员", "Person"),
    "helmet": ("安全帽", "Helmet"),
    "head": ("未戴安全帽的头部", "Bare head"),
    "car": ("小汽车", "Car"),
    "truck": ("货车", "Truck"),
    "bus": ("客车", "Bus"),
    "motorcycle": ("摩托车/电动车", "Motorcycle"),
    "bicycle": ("自行车", "Bicycle"),
    "boat": ("船舶", "Boat"),
    "excavator": ("挖掘机", "Excavator"),
    "dump_truck": ("自卸车", "Dump truck"),
    "loader": ("装载机", "Loader"),
    "fire": ("明火", "Fire"),
    "smoke": ("烟雾", "Smoke"),
    "ponding": ("积水", "Ponding"),
}


@dataclass(frozen=True)
class About:
    """What the manifest says about a detector besides its network."""

    zh: str
    en: str
    serves: tuple[str, ...]
    provenance: str


ABOUT = {
    "site-ppe": About(
        "人员、安全帽与车辆检测",
        "Person, helmet and vehicle detector",
        ("helmet", "intrusion", "crowd"),
        "YOLOX-nano COCO weights (Megvii, Apache-2.0) fine-tuned on Hard Hat Workers and other "
        "site pictures with person and vehicle boxes pseudo-labelled by DEIMv2-femto and "
        "NanoDet-Plus; see CARD.md",
    ),
    "site-scene": About(
        "工程机械、烟火与积水检测",
        "Machine, fire, smoke and ponding detector",
        ("fire", "ponding"),
        "YOLOX-nano COCO weights (Megvii, Apache-2.0) fine-tuned on public pictures of machines, "
        "fire, smoke and ponding; see CARD.md",
    ),
}

HEADER = """\
schema = 1
name = "{name}"
version = "{version}"
title_zh = "{zh}"
title_en = "{en}"
license = "Apache-2.0"
provenance = "{provenance}"
serves = {serves}

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


def manifest(net: Net, version: str, model: Path, golden: Path, thresholds: dict) -> str:
    """Returns the manifest's text for one ONNX file."""
    about = ABOUT[net.name]
    text = HEADER.format(
        name=net.name,
        version=version,
        zh=about.zh,
        en=about.en,
        serves=json.dumps(about.serves),
        provenance=about.provenance,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        width=net.width,
        height=net.height,
        pad=PAD,
        nms_iou=NMS_IOU,
    )
    for name in net.classes:
        zh, en = NAMES[name]
        text += f'\n[[classes]]\nname = "{name}"\nzh = "{zh}"\nen = "{en}"\n'
        text += f"threshold = {thresholds[name]:.2f}\n"
    text += f'\n[golden]\npicture = "{golden.name}"\n'
    picture = cv2.imread(str(golden))
    for label, score, x1, y1, x2, y2 in Detector(model, net)(picture):
        name = net.classes[int(label)]
        if score < thresholds[name]:
            continue
        box = ", ".join(f"{v:.2f}" for v in (x1, y1, x2 - x1, y2 - y1))
        text += f'\n[[golden.boxes]]\nclass = "{name}"\nbbox = [{box}]\nscore = {score:.4f}\n'
    return text


def replace(folder: Path, model: Path, text: str) -> None:
    """Puts a model and its manifest into a package folder."""
    fresh, pending = folder / "model.onnx.new", folder / "manifest.toml.new"
    fresh.write_bytes(model.read_bytes())
    pending.write_text(text)
    # Two renames back to back: a reader may meet a hash mismatch, never half a file.
    os.replace(fresh, folder / "model.onnx")
    os.replace(pending, folder / "manifest.toml")


def main() -> None:
    """Reads the command line and replaces the package's files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=NETS, default="site-ppe", help="which detector")
    parser.add_argument("--onnx", type=Path, required=True, help="ONNX file that export wrote")
    parser.add_argument("--out", type=Path, help="package folder; default: the committed one")
    parser.add_argument("--version", required=True, help="version to write, such as 2026.11.22")
    args = parser.parse_args()
    net = NETS[args.net]
    folder = args.out or net.package
    scores = folder / "scores.json"
    thresholds = dict.fromkeys(net.classes, 0.40)
    if scores.exists():
        thresholds |= json.loads(scores.read_text())["thresholds"]
    text = manifest(net, args.version, args.onnx, folder / "golden.jpg", thresholds)
    replace(folder, args.onnx, text)
    print(text)


if __name__ == "__main__":
    main()
