"""Completes the training sets with boxes that teachers agree on, and marks doubtful places.

Persons and vehicles: a box counts when DEIMv2-femto and NanoDet-Plus both see it as the same class
with a score of at least 0.45; what only one of them sees, or both see faintly, becomes an ignore
region. Helmets and bare heads, in sets that do not label them: a helmet detector's sure boxes
count, its faint ones are ignored.

    python -m models.training.pseudo_label --heads start.onnx --out pseudo.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .config import (
    ANY_CLASS,
    COCO,
    DEFAULT_DATA,
    DEFAULT_WEIGHTS,
    HEAD,
    HELMET,
    PERSON,
    SITE_PPE,
    SetRule,
)
from .datasets import Picture, head_without_person, read_set, rows
from .detector import Detector, by_class_nms
from .metrics import pairwise

SURE, DOUBT = 0.45, 0.20
HEAD_SURE, HEAD_DOUBT = 0.55, 0.12
AGREE_IOU = 0.55
# COCO's place of each class, and our class for each of them (-1: none).
_OURS = np.full(91, -1)
for _name, _place in COCO.items():
    _OURS[_place] = SITE_PPE.index(_name)


def session(path: Path) -> ort.InferenceSession:
    """Opens an ONNX file on one thread (several processes label at once)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, ["CPUExecutionProvider"])


class Deim:
    """DEIMv2-femto: rows (our class, score, x1, y1, x2, y2)."""

    def __init__(self, path: Path) -> None:
        self.session = session(path)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Finds persons and vehicles on one BGR picture."""
        tensor = cv2.resize(picture, (416, 416))[:, :, ::-1].transpose(2, 0, 1)[None] / 255
        size = np.array([[picture.shape[1], picture.shape[0]]], np.int64)
        labels, boxes, scores = self.session.run(
            None, {"images": tensor.astype(np.float32), "orig_target_sizes": size}
        )
        ours = _OURS[labels[0]]
        keep = (ours >= 0) & (scores[0] >= DOUBT)
        return np.concatenate([ours[keep, None], scores[0][keep, None], boxes[0][keep]], 1)


class NanoDet:
    """NanoDet-Plus-m 416: rows (our class, score, x1, y1, x2, y2)."""

    MEAN = np.array([103.53, 116.28, 123.675], np.float32)
    STD = np.array([57.375, 57.12, 58.395], np.float32)

    def __init__(self, path: Path) -> None:
        self.session = session(path)
        cells, strides = [], []
        for stride in (8, 16, 32, 64):
            count = -(-416 // stride)
            y, x = np.mgrid[:count, :count]
            cells.append(np.stack([x, y], -1).reshape(-1, 2) * stride)
            strides.append(np.full((count * count, 1), stride))
        self.cells, self.strides = np.concatenate(cells), np.concatenate(strides)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Finds persons and vehicles on one BGR picture."""
        resized = (cv2.resize(picture, (416, 416)).astype(np.float32) - self.MEAN) / self.STD
        raw = self.session.run(None, {"data": resized.transpose(2, 0, 1)[None]})[0][0]
        ours, scores = _OURS[raw[:, :80].argmax(1)], raw[:, :80].max(1)
        keep = (scores >= DOUBT) & (ours >= 0)
        bins = raw[keep, 80:].reshape(-1, 4, 8)
        bins = np.exp(bins - bins.max(2, keepdims=True))
        reach = (bins / bins.sum(2, keepdims=True) @ np.arange(8)) * self.strides[keep]
        cells = self.cells[keep]
        boxes = np.concatenate([cells - reach[:, :2], cells + reach[:, 2:]], 1)
        boxes *= np.tile([picture.shape[1] / 416, picture.shape[0] / 416], 2)
        return by_class_nms(np.concatenate([ours[keep, None], scores[keep, None], boxes], 1))


def teachers(weights: Path) -> tuple[Deim, NanoDet]:
    """Opens both teachers."""
    return (
        Deim(weights / "deimv2_hgnetv2_femto_coco.onnx"),
        NanoDet(weights / "nanodet_plus_m_416.onnx"),
    )


def agreed(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Splits the teachers' findings into boxes both are sure of and doubtful regions."""
    iou = pairwise(first[:, 2:], second[:, 2:]) * (first[:, :1] == second[None, :, 0])
    sure = iou.max(1, initial=0) >= AGREE_IOU
    if iou.size:
        sure &= second[iou.argmax(1), 1] >= SURE
    sure &= first[:, 1] >= SURE
    boxes = first[sure][:, [0, 2, 3, 4, 5]]
    explained = (iou[sure] >= AGREE_IOU).any(0) if sure.any() else np.zeros(len(second), bool)
    doubt = np.concatenate([first[~sure], second[~explained]])[:, [0, 2, 3, 4, 5]]
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


def without(found: np.ndarray, taken: np.ndarray, limit: float) -> np.ndarray:
    """Drops rows (class, corners) that overlap a taken box by `limit` or more."""
    if not len(found) or not len(taken):
        return found
    return found[pairwise(found[:, 1:], taken[:, 1:]).max(1) < limit]


def label(picture: Picture, rule: SetRule, both, detector: Detector) -> dict:
    """Returns what to add to one picture: `boxes` and `ignore`."""
    pixels = cv2.imread(str(picture.path))
    found, doubt = agreed(*(teacher(pixels) for teacher in both))
    skipped = {SITE_PPE.index(name) for name in rule.unknown} | (picture.labelled & {PERSON})
    found, doubt = (part[~np.isin(part[:, 0], list(skipped))] for part in (found, doubt))
    own = picture.boxes[picture.boxes[:, 0] == PERSON]
    # Machines: the set's own ignore regions stand where teachers see a lorry.
    set_aside = picture.ignore[picture.ignore[:, 0] == ANY_CLASS]
    boxes, ignore = [without(found, np.concatenate([own, set_aside]), 0.5)], [doubt]
    if not {HELMET, HEAD} <= picture.labelled:
        found, doubt = heads(detector, pixels, rule.negative)
        if HEAD in picture.labelled:  # the rider set: its own heads win, the rest is doubt
            taken = np.concatenate([picture.boxes, picture.ignore])
            ignore.append(without(np.concatenate([found, doubt]), taken, 0.3))
        else:
            boxes.append(found)
            ignore.append(doubt)
    boxes, ignore = np.concatenate(boxes), np.concatenate(ignore)
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
    both = teachers(args.weights)
    detector = Detector(args.heads, SITE_PPE, threads=1)
    result = {}
    for name, rule in SITE_PPE.train.items():
        pictures = read_set(args.data / name, "train", SITE_PPE, rule.names)
        result[name] = {p.path.name: label(p, rule, both, detector) for p in pictures}
        classes = np.concatenate([rows(v["boxes"])[:, 0] for v in result[name].values()])
        counts = np.bincount(classes.astype(int), minlength=len(SITE_PPE.classes))
        told = ", ".join(f"{c} {n}" for c, n in zip(SITE_PPE.classes, counts) if n)
        print(f"{name}: {len(pictures)} pictures, {told}", flush=True)
    args.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
