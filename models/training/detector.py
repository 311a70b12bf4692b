"""Runs an exported detector with ONNX Runtime exactly as its manifest describes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .config import NMS_IOU, PAD, STRIDES, Net


def letterbox(picture: np.ndarray, width: int, height: int) -> tuple[np.ndarray, float]:
    """Scales a BGR picture into the top-left of a padded canvas; returns it and the scale."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    canvas = np.full((height, width, 3), PAD, np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return canvas, scale


def anchor_grid(width: int, height: int, strides=STRIDES) -> tuple[np.ndarray, np.ndarray]:
    """Returns the grid cell and the stride of each anchor, in the network's output order."""
    cells, sizes = [], []
    for stride in strides:
        y, x = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([x, y], -1).reshape(-1, 2))
        sizes.append(np.full((cells[-1].shape[0], 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def nms(boxes: np.ndarray, scores: np.ndarray, limit: float) -> list[int]:
    """Keeps the best box of each heap of boxes that overlap by more than `limit`."""
    order, kept = scores.argsort()[::-1], []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        inter = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[inter / (area[best] + area[rest] - inter + 1e-9) <= limit]
    return kept


def by_class_nms(rows: np.ndarray) -> np.ndarray:
    """Thins rows (class, score, corners) within each class and sorts them by score."""
    parts = [np.zeros((0, 6), np.float32)]
    for label in np.unique(rows[:, 0]):
        part = rows[rows[:, 0] == label]
        parts.append(part[nms(part[:, 2:], part[:, 1], NMS_IOU)])
    rows = np.concatenate(parts)
    return rows[rows[:, 1].argsort()[::-1]].astype(np.float32)


def offsets(length: int, window: int) -> list[int]:
    """Returns the starts of evenly overlapping windows that cover a length."""
    count = max(1, -(-length // window))
    return [round(i * max(0, length - window) / max(1, count - 1)) for i in range(count)]


class Detector:
    """One YOLOX-headed ONNX file: picture in, rows (class, score, x1, y1, x2, y2) out."""

    def __init__(self, model: Path | str, net: Net, threads: int = 2) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(model), options, ["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        height, width = self.input.shape[2:]
        self.width = width if isinstance(width, int) else net.width
        self.height = height if isinstance(height, int) else net.height
        self.cells, self.strides = anchor_grid(self.width, self.height)

    def __call__(self, picture: np.ndarray, floor: float = 0.01) -> np.ndarray:
        """Detects on one BGR picture; boxes come in its pixels, clipped to it."""
        canvas, scale = letterbox(picture, self.width, self.height)
        tensor = canvas.transpose(2, 0, 1)[None].astype(np.float32)
        raw = self.session.run(None, {self.input.name: tensor})[0][0]
        return self.decode(raw, scale, picture.shape, floor)

    def decode(self, raw: np.ndarray, scale: float, shape, floor: float) -> np.ndarray:
        """Turns raw anchors into boxes: best class per anchor, then NMS within each class."""
        scores = raw[:, 4:5] * raw[:, 5:]
        classes = scores.argmax(1)
        best = scores[np.arange(len(scores)), classes]
        keep = best >= floor
        raw, classes, best = raw[keep], classes[keep], best[keep]
        centre = (raw[:, :2] + self.cells[keep]) * self.strides[keep]
        half = np.exp(raw[:, 2:4]) * self.strides[keep] / 2
        boxes = np.concatenate([centre - half, centre + half], 1) / scale
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, shape[1])
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, shape[0])
        return by_class_nms(np.concatenate([classes[:, None], best[:, None], boxes], 1))

    def tiled(self, picture: np.ndarray, floor: float = 0.01) -> np.ndarray:
        """Detects on the whole picture and on tiles of it at native resolution, and merges.

        Boxes that touch a cut inside the picture are left to the neighbouring tile.
        """
        height, width = picture.shape[:2]
        found = [self(picture, floor)]
        for top in offsets(height, self.height):
            for left in offsets(width, self.width):
                part = self(picture[top : top + self.height, left : left + self.width], floor)
                right, bottom = min(left + self.width, width), min(top + self.height, height)
                part[:, 2:] += np.array([left, top, left, top], np.float32)
                cut = (part[:, 2] < left + 2) & (left > 0) | (part[:, 4] > right - 2) & (
                    right < width
                )
                cut |= (part[:, 3] < top + 2) & (top > 0)
                cut |= (part[:, 5] > bottom - 2) & (bottom < height)
                found.append(part[~cut])
        return by_class_nms(np.concatenate(found))
