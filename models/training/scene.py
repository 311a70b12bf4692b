"""Composes what a fixed camera sees: one wide background and a few small, badly lit people.

People are cut from the training pictures with some of their surroundings, shrunk until their heads
measure 4 to 16 px, lit and fogged on their own, and laid over a picture with a soft edge.
"""

from __future__ import annotations

import cv2
import numpy as np

from .augment import colour, fog, sort_out, visible
from .config import PAD, PERSON, Net
from .datasets import Picture, rows

_MARGIN = 0.18
_HEIGHTS = (22.0, 120.0)  # of a pasted person, in network pixels
_TRIES = 14


def background(
    rng, net: Net, picture: Picture, pixels
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fills the canvas with one picture, cut at random where it does not fit."""
    scale = max(net.width / picture.width, net.height / picture.height)
    size = (round(picture.width * scale), round(picture.height * scale))
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    left = int(rng.integers(size[0] - net.width + 1))
    top = int(rng.integers(size[1] - net.height + 1))
    canvas = np.full((net.height, net.width, 3), PAD, np.uint8)
    view = large[top : top + net.height, left : left + net.width]
    canvas[: view.shape[0], : view.shape[1]] = view
    window = np.array([0, 0, net.width, net.height])
    factor = np.array([size[0] / picture.width, size[1] / picture.height])
    move = lambda o: moved(o, factor, (-left, -top))  # noqa: E731
    boxes, regions = sort_out(move(picture.boxes), move(picture.ignore), window, net)
    return fog(rng, colour(rng, canvas)), boxes, regions


def moved(objects: np.ndarray, factor: np.ndarray, shift) -> np.ndarray:
    """Scales rows (class, corners), then shifts them."""
    result = objects.copy()
    result[:, 1:] = result[:, 1:] * np.tile(factor, 2) + np.tile(shift, 2)
    return result


def soft_edge(height: int, width: int) -> np.ndarray:
    """An opacity that fades over the outer tenth of a cut-out."""
    x = np.minimum(np.arange(width) + 0.5, width - np.arange(width) - 0.5) / (0.1 * width)
    y = np.minimum(np.arange(height) + 0.5, height - np.arange(height) - 0.5) / (0.1 * height)
    return np.minimum(x.clip(0, 1)[None], y.clip(0, 1)[:, None])[..., None].astype(np.float32)


def paste(rng, net: Net, canvas, taken, picture: Picture, pixels, height: float):
    """Lays one person of a picture on the canvas; returns its boxes and regions, or nothing."""
    people = picture.boxes[picture.boxes[:, 0] == PERSON]
    people = people[(people[:, 4] - people[:, 2]) > max(40, 0.7 * height)]
    if not len(people):
        return None
    _, x1, y1, x2, y2 = people[rng.integers(len(people))]
    grow_x, grow_y = _MARGIN * (x2 - x1) + 4, _MARGIN * (y2 - y1) / 2
    cut = np.array([x1 - grow_x, y1 - grow_y, x2 + grow_x, y2 + grow_y]).round().astype(int)
    cut[[0, 2]] = cut[[0, 2]].clip(0, picture.width)
    cut[[1, 3]] = cut[[1, 3]].clip(0, picture.height)
    scale = min(1.0, height / (y2 - y1))
    w, h = round((cut[2] - cut[0]) * scale), round((cut[3] - cut[1]) * scale)
    if w < 6 or h < 12 or w >= net.width or h >= net.height:
        return None
    left, top = int(rng.integers(net.width - w)), int(rng.integers(net.height - h))
    window = np.array([left, top, left + w, top + h])
    if any((window[:2] < t[2:]).all() and (t[:2] < window[2:]).all() for t in taken):
        return None
    taken.append(window)
    small = cv2.resize(
        pixels[cut[1] : cut[3], cut[0] : cut[2]], (w, h), interpolation=cv2.INTER_AREA
    )
    small = fog(rng, colour(rng, small)).astype(np.float32)
    spot = canvas[top : top + h, left : left + w]
    # Cut-outs take on the brightness of the place they are put in.
    small += rng.uniform(0, 0.7) * (float(spot.mean()) - float(small.mean()))
    opacity = soft_edge(h, w)
    spot[:] = (opacity * small.clip(0, 255) + (1 - opacity) * spot).astype(np.uint8)
    factor = np.array([w / (cut[2] - cut[0]), h / (cut[3] - cut[1])])
    shift = np.array([left, top]) - cut[:2] * factor
    return sort_out(
        moved(picture.boxes, factor, shift), moved(picture.ignore, factor, shift), window, net
    )


def scene(rng, net: Net, draw, draw_background) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Builds one scene: canvas, rows of boxes, and rows of ignore regions (corners)."""
    canvas, boxes, regions = background(rng, net, *draw_background(rng))
    taken: list[np.ndarray] = []
    typical = np.exp(rng.uniform(*np.log(_HEIGHTS)))
    new_boxes, new_regions = [rows([])], [rows([])]
    for _ in range(int(rng.integers(3, _TRIES))):
        height = float(np.clip(typical * np.exp(rng.normal(0, 0.3)), *_HEIGHTS))
        result = paste(rng, net, canvas, taken, *draw(rng), height)
        if result:
            new_boxes.append(result[0])
            new_regions.append(result[1])
    # What a cut-out covers of the background is doubtful.
    for window in taken:
        _, share = visible(boxes, window)
        regions = np.concatenate([regions, boxes[share > 0.3]])
        boxes = boxes[share <= 0.3]
    return canvas, np.concatenate([boxes, *new_boxes]), np.concatenate([regions, *new_regions])
