"""Trains a second-stage classifier and writes its package.

The backbone stays as it is; one linear layer is fitted to its features, so a run takes minutes on
one CPU core. Features are kept in a cache beside the record and used again.

    python -m models.training.classify vehicle-type --folder RUN --version 2026.11.22
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from .backbone import DEPTHS, MEAN, SIZE, STD, Trunk, orange
from .config import DEFAULT_DATA, PAD, REPO
from .crops import Crop, cut
from .package import replace
from .tasks import TASKS, Task

OPSET = 17
SEED = 7
_ALL_DEPTHS = tuple(DEPTHS)

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
min_px = {min_px}
max_per_frame = 8

[output]
name = "output"
head = "classifier"
activation = "none"    # softmax is part of the network
"""


def view(rng: np.random.Generator, picture: np.ndarray, crop: Crop, margin: float) -> np.ndarray:
    """Cuts a crop as a first stage might: shifted, smaller, lit and compressed differently."""
    x1, y1, x2, y2 = crop.box
    size = np.array([x2 - x1, y2 - y1, x2 - x1, y2 - y1])
    part = cut(picture, np.array(crop.box) + rng.normal(0, 0.06, 4) * size, margin)
    factor = rng.uniform(0.25, 1.0) * SIZE / max(part.shape[:2])
    if factor < 1 and rng.random() < 0.6:
        shape = (max(8, int(part.shape[1] * factor)), max(8, int(part.shape[0] * factor)))
        part = cv2.resize(part, shape, interpolation=cv2.INTER_AREA)
    lit = part.astype(np.float32) * rng.uniform(0.6, 1.3) + rng.uniform(-25, 25)
    part = lit.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
        part = cv2.imdecode(cv2.imencode(".jpg", part, quality)[1], cv2.IMREAD_COLOR)
    return part[:, ::-1] if rng.random() < 0.5 else part


def compiled(trunk: nn.Module) -> ort.InferenceSession:
    """Returns the trunk for ONNX Runtime, which needs a third of PyTorch's time for it."""
    buffer = io.BytesIO()
    torch.onnx.export(
        trunk, (torch.zeros(1, 3, SIZE, SIZE),), buffer, input_names=["images"],
        output_names=["output"], dynamic_axes={"images": {0: "N"}, "output": {0: "N"}},
        opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return ort.InferenceSession(buffer.getvalue(), options, ["CPUExecutionProvider"])


def features(task: Task, crops: list[Crop], batch: int = 16) -> np.ndarray:
    """Returns crops x views x (channels of every depth, orange); the first view is unaltered."""
    trunk = compiled(Trunk(_ALL_DEPTHS))
    rng, parts, result = np.random.default_rng(SEED), [], []

    def flush() -> None:
        pixels = torch.from_numpy(np.stack(parts)).permute(0, 3, 1, 2).float()
        pixels = pixels.sub_(MEAN).div_(STD)
        found = trunk.run(None, {"images": pixels.numpy()})[0]
        result.append(np.concatenate([found, orange(pixels).numpy()], 1))
        parts.clear()

    for crop in crops:
        picture = cv2.imread(str(crop.path))
        for number in range(task.views):
            part = (
                view(rng, picture, crop, task.margin)
                if number
                else cut(picture, crop.box, task.margin)
            )
            parts.append(cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)[:, :, ::-1])
            if len(parts) == batch:
                flush()
    if parts:
        flush()
    return np.concatenate(result).reshape(len(crops), task.views, -1)


def columns(task: Task) -> np.ndarray:
    """Says which columns of the cached features a task uses."""
    depths = [np.full(DEPTHS[d], d in task.depths) for d in _ALL_DEPTHS]
    return np.concatenate([*depths, [task.orange]])


def weights(task: Task, crops: list[Crop]) -> np.ndarray:
    """Says how much each crop counts: classes alike, sources by the task's shares."""
    result = np.zeros(len(crops))
    sources = np.array([c.source if task.shares else "" for c in crops])
    labels = np.array([c.label for c in crops])
    for source in set(sources):
        for label in range(len(task.classes)):
            inside = (sources == source) & (labels == label)
            share = task.shares[source] if task.shares else 1.0
            result[inside] = share / max(inside.sum(), 1)
    return result / result.mean()


def fit(task: Task, x: np.ndarray, labels: np.ndarray, counts: np.ndarray):
    """Fits logistic regression; returns weights and bias for raw features, and the loss.

    Features are standardised, and all but the orange share (the last column) penalised.
    """
    mean, scale = x.mean(0), x.std(0) + 1e-4
    inputs = torch.from_numpy((x - mean) / scale).float()
    targets, counts = torch.from_numpy(labels), torch.from_numpy(counts).float()
    layer = nn.Linear(x.shape[1], len(task.classes))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        losses = nn.functional.cross_entropy(layer(inputs), targets, reduction="none")
        penalised = layer.weight[:, :-1] if task.orange else layer.weight
        loss = (losses * counts).mean() + task.strength * penalised.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    weight = layer.weight.detach().numpy() / scale
    return weight, layer.bias.detach().numpy() - weight @ mean, float(closure().detach())


