"""Runs a model package over a clip as the edge does, keeping unsure boxes for the tracker."""

import json
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

LEAST_SCORE = 0.1
CLIP_FPS = 10


def detect(video: Path, package: Path, last: int) -> list[dict]:
    """Detections of the first ``last`` frames of a 10 fps clip."""
    manifest = tomllib.loads((package / "manifest.toml").read_text())
    session = onnxruntime.InferenceSession(package / manifest["file"]["path"])
    capture = cv2.VideoCapture(str(video))
    frames = []
    for frame in range(1, last + 1):
        ok, picture = capture.read()
        if not ok:
            break
        boxes = _boxes(session, manifest, picture)
        size = [picture.shape[1], picture.shape[0]]
        frames.append({"frame": frame, "t": (frame - 1) / CLIP_FPS, "size": size, "boxes": boxes})
    return frames


def _boxes(session: onnxruntime.InferenceSession, manifest: dict, picture: np.ndarray) -> list:
    """Boxes of one picture: letterbox to the top left, YOLOX head, suppression per class."""
    form, output = manifest["input"], manifest["output"]
    scale = min(form["width"] / picture.shape[1], form["height"] / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    canvas = np.full((form["height"], form["width"], 3), form["pad"], np.float32)
    canvas[: small.shape[0], : small.shape[1]] = small
    raw = session.run(None, {form["name"]: canvas.transpose(2, 0, 1)[None]})[0][0]
    grid, stride = _grid(form["width"], form["height"], output["strides"])
    centre = (raw[:, :2] + grid) * stride
    size = np.exp(raw[:, 2:4]) * stride
    found = []
    for index, described in enumerate(manifest["classes"]):
        scores = raw[:, 4] * raw[:, 5 + index]
        kept = scores >= LEAST_SCORE
        corner = (centre - size / 2)[kept] / scale
        rects = np.hstack([corner, size[kept] / scale])
        chosen = cv2.dnn.NMSBoxes(
            rects.tolist(), scores[kept].tolist(), LEAST_SCORE, output["nms_iou"]
        )
        for i in np.array(chosen, int).flatten():
            rect = [round(float(v), 2) for v in rects[i]]
            found.append([described["name"], round(float(scores[kept][i]), 4), rect])
    return found


def _grid(width: int, height: int, strides: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Cell of each output row, and its stride."""
    cells, steps = [], []
    for stride in strides:
        y, x = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([x, y], -1).reshape(-1, 2))
        steps.append(np.full((cells[-1].shape[0], 1), stride))
    return np.concatenate(cells), np.concatenate(steps)


if __name__ == "__main__":
    for line in detect(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])):
        print(json.dumps(line))
