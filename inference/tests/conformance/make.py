"""Writes what `conformance.rs` compares with: networks, manifests, and what Python makes of them.

Every head is decoded here once more, by other code on other libraries: pictures are scaled by OpenCV, networks are run
by Python's onnxruntime, boxes are read by NumPy. The numbers go to `expected.json`.

Two kinds of networks: tiny ones made here, whose answer depends on the picture by twelve means of it, so that every
head is exercised without any weights; and published ones from `../shared/weights`, of which only the numbers are kept.

    pip install numpy onnx onnxruntime opencv-python-headless pillow
    python inference/tests/conformance/make.py
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parents[2].parent / "shared" / "weights"
PICTURE = "picture.png"
# Boxes are kept from this score on; the test allows for rounding around it.
KEPT = {"made": 0.1, "published": 0.3}
COCO = """person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign parking_meter
bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis
snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork
knife spoon bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed
dining_table toilet tv laptop mouse remote keyboard cell_phone microwave oven toaster sink refrigerator book clock vase
scissors teddy_bear hair_drier toothbrush""".split()
THREE = ["person", "car", "truck"]
CROPS = [[29.0, 42.0, 26.0, 73.0], [423.5, 41.5, 23.25, 72.0], [430.0, 330.0, 100.0, 100.0], [154.8, 94.9, 26.4, 80.4]]


def case(name: str, head: str, size: tuple[int, int], **other: object) -> dict:
    """Describes one network and how it is fed; `other` replaces the defaults."""
    base = {
        "name": name, "head": head, "size": size, "color": "bgr", "scale": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3,
        "resize": "letterbox-top-left", "layout": "nchw", "input": "images", "size_name": None, "output": "output",
        "classes": THREE, "strides": [8, 16, 32], "nms_iou": 0.6, "reg_max": 7, "batch": 4, "file": None, "margin": 0.15,
        "extra": {},
    }
    return base | other


CASES = [
    case("made-yolox", "yolox", (96, 64)),
    case("made-yolov8", "yolov8", (96, 64), color="rgb", scale=1 / 255, resize="letterbox-center"),
    case("made-gfl", "gfl", (104, 72), mean=[103.5, 116.3, 123.7], std=[57.4, 57.1, 58.4], strides=[8, 16, 32, 64]),
    case(
        "made-detr-decided", "detr", (96, 96), resize="stretch", color="rgb", scale=1 / 255, output="boxes",
        size_name="orig_target_sizes", extra={"box_format": "xyxy", "labels": "labels", "scores": "scores"},
    ),
    case(
        "made-detr-logits", "detr", (96, 64), resize="stretch", color="rgb", scale=1 / 255, output="pred_boxes",
        extra={"box_format": "cxcywh-normalised", "logits": "logits", "activation": "sigmoid"},
    ),
    case(
        "made-classifier", "classifier", (64, 48), color="rgb", scale=1 / 255, mean=[0.485, 0.456, 0.406],
        std=[0.229, 0.224, 0.225], resize="stretch", extra={"activation": "softmax"},
    ),
    case("made-embedding", "embedding", (32, 64), resize="stretch", layout="nhwc", extra={"dim": 16}),
    case("yolox-nano", "yolox", (416, 416), classes=COCO, batch=1, file="yolox_nano.onnx"),
    case(
        "nanodet-plus", "gfl", (416, 416), classes=COCO, batch=1, file="nanodet_plus_m_416.onnx", input="data",
        mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], resize="stretch", strides=[8, 16, 32, 64],
    ),
    case(
        "deimv2-femto", "detr", (416, 416), classes=COCO, batch=2, file="deimv2_hgnetv2_femto_coco.onnx", color="rgb",
        scale=1 / 255, resize="stretch", output="boxes", size_name="orig_target_sizes",
        extra={"box_format": "xyxy", "labels": "labels", "scores": "scores"},
    ),
    case(
        "person-0248", "embedding", (128, 256), batch=1, file="person-reidentification-retail-0248.onnx",
        input="inputs:0", output="Identity:0", layout="nhwc", resize="stretch", margin=0.0, extra={"dim": 256},
    ),
]


class TooCloseError(Exception):
    """A number is so near a limit that rounding decides."""


# The tiny networks.


def cells(c: dict) -> int:
    """Counts the grid cells of a head."""
    width, height = c["size"]
    return sum(-(-width // s) * -(-height // s) for s in c["strides"])


def constants(c: dict, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Returns, for each output, what it is when all means are zero."""
    classes, (width, height) = len(c["classes"]), c["size"]
    if c["head"] == "yolox":
        out = np.concatenate([rng.normal(0, 0.6, (cells(c), 4)), rng.uniform(0, 0.04, (cells(c), 1 + classes))], 1)
        for row in rng.choice(cells(c), 9, replace=False):
            out[row, 4:] = rng.uniform(0.3, 0.95, 1 + classes)
        return {"output": out}
    if c["head"] == "yolov8":
        boxes = rng.uniform([0, 0, 8, 8], [width, height, width / 2, height / 2], (60, 4))
        scores = rng.uniform(0, 0.05, (60, classes))
        for row in rng.choice(60, 9, replace=False):
            scores[row, rng.integers(classes)] = rng.uniform(0.2, 0.9)
        return {"output": np.concatenate([boxes, scores], 1).T}
    if c["head"] == "gfl":
        out = np.concatenate([rng.uniform(0, 0.05, (cells(c), classes)), rng.normal(0, 2, (cells(c), 32))], 1)
        for row in rng.choice(cells(c), 9, replace=False):
            out[row, rng.integers(classes)] = rng.uniform(0.2, 0.9)
        return {"output": out}
    if c["head"] == "detr":
        middle, side = rng.uniform(0.1, 0.9, (20, 2)), rng.uniform(0.05, 0.4, (20, 2))
        if "logits" in c["extra"]:
            return {"pred_boxes": np.concatenate([middle, side], 1), "logits": rng.normal(-2, 2, (20, classes))}
        boxes = np.concatenate([middle - side / 2, middle + side / 2], 1)
        # One label is of a class that the manifest does not have.
        return {"boxes": boxes, "scores": rng.uniform(0, 0.9, 20), "labels": np.arange(20) % (classes + 1)}
    return {"output": rng.normal(0, 1, classes if c["head"] == "classifier" else c["extra"]["dim"])}