class Network(nn.Module):
    """Backbone, linear layer, softmax."""

    def __init__(self, task: Task, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.trunk, self.orange = Trunk(task.depths), task.orange
        self.layer = nn.Linear(weight.shape[1], weight.shape[0])
        self.layer.weight.data = torch.from_numpy(weight).float()
        self.layer.bias.data = torch.from_numpy(bias).float()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Maps pictures to class probabilities."""
        found = self.trunk(images)
        if self.orange:
            found = torch.cat([found, orange(images)], 1)
        return self.layer(found).softmax(1)


def halve(graph: onnx.ModelProto) -> None:
    """Stores large weights as half floats, widened when the file is loaded."""
    casts = []
    for weight in graph.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < 1024:
            continue
        name = weight.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(weight).astype(np.float16), f"{name}.half"
        )
        weight.CopyFrom(half)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.graph.node.insert(0, cast)


def export(model: nn.Module, out: Path) -> None:
    """Writes a network over crops to `out` once ONNX Runtime agrees with it."""
    model = model.eval()
    example = torch.rand(2, 3, SIZE, SIZE) * 2 - 1
    temporary = out.with_suffix(".tmp")
    torch.onnx.export(
        model, (example,), str(temporary), input_names=["images"], output_names=["output"],
        dynamic_axes={"images": {0: "N"}, "output": {0: "N"}}, opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    graph = onnx.load(str(temporary))
    halve(graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(temporary))
    session = ort.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
    for count in (1, 2):
        want = model(example[:count]).detach().numpy()
        got = session.run(None, {"images": example[:count].numpy()})[0]
        assert got.shape == want.shape, got.shape
        np.testing.assert_allclose(got, want, atol=1e-2)  # half floats
    os.replace(temporary, out)


def manifest(task: Task, version: str, model: Path, golden: Path, thresholds: dict) -> str:
    """Returns the manifest's text for one ONNX file."""
    text = HEADER.format(
        name=task.name, version=version, zh=task.zh, en=task.en, provenance=task.provenance,
        serves=json.dumps(task.serves), sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        size=SIZE, mean=MEAN, std=STD, pad=PAD, of=json.dumps(task.of), margin=task.margin,
        min_px=task.min_px,
    )  # fmt: skip
    for name in task.classes:
        zh, en = task.names[name]
        text += f'\n[[classes]]\nname = "{name}"\nzh = "{zh}"\nen = "{en}"\n'
        text += f"threshold = {thresholds[name]:.2f}\n"
    # Imported late: scoring knows this module's tasks.
    from .score_crops import Classifier

    picture = cv2.imread(str(golden))
    height, width = picture.shape[:2]
    left, top, w, h = task.golden if any(task.golden) else (0, 0, width, height)
    document = {
        "input": {"name": "images", "width": SIZE, "height": SIZE, "scale": 1.0,
                  "mean": [MEAN] * 3, "std": [STD] * 3},
        "crop": {"margin": task.margin},
    }  # fmt: skip
    scores = Classifier(document, model, 1)(picture, [(left, top, left + w, top + h)])[0]
    best = int(scores.argmax())
    text += f'\n[golden]\npicture = "{golden.name}"\n\n[[golden.boxes]]\n'
    text += f'class = "{task.classes[best]}"\nbbox = [{left}, {top}, {w}, {h}]\n'
    return text + f"score = {scores[best]:.4f}\n"


def main() -> None:
    """Reads the command line, fits the layer, and replaces the package's files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("task", choices=TASKS, help="which classifier")
    add("--folder", type=Path, required=True, help="folder of the feature cache and the ONNX file")
    add("--data", type=Path, default=DEFAULT_DATA, help="folder of the sets")
    add("--out", type=Path, help="package folder; default: the committed one")
    add("--version", required=True, help="version to write, such as 2026.11.22")
    add("--threshold", type=float, default=0.5, help="suggested threshold of every class")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    args.folder.mkdir(parents=True, exist_ok=True)
    task = TASKS[args.task]
    crops = task.read(args.data)
    cache = args.folder / f"{task.name}.npy"
    if not cache.exists():
        np.save(cache, features(task, crops))
    everything = np.load(cache)[..., columns(task)]
    train = np.array([not crop.dev for crop in crops])
    labels = np.array([crop.label for crop in crops])
    x = everything[train].reshape(-1, everything.shape[-1])
    y = np.repeat(labels[train], task.views)
    counts = np.repeat(weights(task, [c for c in crops if not c.dev]), task.views)
    weight, bias, loss = fit(task, x, y, counts)
    onnx_file = args.folder / f"{task.name}.onnx"
    export(Network(task, weight, bias), onnx_file)
    folder = args.out or REPO / "models" / task.name
    folder.mkdir(parents=True, exist_ok=True)
    thresholds = dict.fromkeys(task.classes, args.threshold)
    text = manifest(task, args.version, onnx_file, folder / "golden.jpg", thresholds)
    replace(folder, onnx_file, text)
    record = {
        "arguments": {k: v.name if isinstance(v, Path) else v for k, v in vars(args).items()},
        "task": {"depths": task.depths, "views": task.views, "strength": task.strength,
                 "margin": task.margin, "shares": task.shares, "orange": task.orange},
        "seed": SEED,
        "torch": torch.__version__,
        "crops": {
            name: [int(((labels == i) & train).sum()), int(((labels == i) & ~train).sum())]
            for i, name in enumerate(task.classes)
        },
        "data": hashlib.sha256(
            "\n".join(f"{c.path.name} {c.box} {c.label} {c.dev}" for c in crops).encode()
        ).hexdigest(),
        "loss": loss,
    }  # fmt: skip
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
