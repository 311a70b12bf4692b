"""Scores appearance vectors by searching tracks of clips; compares with colour alone."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .config import SITE_PPE
from .crops import cut
from .detector import Detector
from .tracks import follow, retrieval

GUARDED = ("first", "map")
_REFERENCE = "person-reidentification-retail-0248.onnx"


class Embedder:
    """The package's ONNX file: RGB crops of 224 x 224, `(pixel - 127) / 128`."""

    def __init__(self, model: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(model), options, ["CPUExecutionProvider"])
        _, _, self.height, self.width = self.session.get_inputs()[0].shape

    def __call__(self, crops: list[np.ndarray]) -> np.ndarray:
        """Returns one vector of length one a crop."""
        size = (self.width, self.height)
        parts = [cv2.resize(c, size, interpolation=cv2.INTER_LINEAR)[:, :, ::-1] for c in crops]
        tensor = ((np.stack(parts).astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2)
        name = self.session.get_inputs()[0].name
        chunks = [tensor[i : i + 16] for i in range(0, len(tensor), 16)]
        return unit(np.concatenate([self.session.run(None, {name: c})[0] for c in chunks]))

    def boxes(self, picture: np.ndarray, boxes, margin: float) -> np.ndarray:
        """Returns the vectors of some boxes (corners) of a picture."""
        return self([cut(picture, box, margin) for box in boxes])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scales rows to length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def histogram(crop: np.ndarray) -> np.ndarray:
    """A plain colour histogram (hue and saturation, 16 x 8), the baseline."""
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    return np.sqrt(cv2.calcHist([hsv], [0, 1], None, [16, 8], [0, 180, 0, 256]).ravel())


class Reidentification:
    """Open Model Zoo's person network, to know what a trained one would give."""

    def __init__(self, path: Path) -> None:
        self.session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]

    def __call__(self, crops: list[np.ndarray]) -> np.ndarray:
        """Returns one vector of length one a crop."""
        rows = []
        for crop in crops:
            pixels = cv2.resize(crop, (128, 256)).astype(np.float32)[None]
            if self.input.shape[1] == 3:
                pixels = pixels.transpose(0, 3, 1, 2)
            rows.append(self.session.run(None, {self.input.name: pixels})[0].ravel())
        return unit(np.stack(rows))


def run(name: str, document: dict, model: Path, args: argparse.Namespace):
    """Returns the package's figures, its thresholds, and its table."""
    detector = Detector(SITE_PPE.package / "model.onnx", SITE_PPE, args.threads)
    labels = list(range(len(SITE_PPE.classes)))
    paths = sorted(args.clips.glob("*.mp4"))
    tracks = [track for path in paths for track in follow(path, detector, labels)]
    dim = document["output"]["dim"]
    own = Embedder(model, args.threads)
    ways = {
        name: own,
        "colour histogram": lambda crops: unit(np.stack([histogram(c) for c in crops])),
    }
    if (args.weights / _REFERENCE).exists():
        ways["Open Model Zoo 0248"] = Reidentification(args.weights / _REFERENCE)
    rows = {}
    for what, wanted in (("person", {0}), ("vehicle", set(labels[3:]))):
        chosen = [t for t in tracks if t.label in wanted]
        for way, vectors in ways.items():
            row = retrieval(chosen, [vectors(t.crops) for t in chosen])
            if row["searches"]:
                rows[f"{what}/{way}"] = row
    lines = [
        f"{len(tracks)} tracks of {len(paths)} clips, {dim} values a vector.",
        "",
        "| objects / vector | searches | best answer right | mean average precision |",
        "| --- | ---: | ---: | ---: |",
    ]
    for key, row in rows.items():
        lines.append(f"| {key} | {row['searches']} | {row['first']:.3f} | {row['map']:.3f} |")
    return rows, {}, "\n".join(lines)