def made(c: dict, seed: int) -> onnx.ModelProto:
    """Makes a network: each output is a constant plus a mixture of the means of 2 × 2 parts of each colour."""
    rng = np.random.default_rng(seed)
    width, height = c["size"]
    sides = [3, height, width] if c["layout"] == "nchw" else [height, width, 3]
    inputs = [helper.make_tensor_value_info(c["input"], TensorProto.FLOAT, ["N", *sides])]
    nodes, values, outputs = [], {}, []
    source = c["input"]
    if c["layout"] == "nhwc":
        nodes.append(helper.make_node("Transpose", [source], ["planes"], perm=[0, 3, 1, 2]))
        source = "planes"
    half = [height // 2, width // 2]
    nodes.append(helper.make_node("AveragePool", [source], ["pooled"], kernel_shape=half, strides=half))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["means"]))
    spread = 255.0 * c["scale"] / float(np.mean(c["std"]))
    for name, base in constants(c, rng).items():
        is_score = c["head"] in ("classifier", "embedding")
        count = int(base.size)
        # Through two numbers only, to keep the files small.
        first, second = rng.normal(0, 1 / spread, (12, 2)), rng.normal(0, 0.6 if is_score else 0.01, (2, count))
        if name == "labels":
            second[:] = 0
        values[f"{name}_first"], values[f"{name}_second"] = first.astype(np.float32), second.astype(np.float32)
        values[f"{name}_base"] = base.reshape(1, count).astype(np.float32)
        values[f"{name}_shape"] = np.array([-1, *base.shape], np.int64)
        nodes.append(helper.make_node("MatMul", ["means", f"{name}_first"], [f"{name}_two"]))
        nodes.append(helper.make_node("MatMul", [f"{name}_two", f"{name}_second"], [f"{name}_mixed"]))
        nodes.append(helper.make_node("Add", [f"{name}_mixed", f"{name}_base"], [f"{name}_sum"]))
        last = f"{name}_wide" if name in ("labels", "boxes") else name
        nodes.append(helper.make_node("Reshape", [f"{name}_sum", f"{name}_shape"], [last]))
        kind = TensorProto.FLOAT
        if name == "labels":
            kind = TensorProto.INT64
            nodes.append(helper.make_node("Cast", [last], [name], to=kind))
        if name == "boxes":
            # As published exports do: shares of the picture, times its size.
            inputs.append(helper.make_tensor_value_info(c["size_name"], TensorProto.INT64, ["N", 2]))
            values["four"] = np.array([1], np.int64)
            nodes.append(helper.make_node("Cast", [c["size_name"]], ["size"], to=kind))
            nodes.append(helper.make_node("Concat", ["size", "size"], ["sizes"], axis=1))
            nodes.append(helper.make_node("Unsqueeze", ["sizes", "four"], ["size_rows"]))
            nodes.append(helper.make_node("Mul", [last, "size_rows"], [name]))
        outputs.append(helper.make_tensor_value_info(name, kind, ["N", *base.shape]))
    initial = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, c["name"], inputs, outputs, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


