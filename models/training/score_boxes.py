"""Scores a detector: AP50, AP50:95, recall at 0.1 false positives a picture, by box size."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from .config import ANY_CLASS, HEAD, HELMET, NETS, SITE_PPE, Net
from .datasets import Picture, read_set
from .detector import Detector
from .metrics import Matched, figures, gather, intervals, match, recall_by_size
from .pseudo_label import agreed, teachers

GUARDED = ("ap50", "ap", "recall")
SIZES = (8.0, 12.0, 16.0, 24.0, 48.0)
# The deciding sets are small, so suggested thresholds stay within what is sensible on every set.
THRESHOLD_RANGE = (0.30, 0.50)
DEFAULT_THRESHOLD = 0.40
# Fewer boxes say nothing.
_MIN_BOXES = 5

Detect = Callable[[np.ndarray], np.ndarray]
Scored = dict[tuple[str, str], list[Matched]]


def score(net: Net, detect: Detect, data: Path, sets: list[str]) -> Scored:
    """Runs a detector over the development pictures of some sets; keys are (set, class)."""
    result: Scored = {}
    for name in sets:
        names = net.dev[name]
        # A set without labels of ours shows none of our classes: it counts false positives.
        classes = sorted({net.index(v) for v in names.values() if v} or range(len(net.classes)))
        for picture in read_set(data / name, "dev", net, names):
            found = detect(cv2.imread(str(picture.path)))
            for label in classes:
                key = (name, net.classes[label])
                result.setdefault(key, []).append(judge(net, picture, found, label))
    return result


def score_by_teachers(net: Net, detect: Detect, data: Path, weights: Path) -> Scored:
    """Compares vehicles with those that two COCO-trained teachers agree on."""
    result: Scored = {}
    both = teachers(weights)
    vehicles = [net.index(c) for c in net.classes if c not in ("person", "helmet", "head")]
    for name in net.by_teachers:
        for picture in read_set(data / name, "dev", net, {}):
            pixels = cv2.imread(str(picture.path))
            picture.boxes, picture.ignore = agreed(*(teacher(pixels) for teacher in both))
            found = detect(pixels)
            for label in vehicles:
                key = (f"{name} by teachers", net.classes[label])
                result.setdefault(key, []).append(judge(net, picture, found, label))
    return {k: v for k, v in result.items() if sum(p.truths for p in v) >= _MIN_BOXES}


def judge(net: Net, picture: Picture, found: np.ndarray, label: int) -> Matched:
    """Matches one class on one picture."""
    scale = min(net.width / picture.width, net.height / picture.height)
    excused = {label, ANY_CLASS}
    if net is SITE_PPE and label in (HELMET, HEAD):
        # An anonymised head hides whether it wears a helmet: it excuses both classes.
        excused |= {HELMET, HEAD}
    regions = picture.ignore[np.isin(picture.ignore[:, 0], list(excused))]
    truth = picture.boxes[picture.boxes[:, 0] == label, 1:]
    return match(found[found[:, 0] == label, 1:], truth, regions[:, 1:], scale)


def summarise(scored: Scored, rounds: int) -> dict:
    """Computes every figure of the table; `None` where there is nothing to find."""
    summary = {}
    for (name, label), pictures in scored.items():
        row: dict = {"boxes": sum(p.truths for p in pictures), "pictures": len(pictures)}
        if row["boxes"]:
            row |= figures(pictures)
            if rounds:
                row["interval"] = intervals(pictures, rounds)
            row["by_size"] = recall_by_size(pictures, SIZES, row["threshold"])
        summary[f"{name}/{label}"] = row
    return summary


def table(summary: dict) -> str:
    """Formats the figures as the Markdown tables of the card."""
    lines = [
        "| set / class | boxes | AP50 | AP50:95 | recall at 0.1 FP/picture | at score |",
        "| --- | ---: | --- | --- | --- | ---: |",
    ]
    labelled = {key: row for key, row in summary.items() if row["boxes"]}
    for key, row in labelled.items():
        cells = []
        for figure in GUARDED:
            low_high = row.get("interval", {}).get(figure)
            extra = f" [{low_high[0]:.2f}, {low_high[1]:.2f}]" if low_high else ""
            cells.append(f"{row[figure]:.3f}{extra}")
        lines.append(f"| {key} | {row['boxes']} | {' | '.join(cells)} | {row['threshold']:.2f} |")
    lines += ["", "Recall by box side in network pixels (number of boxes), at the same score:", ""]
    lines += ["| set / class | recall by size |", "| --- | --- |"]
    for key, row in labelled.items():
        sizes = "; ".join(f"{span} px: {share:.2f} ({n})" for span, n, share in row["by_size"])
        lines.append(f"| {key} | {sizes} |")
    return "\n".join(lines)


def choose_thresholds(net: Net, summary: dict) -> dict[str, float]:
    """Suggests the scores that leave about 0.1 false positives a picture on the deciding sets."""
    result = dict.fromkeys(net.classes, DEFAULT_THRESHOLD)
    for label, name in net.thresholds.items():
        wanted = summary.get(f"{name}/{label}", {}).get("threshold", DEFAULT_THRESHOLD)
        result[label] = round(float(np.clip(wanted, *THRESHOLD_RANGE)), 2)
    return result


def operating_points(scored: Scored, thresholds: dict[str, float]) -> str:
    """Formats what the suggested thresholds give: recall, and false positives a picture."""
    lines = [
        "| set / class | threshold | recall | false positives / picture |",
        "| --- | ---: | ---: | ---: |",
    ]
    for (name, label), pictures in scored.items():
        scores, verdicts, truths = gather(pictures)
        kept = verdicts[0][scores >= thresholds[label]]
        recall = f"{(kept == 1).sum() / truths:.2f}" if truths else "none to find"
        false = (kept == 0).sum() / len(pictures)
        lines.append(f"| {name}/{label} | {thresholds[label]:.2f} | {recall} | {false:.2f} |")
    return "\n".join(lines)


def run(name: str, document: dict, model: Path, args: argparse.Namespace):
    """Returns a package's figures, suggested thresholds, and tables."""
    net = NETS[name]
    detector = Detector(model, net, args.threads)
    detect = detector.tiled if args.tiled else detector
    scored = score(net, detect, args.data, args.sets or list(net.dev))
    # A committed model may be older than the recipe and know fewer classes.
    known = set(net.classes) if args.model else {c["name"] for c in document["classes"]}
    if net.by_teachers and not args.sets and known == set(net.classes):
        if args.weights.is_dir():
            scored |= score_by_teachers(net, detect, args.data, args.weights)
        else:
            print(f"The teachers' weights are not in {args.weights}: vehicles are not compared.")
    scored = {key: pictures for key, pictures in scored.items() if key[1] in known}
    summary = summarise(scored, 0 if args.check else args.rounds)
    thresholds = choose_thresholds(net, summary)
    if args.check:
        thresholds = {c["name"]: c["threshold"] for c in document["classes"]}
    text = f"{table(summary)}\n\nAt the thresholds:\n\n{operating_points(scored, thresholds)}"
    return summary, thresholds, text
