"""Scores an exported ONNX file on the development sets; `--check` guards the committed one.

python -m models.training.evaluate                 # the table of the committed model
python -m models.training.evaluate --check         # fails when below scores.json
python -m models.training.evaluate --write         # stores the figures beside the card
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from .config import CLASSES, DEFAULT_DATA, DEV_SETS, HEAD, HELMET, INPUT_HEIGHT, INPUT_WIDTH
from .datasets import Picture, read_set
from .detector import Detector
from .loss import ANY_CLASS
from .metrics import Matched, figures, gather, intervals, match, recall_by_size
from .package import PACKAGE

SIZES = (8.0, 12.0, 16.0, 24.0, 48.0)
# Other CPUs round differently; a single box of the smallest set moves AP50 by about 0.01.
TOLERANCE = 0.015
# The set that looks like the product's cameras decides the suggested thresholds; it is small, so
# they stay within a range that is sensible on every set.
THRESHOLD_SET = "helmet_cctv"
THRESHOLD_RANGE = (0.30, 0.50)

Detect = Callable[[np.ndarray], np.ndarray]
Scored = dict[tuple[str, str], list[Matched]]


def score(detect: Detect, data: Path, sets: list[str]) -> Scored:
    """Runs a detector over the development pictures of some sets; keys are (set, class)."""
    result: Scored = {}
    for name in sets:
        names = DEV_SETS[name]
        classes = sorted({v for v in names.values() if v is not None})
        for picture in read_set(data / name, "dev", names):
            found = detect(cv2.imread(str(picture.path)))
            for label in classes:
                result.setdefault((name, CLASSES[label]), []).append(judge(picture, found, label))
    return result


def judge(picture: Picture, found: np.ndarray, label: int) -> Matched:
    """Matches one class on one picture."""
    scale = min(INPUT_WIDTH / picture.width, INPUT_HEIGHT / picture.height)
    regions = picture.ignore[np.isin(picture.ignore[:, 0], (label, ANY_CLASS))]
    if label in (HELMET, HEAD):
        # An anonymised head hides whether it wears a helmet: it excuses both classes.
        regions = picture.ignore[np.isin(picture.ignore[:, 0], (HELMET, HEAD, ANY_CLASS))]
    truth = picture.boxes[picture.boxes[:, 0] == label, 1:]
    return match(found[found[:, 0] == label, 1:], truth, regions[:, 1:], scale)


def summarise(scored: Scored, rounds: int) -> dict:
    """Computes every figure of the table."""
    summary = {}
    for (name, label), pictures in scored.items():
        row = figures(pictures)
        row["boxes"], row["pictures"] = sum(p.truths for p in pictures), len(pictures)
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
    for key, row in summary.items():
        cells = []
        for figure in ("ap50", "ap", "recall"):
            low_high = row.get("interval", {}).get(figure)
            extra = f" [{low_high[0]:.2f}, {low_high[1]:.2f}]" if low_high else ""
            cells.append(f"{row[figure]:.3f}{extra}")
        lines.append(f"| {key} | {row['boxes']} | {' | '.join(cells)} | {row['threshold']:.2f} |")
    lines += ["", "Recall by box side in network pixels (number of boxes), at the same score:", ""]
    lines += ["| set / class | recall by size |", "| --- | --- |"]
    for key, row in summary.items():
        sizes = "; ".join(f"{span} px: {share:.2f} ({n})" for span, n, share in row["by_size"])
        lines.append(f"| {key} | {sizes} |")
    return "\n".join(lines)


def choose_thresholds(summary: dict) -> dict[str, float]:
    """Suggests the scores that leave about 0.1 false positives a picture on fixed cameras."""
    wanted = {label: summary[f"{THRESHOLD_SET}/{label}"]["threshold"] for label in CLASSES}
    return {k: round(float(np.clip(v, *THRESHOLD_RANGE)), 2) for k, v in wanted.items()}


def operating_points(scored: Scored, thresholds: dict[str, float]) -> str:
    """Formats what the suggested thresholds give: recall, and false positives a picture."""
    lines = [
        "| set / class | threshold | recall | false positives / picture |",
        "| --- | ---: | ---: | ---: |",
    ]
    for (name, label), pictures in scored.items():
        scores, verdicts, truths = gather(pictures)
        kept = verdicts[0][scores >= thresholds[label]]
        recall, false = (kept == 1).sum() / max(truths, 1), (kept == 0).sum() / len(pictures)
        lines.append(f"| {name}/{label} | {thresholds[label]:.2f} | {recall:.2f} | {false:.2f} |")
    return "\n".join(lines)


def failures(summary: dict, stored: dict) -> list[str]:
    """Lists the figures that fell below the stored ones by more than the tolerance."""
    result = []
    for key, row in stored["scores"].items():
        for figure in ("ap50", "ap", "recall"):
            now = summary[key][figure]
            if now < row[figure] - TOLERANCE:
                result.append(f"{key}: {figure} is {now:.3f}, the card says {row[figure]:.3f}")
    return result


def main() -> int:
    """Reads the command line; returns the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=PACKAGE / "model.onnx", help="ONNX file")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of the sets")
    parser.add_argument("--rounds", type=int, default=300, help="bootstrap rounds, 0 for none")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--sets", nargs="+", default=list(DEV_SETS), help="development sets")
    parser.add_argument("--tiled", action="store_true", help="also look at native-size tiles")
    parser.add_argument("--check", action="store_true", help="fail when below scores.json")
    parser.add_argument("--write", action="store_true", help="write scores.json")
    args = parser.parse_args()
    if args.check:
        args.rounds = 0
    detector = Detector(args.model, args.threads)
    scored = score(detector.tiled if args.tiled else detector, args.data, args.sets)
    summary = summarise(scored, args.rounds)
    print(table(summary))
    thresholds = choose_thresholds(summary) if f"{THRESHOLD_SET}/head" in summary else {}
    if thresholds:
        print("\nAt the suggested thresholds:\n\n" + operating_points(scored, thresholds))
    digest = hashlib.sha256(args.model.read_bytes()).hexdigest()
    stored = PACKAGE / "scores.json"
    if args.write:
        figures_and_thresholds = {
            "sha256": digest,
            "thresholds": thresholds,
            "scores": summary,
        }
        stored.write_text(json.dumps(figures_and_thresholds, indent=1) + "\n")
    if not args.check:
        return 0
    document = tomllib.loads((PACKAGE / "manifest.toml").read_text())
    problems = failures(summary, json.loads(stored.read_text()))
    if document["file"]["sha256"] != digest:
        problems.append("manifest.toml names another SHA-256 than the model file has")
    for problem in problems:
        print(f"FAIL {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
