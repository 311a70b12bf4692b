"""Cuts people and vehicles from clips and joins them to tracks, to judge appearance vectors.

Nobody labelled identities. Crops of one track count as one object, crops of two tracks that are
visible at the same moment as two, and other pairs count not at all: one person may well have made
two tracks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from .detector import Detector
from .metrics import pairwise

SECONDS = 0.5  # between samples
_MIN_SCORE, _MIN_SIDE, _MIN_IOU, _MIN_CROPS = 0.5, 24.0, 0.25, 4
_GROW = 0.05


@dataclass
class Track:
    """One object of one clip: sample numbers and what it looked like."""

    clip: str
    label: int
    times: list[int] = field(default_factory=list)
    crops: list[np.ndarray] = field(default_factory=list)
    box: np.ndarray = field(default_factory=lambda: np.zeros(4))


def follow(path: Path, detector: Detector, labels: list[int]) -> list[Track]:
    """Returns the longer tracks of one clip."""
    video = cv2.VideoCapture(str(path))
    step = max(1, round((video.get(cv2.CAP_PROP_FPS) or 25) * SECONDS))
    tracks: list[Track] = []
    for number in range(10_000):
        if not video.grab():
            break
        if number % step:
            continue
        ok, picture = video.retrieve()
        if not ok:
            break
        time = number // step
        found = detector(picture, _MIN_SCORE)
        side = np.minimum(found[:, 4] - found[:, 2], found[:, 5] - found[:, 3])
        for row in found[np.isin(found[:, 0], labels) & (side >= _MIN_SIDE)]:
            box = row[2:]
            recent = [t for t in tracks if t.label == row[0] and t.times[-1] == time - 1]
            iou = pairwise(box[None], np.array([t.box for t in recent]).reshape(-1, 4))[0]
            if len(recent) and iou.max() >= _MIN_IOU:
                track = recent[int(iou.argmax())]
            else:
                track = Track(path.stem, int(row[0]))
                tracks.append(track)
            x1, y1, x2, y2 = box
            dx, dy = _GROW * (x2 - x1), _GROW * (y2 - y1)
            top, left = max(0, round(y1 - dy)), max(0, round(x1 - dx))
            track.times.append(time)
            track.crops.append(picture[top : round(y2 + dy), left : round(x2 + dx)].copy())
            track.box = box
    return [t for t in tracks if len(t.crops) >= _MIN_CROPS]


def retrieval(tracks: list[Track], vectors: list[np.ndarray]) -> dict[str, float]:
    """Searches each crop of a track's second half among the first halves of its clip.

    Returns the share of searches whose best answer is right, the mean average precision, and
    their number. Vectors have length one.
    """
    first, precisions = [], []
    for own, track in enumerate(tracks):
        rivals = [
            other
            for other, rival in enumerate(tracks)
            if other != own
            and rival.clip == track.clip
            and rival.label == track.label
            and set(rival.times) & set(track.times)
        ]
        if not rivals:
            continue
        half = len(track.crops) // 2
        gallery = [vectors[own][:half], *(vectors[r][: len(vectors[r]) // 2] for r in rivals)]
        right = np.concatenate([np.full(len(g), i == 0) for i, g in enumerate(gallery)])
        for query in vectors[own][half:]:
            hits = right[np.argsort(-(np.concatenate(gallery) @ query), kind="stable")]
            first.append(hits[0])
            precisions.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    if not first:
        return {"searches": 0}
    return {
        "searches": len(first),
        "first": float(np.mean(first)),
        "map": float(np.mean(precisions)),
    }