# What Python makes of them.


def tensor(c: dict, picture: np.ndarray) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Returns the network's input and where the picture lies in it: left, top, width, height."""
    width, height = c["size"]
    source_h, source_w = picture.shape[:2]
    scale = min(width / source_w, height / source_h)
    w, h = (width, height) if c["resize"] == "stretch" else (round(source_w * scale), round(source_h * scale))
    left, top = ((width - w) // 2, (height - h) // 2) if c["resize"] == "letterbox-center" else (0, 0)
    canvas = np.full((height, width, 3), 114, np.float32)
    canvas[top : top + h, left : left + w] = cv2.resize(picture.astype(np.float32), (w, h))
    return finish(c, canvas), (left, top, w, h)


def finish(c: dict, canvas: np.ndarray) -> np.ndarray:
    """Orders and normalises colours."""
    canvas = canvas if c["color"] == "rgb" else canvas[..., ::-1]
    canvas = (canvas * c["scale"] - np.array(c["mean"])) / np.array(c["std"])
    canvas = canvas if c["layout"] == "nhwc" else canvas.transpose(2, 0, 1)
    return np.ascontiguousarray(canvas[None], np.float32)


def crop(c: dict, picture: np.ndarray, box: list[float]) -> np.ndarray:
    """Returns the network's input for one box, widened by the margin and cut at the picture's edges."""
    source_h, source_w = picture.shape[:2]
    x, y, w, h = box
    left, right = np.clip([x - w * c["margin"], x + w * (1 + c["margin"])], 0, source_w)
    top, bottom = np.clip([y - h * c["margin"], y + h * (1 + c["margin"])], 0, source_h)
    width, height = c["size"]
    columns = left + (np.arange(width) + 0.5) * (right - left) / width - 0.5
    rows = top + (np.arange(height) + 0.5) * (bottom - top) / height - 0.5
    map_x, map_y = np.meshgrid(np.clip(columns, 0, source_w - 1), np.clip(rows, 0, source_h - 1))
    x0, y0 = np.minimum(map_x.astype(int), source_w - 2), np.minimum(map_y.astype(int), source_h - 2)
    fx, fy = (map_x - x0)[..., None], (map_y - y0)[..., None]
    source = picture.astype(np.float64)
    upper = source[y0, x0] * (1 - fx) + source[y0, x0 + 1] * fx
    lower = source[y0 + 1, x0] * (1 - fx) + source[y0 + 1, x0 + 1] * fx
    return finish(c, upper * (1 - fy) + lower * fy)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns the logistic function."""
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    """Returns the softmax over the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def grid(c: dict) -> np.ndarray:
    """Returns column, row and stride of every cell."""
    width, height = c["size"]
    levels = []
    for s in c["strides"]:
        ys, xs = np.mgrid[0 : -(-height // s), 0 : -(-width // s)]
        levels.append(np.stack([xs.ravel(), ys.ravel(), np.full(xs.size, s)], 1))
    return np.concatenate(levels).astype(np.float64)


def decode(c: dict, outputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns corners in pixels of the input, scores and classes of all candidates."""
    out = outputs[c["output"]][0].astype(np.float64)
    if c["head"] == "yolox":
        g = grid(c)
        middle, side = (out[:, :2] + g[:, :2]) * g[:, 2:], np.exp(out[:, 2:4]) * g[:, 2:]
        scores = out[:, 4:5] * out[:, 5:]
        return np.concatenate([middle - side / 2, middle + side / 2], 1), scores.max(1), scores.argmax(1)
    if c["head"] == "yolov8":
        out = out.T
        middle, side, scores = out[:, :2], out[:, 2:4], out[:, 4:]
        return np.concatenate([middle - side / 2, middle + side / 2], 1), scores.max(1), scores.argmax(1)
    if c["head"] == "gfl":
        g, classes = grid(c), len(c["classes"])
        steps = softmax(out[:, classes:].reshape(-1, 4, c["reg_max"] + 1)) @ np.arange(c["reg_max"] + 1) * g[:, 2:]
        origin = g[:, :2] * g[:, 2:]
        corners = np.concatenate([origin - steps[:, :2], origin + steps[:, 2:]], 1)
        return corners, out[:, :classes].max(1), out[:, :classes].argmax(1)
    if "logits" in c["extra"]:
        scores = sigmoid(outputs["logits"][0].astype(np.float64))
        corners = np.concatenate([out[:, :2] - out[:, 2:] / 2, out[:, :2] + out[:, 2:] / 2], 1)
        corners *= np.array([*c["size"], *c["size"]])
        queries, labels = np.nonzero(scores > 0)
        return corners[queries], scores[queries, labels], labels
    return out, outputs["scores"][0].astype(np.float64), outputs["labels"][0]


def suppress(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, limit: float) -> list[int]:
    """Returns what is left after non-maximum suppression, class by class."""
    kept: list[int] = []
    area = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    for i in np.argsort(-scores):
        shared = [
            np.prod(np.clip(np.minimum(boxes[i, 2:], boxes[j, 2:]) - np.maximum(boxes[i, :2], boxes[j, :2]), 0, None))
            for j in kept
            if labels[j] == labels[i]
        ]
        others = [area[j] for j in kept if labels[j] == labels[i]]
        ious = [s / (area[i] + a - s) for s, a in zip(shared, others, strict=True)]
        if any(abs(iou - limit) < 0.002 for iou in ious):
            raise TooCloseError
        if not any(iou > limit for iou in ious):
            kept.append(int(i))
    return kept


def detect(c: dict, session: onnxruntime.InferenceSession, picture: np.ndarray) -> list[dict]:
    """Returns the boxes that must be found, in pixels of the picture."""
    feed, (left, top, w, h) = tensor(c, picture)
    feeds = {c["input"]: feed}
    if c["size_name"]:
        feeds[c["size_name"]] = np.array([c["size"]], np.int64)
    names = [o.name for o in session.get_outputs()]
    boxes, scores, labels = decode(c, dict(zip(names, session.run(None, feeds), strict=True)))
    floor = KEPT["published" if c["file"] else "made"]
    if not c["file"] and np.any(np.abs(scores - floor) < 0.002):
        raise TooCloseError
    boxes = np.clip(boxes - [left, top, left, top], 0, [w, h, w, h])
    keep = (scores >= floor) & (labels < len(c["classes"])) & np.all(boxes[:, 2:] > boxes[:, :2], 1)
    boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
    order = np.argsort(-scores) if c["head"] == "detr" else suppress(boxes, scores, labels, c["nms_iou"])
    source_h, source_w = picture.shape[:2]
    boxes = boxes * [source_w / w, source_h / h, source_w / w, source_h / h]
    return [
        {
            "class": c["classes"][labels[i]],
            "bbox": [round(float(v), 3) for v in (*boxes[i, :2], *(boxes[i, 2:] - boxes[i, :2]))],
            "score": round(float(min(scores[i], 1)), 5),
        }
        for i in order
    ]


def look(c: dict, session: onnxruntime.InferenceSession, picture: np.ndarray) -> list[list[float]]:
    """Returns scores or vectors of the crops."""
    rows = []
    for box in CROPS:
        out = session.run([c["output"]], {c["input"]: crop(c, picture, box)})[0][0].astype(np.float64)
        out = softmax(out) if c["head"] == "classifier" else out / np.linalg.norm(out)
        rows.append([round(float(v), 5) for v in out])
    return rows


# The packages.


def manifest(c: dict, sha256: str, found: list) -> str:
    """Returns the manifest's text."""
    width, height = c["size"]
    output = {"name": c["output"], "head": c["head"]}
    if c["head"] in ("yolox", "gfl"):
        output["strides"] = c["strides"]
    if c["head"] in ("yolox", "yolov8", "gfl"):
        output["nms_iou"] = c["nms_iou"]
    if c["head"] == "gfl":
        output["reg_max"] = c["reg_max"]
    sections = {
        "file": {"path": c["file"] or f"{c['name']}.onnx", "sha256": sha256},
        "input": {
            "name": c["input"], **({"size_name": c["size_name"]} if c["size_name"] else {}), "width": width,
            "height": height, "layout": c["layout"], "color": c["color"], "scale": c["scale"], "mean": c["mean"],
            "std": c["std"], "resize": c["resize"], "pad": 114, "max_batch": c["batch"],
        },
        "output": output | c["extra"],
    }
    top = {
        "schema": 1, "name": c["name"], "version": "1", "title_zh": "对照", "title_en": "Conformance",
        "license": "Apache-2.0", "provenance": "see make.py", "serves": [],
    }
    second = c["head"] in ("classifier", "embedding")
    if second:
        sections["crop"] = {"of": ["person"], "margin": c["margin"], "min_px": 8, "max_per_frame": 8}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in top.items()]
    for name, section in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items())]
    if c["head"] != "embedding":
        for name in c["classes"]:
            lines += ["", "[[classes]]", f'name = "{name}"', f'zh = "{name}"', f'en = "{name}"', "threshold = 0.4"]
    lines += ["", "[golden]", f'picture = "{PICTURE}"']
    for i, item in enumerate(found[:3]):
        if c["head"] == "embedding":
            starts = [round(v, 4) for v in item[:8]]
            lines += ["", "[[golden.vectors]]", f"bbox = {CROPS[i]}", f"starts = {starts}"]
        elif c["head"] == "classifier":
            best = int(np.argmax(item))
            item = {"class": c["classes"][best], "bbox": CROPS[i], "score": item[best]}
        if c["head"] != "embedding":
            lines += ["", "[[golden.boxes]]", *(f"{key} = {json.dumps(value)}" for key, value in item.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes everything beside this file."""
    picture = np.array(Image.open(HERE / PICTURE).convert("RGB"))
    expected = {}
    for c in CASES:
        path = WEIGHTS / c["file"] if c["file"] else HERE / f"{c['name']}.onnx"
        second = c["head"] in ("classifier", "embedding")
        for seed in range(100):
            if not c["file"]:
                path.write_bytes(made(c, seed).SerializeToString(deterministic=True))
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            try:
                found = look(c, session, picture) if second else detect(c, session, picture)
                break
            except TooCloseError:
                continue
        else:
            raise TooCloseError
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        (HERE / f"{c['name']}.toml").write_text(manifest(c, sha256, found), encoding="utf-8")
        expected[c["name"]] = {"crops": CROPS, "numbers": found} if second else {"boxes": found}
        print(f"{c['name']}: {len(found)} {'crops' if second else 'boxes'}")
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in expected.items())
    (HERE / "expected.json").write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    main()
