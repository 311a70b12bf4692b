"""Completes the training sets with boxes that teachers agree on, and marks doubtful places.

Persons: a box counts when DEIMv2-femto and NanoDet-Plus both see it with a score of at least
0.45; what only one of them sees, or both see faintly, becomes an ignore region. Helmets and bare
heads, in sets that do not label them: a helmet detector's sure boxes count, its faint ones are
ignored.

    python -m models.training.pseudo_label --out pseudo.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .config import DEFAULT_DATA, DEFAULT_WEIGHTS, HEAD, HELMET, PERSON, TRAIN_SETS
from .datasets import Picture, head_without_person, read_set, rows
from .detector import Detector, nms
from .metrics import pairwise

SURE, DOUBT = 0.45, 0.20
HEAD_SURE, HEAD_DOUBT = 0.55, 0.12
AGREE_IOU = 0.55


class Deim:
    """DEIMv2-femto: persons as rows (score, x1, y1, x2, y2)."""

    def __init__(self, path: Path) -> None:
        self.session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Finds persons on one BGR picture."""
        tensor = cv2.resize(picture, (416, 416))[:, :, ::-1].transpose(2, 0, 1)[None] / 255
        size = np.array([[picture.shape[1], picture.shape[0]]], np.int64)
        labels, boxes, scores = self.session.run(
            None, {"images": tensor.astype(np.float32), "orig_target_sizes": size}
        )
        keep = (labels[0] == 0) & (scores[0] >= DOUBT)
        return np.concatenate([scores[0][keep, None], boxes[0][keep]], 1)


class NanoDet:
    """NanoDet-Plus-m 416: persons as rows (score, x1, y1, x2, y2)."""

    MEAN = np.array([103.53, 116.28, 123.675], np.float32)
    STD = np.array([57.375, 57.12, 58.395], np.float32)

    def __init__(self, path: Path) -> None:
        self.session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        cells, strides = [], []
        for stride in (8, 16, 32, 64):
            count = -(-416 // stride)
            y, x = np.mgrid[:count, :count]
            cells.append(np.stack([x, y], -1).reshape(-1, 2) * stride)
            strides.append(np.full((count * count, 1), stride))
        self.cells, self.strides = np.concatenate(cells), np.concatenate(strides)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Finds persons on one BGR picture."""
        resized = (cv2.resize(picture, (416, 416)).astype(np.float32) - self.MEAN) / self.STD
        raw = self.session.run(None, {"data": resized.transpose(2, 0, 1)[None]})[0][0]
        keep = (raw[:, 0] >= DOUBT) & (raw[:, :80].argmax(1) == 0)
        bins = raw[keep, 80:].reshape(-1, 4, 8)
        bins = np.exp(bins - bins.max(2, keepdims=True))
        reach = (bins / bins.sum(2, keepdims=True) @ np.arange(8)) * self.strides[keep]
        cells = self.cells[keep]
        boxes = np.concatenate([cells - reach[:, :2], cells + reach[:, 2:]], 1)
        boxes *= np.tile([picture.shape[1] / 416, picture.shape[0] / 416], 2)
        kept = nms(boxes, raw[keep, 0], 0.6)
        return np.concatenate([raw[keep, :1], boxes], 1)[kept]


def persons(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Splits the teachers' findings into boxes both are sure of and doubtful regions."""
    iou = pairwise(first[:, 1:], second[:, 1:])
    sure = iou.max(1, initial=0) >= AGREE_IOU
    if iou.size:
        sure &= second[iou.argmax(1), 0] >= SURE
    sure &= first[:, 0] >= SURE
    boxes = [[PERSON, *box] for box in first[sure, 1:]]
    explained = (iou[sure] >= AGREE_IOU).any(0) if sure.any() else np.zeros(len(second), bool)
    doubt = [[PERSON, *b] for b in (*first[~sure, 1:], *second[~explained, 1:])]
    return rows(boxes), rows(doubt)


def heads(detector: Detector, picture: np.ndarray, negative: bool):
    """Finds helmets and bare heads where the set does not label them.

    A set of `negative` pictures keeps weak responses as background: they are mostly lamps,
    wheels and flames, which is what the network has to unlearn.
    """
    boxes, doubt = [], []
    for label, score, *box in detector(picture, HEAD_DOUBT):
        if label not in (HELMET, HEAD):
            continue
        if score >= HEAD_SURE and not negative:
            boxes.append([label, *box])
        elif score >= (0.5 if negative else HEAD_DOUBT):
            doubt.extend([[HELMET, *box], [HEAD, *box]])
    return rows(boxes), rows(doubt)


def label(picture: Picture, negative: bool, teachers, detector: Detector) -> dict:
    """Returns what to add to one picture: `boxes` and `ignore`."""
    pixels = cv2.imread(str(picture.path))
    boxes, ignore = [], []
    if PERSON not in picture.labelled:
        found, doubt = persons(*(teacher(pixels) for teacher in teachers))
        own = picture.boxes[picture.boxes[:, 0] == PERSON]
        if len(own) and len(found):
            found = found[pairwise(found[:, 1:], own[:, 1:]).max(1) < 0.5]
        boxes.append(found)
        ignore.append(doubt)
    if not {HELMET, HEAD} <= picture.labelled:
        found, doubt = heads(detector, pixels, negative)
        if HEAD in picture.labelled:  # the rider set: its own heads win, the rest is doubt
            taken = np.concatenate([picture.boxes, picture.ignore])[:, 1:]
            found = np.concatenate([found, doubt])
            if len(taken) and len(found):
                found = found[pairwise(found[:, 1:], taken).max(1) < 0.3]
            ignore.append(found)
        else:
            boxes.append(found)
            ignore.append(doubt)
    boxes = np.concatenate(boxes) if boxes else rows([])
    ignore = np.concatenate(ignore) if ignore else rows([])
    if PERSON not in picture.labelled:
        merged = np.concatenate([picture.boxes, boxes])
        whole = Picture(picture.path, picture.width, picture.height, set(), merged)
        ignore = np.concatenate([ignore, head_without_person(whole)])
    return {"boxes": boxes.round(1).tolist(), "ignore": ignore.round(1).tolist()}


def main() -> None:
    """Reads the command line and labels every training set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of the sets")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS, help="teachers")
    parser.add_argument("--heads", type=Path, required=True, help="ONNX that knows helmet, head")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    teachers = (
        Deim(args.weights / "deimv2_hgnetv2_femto_coco.onnx"),
        NanoDet(args.weights / "nanodet_plus_m_416.onnx"),
    )
    detector = Detector(args.heads)
    result = {}
    for name, rule in TRAIN_SETS.items():
        pictures = read_set(args.data / name, "train", rule.names)
        result[name] = {p.path.name: label(p, rule.negative, teachers, detector) for p in pictures}
        counts = [sum(len(v[k]) for v in result[name].values()) for k in ("boxes", "ignore")]
        print(
            f"{name}: {len(pictures)} pictures, {counts[0]} boxes, {counts[1]} regions", flush=True
        )
    args.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
