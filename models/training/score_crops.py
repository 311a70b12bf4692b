"""Scores a second-stage classifier on crops of groups that it was not trained on."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .config import SITE_PPE
from .crops import Crop, boxes_of, cut
from .detector import Detector
from .metrics import figures, match
from .tasks import TASKS, Task

GUARDED = ("auc", "ap", "recall", "ap50")
# Share of wrong crops that may get the class, at the score where recall is read.
_FALSE_SHARE = 0.05
# Shares of an alarm-coloured torso: OpenCV hue of red and orange, saturated and lit.
_ORANGE = (((0, 110, 80), (22, 255, 255)), ((170, 110, 80), (180, 255, 255)))


class Classifier:
    """One classifier's ONNX file, fed as its manifest says."""

    def __init__(self, document: dict, model: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(model), options, ["CPUExecutionProvider"])
        self.input = document["input"]
        self.margin = document["crop"]["margin"]

    def tensor(self, picture: np.ndarray, box) -> np.ndarray:
        """Cuts, stretches and normalises the part of a BGR picture in a box (corners)."""
        size = (self.input["width"], self.input["height"])
        part = cv2.resize(cut(picture, box, self.margin), size, interpolation=cv2.INTER_LINEAR)
        part = part[:, :, ::-1].astype(np.float32) * self.input["scale"]
        return ((part - self.input["mean"]) / self.input["std"]).transpose(2, 0, 1)

    def __call__(self, picture: np.ndarray, boxes) -> np.ndarray:
        """Returns one row of outputs a box."""
        if not len(boxes):
            return np.zeros((0, 1), np.float32)
        tensors = np.stack([self.tensor(picture, box) for box in boxes]).astype(np.float32)
        return self.session.run(None, {self.input["name"]: tensors})[0]


def ranking(scores: np.ndarray, positive: np.ndarray) -> dict[str, float]:
    """Area under the ROC curve, average precision, and recall at 5 % false positives."""
    order = np.argsort(-scores, kind="stable")
    hits = positive[order]
    found, false = np.cumsum(hits), np.cumsum(~hits)
    allowed = false <= _FALSE_SHARE * false[-1]
    last = int(allowed.sum()) - 1
    return {
        "auc": float((~hits * found).sum() / (found[-1] * false[-1])),
        "ap": float((found / np.arange(1, len(hits) + 1))[hits].mean()),
        "recall": float(found[last] / found[-1]) if last >= 0 else 0.0,
    }


def judged(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray, rounds: int) -> dict:
    """Returns the figures of `ranking` with 95 % bootstrap intervals over groups."""
    row: dict = {"positives": int(positive.sum()), "negatives": int((~positive).sum())}
    row |= ranking(scores, positive)
    rng = np.random.default_rng(1)
    names = np.unique(groups)
    members = {name: np.flatnonzero(groups == name) for name in names}
    drawn = []
    for _ in range(rounds):
        picked = np.concatenate([members[n] for n in rng.choice(names, len(names))])
        if 0 < positive[picked].sum() < len(picked):
            drawn.append(list(ranking(scores[picked], positive[picked]).values()))
    if drawn:
        low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
        keys = ("auc", "ap", "recall")
        row["interval"] = {k: [float(low[i]), float(high[i])] for i, k in enumerate(keys)}
    return row


