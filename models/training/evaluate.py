"""Scores committed packages on pictures that were not trained on; `--check` guards them.

python -m models.training.evaluate                      # a table of every package
python -m models.training.evaluate site-ppe --check     # fails when below its scores.json
python -m models.training.evaluate site-ppe --write     # stores the figures beside the card
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from pathlib import Path

from . import score_boxes, score_crops, score_vectors
from .config import DEFAULT_DATA, DEFAULT_WEIGHTS, REPO

# Other CPUs round differently; a single box of the smallest set moves AP50 by about 0.01.
TOLERANCE = 0.015
SCORERS = {"yolox": score_boxes, "classifier": score_crops, "embedding": score_vectors}
ABSENT = """\
The pictures are not part of the repository. Put the sets into {data} (one folder a set with
dev.json, train.json and images/, COCO format), or name their folder: make eval DATA=/path"""


def packages() -> list[str]:
    """Lists the committed packages."""
    return sorted(path.parent.name for path in (REPO / "models").glob("*/manifest.toml"))


def below(now: dict, stored: dict, guarded: tuple[str, ...]) -> list[str]:
    """Lists the figures that fell below the stored ones by more than the tolerance."""
    result = []
    for key, row in stored.items():
        for figure in guarded:
            if row.get(figure) is None:
                continue
            value = now.get(key, {}).get(figure)
            if value is None:
                result.append(f"{key}: {figure} was not measured, the card says {row[figure]:.3f}")
            elif value < row[figure] - TOLERANCE:
                result.append(f"{key}: {figure} is {value:.3f}, the card says {row[figure]:.3f}")
    return result


def evaluate(name: str, args: argparse.Namespace) -> list[str]:
    """Prints one package's tables; returns what is wrong with it."""
    folder = args.folder or REPO / "models" / name
    document = tomllib.loads((folder / "manifest.toml").read_text())
    scorer = SCORERS[document["output"]["head"]]
    model = args.model or folder / document["file"]["path"]
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    print(f"\n## {name} {document['version']}\n")
    summary, thresholds, text = scorer.run(name, document, model, args)
    print(text, flush=True)
    stored = folder / "scores.json"
    if args.write:
        figures = {"sha256": digest, "thresholds": thresholds, "scores": summary}
        stored.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n")
    if not args.check:
        return []
    problems = below(summary, json.loads(stored.read_text())["scores"], scorer.GUARDED)
    if document["file"]["sha256"] != digest:
        problems.append("manifest.toml names another SHA-256 than the model file has")
    return [f"{name}: {problem}" for problem in problems]


def main() -> int:
    """Reads the command line; returns the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("packages", nargs="*", help="which packages; default: all")
    add("--data", type=Path, default=DEFAULT_DATA, help="folder of the sets")
    add("--weights", type=Path, default=DEFAULT_WEIGHTS, help="folder of the teachers")
    add("--clips", type=Path, default=DEFAULT_DATA.parent / "clips", help="folder of the clips")
    add("--model", type=Path, help="ONNX file instead of the package's own")
    add("--folder", type=Path, help="package folder instead of the committed one")
    add("--rounds", type=int, default=300, help="bootstrap rounds, 0 for none")
    add("--threads", type=int, default=2, help="CPU threads")
    add("--sets", nargs="+", help="development sets of a detector; default: all")
    add("--tiled", action="store_true", help="detectors: also look at native-size tiles")
    add("--check", action="store_true", help="fail when below scores.json")
    add("--write", action="store_true", help="write scores.json")
    args = parser.parse_args()
    if (args.model or args.folder) and len(args.packages) != 1:
        parser.error("--model and --folder need one package's name")
    if not args.data.is_dir():
        print(ABSENT.format(data=args.data), file=sys.stderr)
        return 2
    problems = [p for name in args.packages or packages() for p in evaluate(name, args)]
    for problem in problems:
        print(f"FAIL {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