def orange_share(part: np.ndarray) -> float:
    """Share of red and orange in the middle of a crop: the rule a classifier has to beat."""
    height, width = part.shape[:2]
    torso = part[height // 5 : height * 3 // 5 + 1, width // 5 : width * 4 // 5 + 1]
    hsv = cv2.cvtColor(torso, cv2.COLOR_BGR2HSV)
    mask = sum(cv2.inRange(hsv, low, high) // 255 for low, high in _ORANGE)
    return float(mask.mean())


def crop_rows(task: Task, crops: list[Crop], outputs: np.ndarray, orange, rounds: int) -> dict:
    """Computes the figures of each source and class that has both kinds of crops."""
    labels = np.array([c.label for c in crops])
    groups = np.array([c.group for c in crops])
    sources = np.array([c.source for c in crops])
    rows = {}
    for source in ("all", *sorted(set(sources))):
        inside = np.ones(len(crops), bool) if source == "all" else sources == source
        for label, name in enumerate(task.classes):
            positive = labels[inside] == label
            if positive.all() or not positive.any():
                continue
            if len(task.classes) == 2 and label == 1:
                continue  # the mirror image of the first class
            rows[f"{source}/{name}"] = judged(
                outputs[inside, label], positive, groups[inside], rounds
            )
            if orange is not None:
                rows[f"{source}/{name} by orange share"] = judged(
                    orange[inside], positive, groups[inside], rounds
                )
    return rows


def end_to_end(task: Task, classifier: Classifier, args: argparse.Namespace) -> dict:
    """Scores first and second stage together on whole pictures of special vehicles."""
    detector = Detector(SITE_PPE.package / "model.onnx", SITE_PPE, args.threads)
    first = [SITE_PPE.index(name) for name in task.of]
    pictures: dict[str, list] = {}
    for image, truth in boxes_of(args.data / "special_vehicle", "dev"):
        pixels = cv2.imread(str(args.data / "special_vehicle" / image["file_name"]))
        found = detector(pixels, 0.05)
        found = found[np.isin(found[:, 0], first)]
        outputs = classifier(pixels, found[:, 2:])
        for label, name in enumerate(task.classes[:-1]):
            scores = found[:, 1] * outputs[:, label] if len(found) else np.zeros(0)
            won = scores[:, None] if not len(found) else scores[outputs.argmax(1) == label, None]
            boxes = found[outputs.argmax(1) == label, 2:] if len(found) else np.zeros((0, 4))
            rows = np.concatenate([won.reshape(-1, 1), boxes], 1)
            rows = rows[np.argsort(-rows[:, 0])]
            wanted = truth.get(name, np.zeros((0, 4)))
            pictures.setdefault(name, []).append(match(rows, wanted, np.zeros((0, 4)), 1.0))
    result = {}
    for name, matched in pictures.items():
        row = figures(matched)
        result[f"with site-ppe/{name}"] = {
            "positives": sum(m.truths for m in matched),
            "ap50": row["ap50"],
            "recall_at_tenth": row["recall"],
        }
    return result


def table(rows: dict) -> str:
    """Formats the figures as Markdown tables."""
    lines = [
        "| crops / class | with | without | ROC area | average precision | recall at 5 % false |",
        "| --- | ---: | ---: | --- | --- | --- |",
    ]
    for key, row in rows.items():
        if "auc" not in row:
            continue
        cells = []
        for figure in ("auc", "ap", "recall"):
            low_high = row.get("interval", {}).get(figure)
            extra = f" [{low_high[0]:.2f}, {low_high[1]:.2f}]" if low_high else ""
            cells.append(f"{row[figure]:.3f}{extra}")
        lines.append(f"| {key} | {row['positives']} | {row['negatives']} | {' | '.join(cells)} |")
    whole = {key: row for key, row in rows.items() if "ap50" in row}
    if whole:
        lines += ["", "| pictures / class | boxes | AP50 | recall at 0.1 FP/picture |"]
        lines += ["| --- | ---: | ---: | ---: |"]
        for key, row in whole.items():
            lines.append(
                f"| {key} | {row['positives']} | {row['ap50']:.3f} | {row['recall_at_tenth']:.3f} |"
            )
    return "\n".join(lines)


def run(name: str, document: dict, model: Path, args: argparse.Namespace):
    """Returns a package's figures, its thresholds, and its tables."""
    task = TASKS[name]
    classifier = Classifier(document, model, args.threads)
    crops = [c for c in task.read(args.data) if c.dev]
    outputs, orange = [], []
    for crop in crops:
        picture = cv2.imread(str(crop.path))
        outputs.append(classifier(picture, [crop.box])[0])
        orange.append(orange_share(cut(picture, crop.box, 0.0)))
    rounds = 0 if args.check else args.rounds
    baseline = np.array(orange) if name == "life-jacket" else None
    rows = crop_rows(task, crops, np.stack(outputs), baseline, rounds)
    if name == "vehicle-type":
        rows |= end_to_end(task, classifier, args)
    thresholds = {c["name"]: c["threshold"] for c in document["classes"]}
    return rows, thresholds, table(rows)
