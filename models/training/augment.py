"""Composes training canvases: grids of shrunken pictures, then the faults of real cameras.

The pictures at hand show heads of 20 to 60 px; fixed cameras show 6 to 25 px. A canvas is
therefore mostly a grid of pictures shrunk to a common scale, cut where they exceed their tile.
"""

from __future__ import annotations

import cv2
import numpy as np

from .config import PAD, Net
from .datasets import Picture, rows

MIN_STRICT, MIN_LOOSE = 4.0, 10.0  # px of the shorter side; px of the height


def visible(objects: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clips rows (class, corners) to a window; returns them and the share still visible."""
    clipped = objects.copy()
    clipped[:, [1, 3]] = clipped[:, [1, 3]].clip(window[0], window[2])
    clipped[:, [2, 4]] = clipped[:, [2, 4]].clip(window[1], window[3])
    size = lambda o: np.prod(o[:, 3:5] - o[:, 1:3], axis=1)  # noqa: E731
    return clipped, size(clipped) / np.maximum(size(objects), 1e-6)


def colour(rng: np.random.Generator, tile: np.ndarray) -> np.ndarray:
    """Shifts hue, saturation and value; now and then shows the grey of infrared light."""
    if rng.random() < 0.06:
        return cv2.cvtColor(cv2.cvtColor(tile, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    gain = 1 + rng.uniform(-1, 1, 3) * (0.02, 0.6, 0.4)
    steps = np.arange(256)
    hsv = cv2.split(cv2.cvtColor(tile, cv2.COLOR_BGR2HSV))
    tables = [
        (steps * gain[0] % 180),
        (steps * gain[1]).clip(0, 255),
        (steps * gain[2]).clip(0, 255),
    ]
    hsv = [cv2.LUT(c, t.astype(np.uint8)) for c, t in zip(hsv, tables)]
    return cv2.cvtColor(cv2.merge(hsv), cv2.COLOR_HSV2BGR)


def fog(rng: np.random.Generator, tile: np.ndarray) -> np.ndarray:
    """Squeezes contrast towards haze, darkness or glare, as fixed cameras often show."""
    if rng.random() < 0.55:
        return tile
    span = rng.uniform(0.35, 1.0)
    low = rng.uniform(0, 255 * (1 - span))
    gamma = np.exp(rng.uniform(-0.6, 0.6))
    table = low + 255 * span * (np.arange(256) / 255) ** gamma
    return cv2.LUT(tile, table.clip(0, 255).astype(np.uint8))


def sort_out(
    boxes: np.ndarray, regions: np.ndarray, window: np.ndarray, net: Net
) -> tuple[np.ndarray, np.ndarray]:
    """Clips to a window; what is too small or mostly cut off becomes an ignore region."""
    boxes, share = visible(boxes, window)
    regions, rest = visible(regions, window)
    side = np.minimum(boxes[:, 3] - boxes[:, 1], boxes[:, 4] - boxes[:, 2])
    tall = boxes[:, 4] - boxes[:, 2]
    clear = np.where(
        np.isin(boxes[:, 0], net.strict_indices()),
        (share >= 0.6) & (side >= MIN_STRICT),
        (share >= 0.35) & (tall >= MIN_LOOSE),
    )
    doubt = boxes[~clear & (share > 0.05)]
    return boxes[clear], np.concatenate([regions[rest > 0], doubt])


def degrade(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """Adds haze, blur, noise, poor resolution and compression, each now and then."""
    if rng.random() < 0.3:
        gamma, low, high = rng.uniform(0.6, 1.7), rng.uniform(0, 50), rng.uniform(190, 255)
        table = low + (high - low) * (np.arange(256) / 255) ** gamma
        canvas = cv2.LUT(canvas, table.clip(0, 255).astype(np.uint8))
    blur = rng.random()
    if blur < 0.2:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.4))
    elif blur < 0.27:
        length = int(rng.integers(3, 6))
        kernel = np.eye(length) if rng.random() < 0.5 else np.zeros((length, length))
        kernel[length // 2] += kernel.sum() == 0
        canvas = cv2.filter2D(canvas, -1, kernel / kernel.sum())
    elif blur < 0.40:
        size = (canvas.shape[1], canvas.shape[0])
        factor = rng.uniform(0.5, 0.9)
        small = cv2.resize(canvas, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        canvas = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.25:
        noise = rng.normal(0, rng.uniform(2, 12), canvas.shape).astype(np.float32)
        canvas = (canvas + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))]
        canvas = cv2.imdecode(cv2.imencode(".jpg", canvas, quality)[1], cv2.IMREAD_COLOR)
    return canvas


def place(
    rng, net: Net, canvas, tile, scale, picture: Picture, pixels
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one picture into one tile (x1, y1, x2, y2); returns its boxes and ignore regions."""
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    fx, fy = scale * stretch, scale / stretch
    width, height = max(8, round(pixels.shape[1] * fx)), max(8, round(pixels.shape[0] * fy))
    method = cv2.INTER_LINEAR if fx > 0.8 or rng.random() < 0.4 else cv2.INTER_AREA
    resized = fog(rng, colour(rng, cv2.resize(pixels, (width, height), interpolation=method)))
    mirrored = rng.random() < 0.5
    if mirrored:
        resized = resized[:, ::-1]
    room_x, room_y = tile[2] - tile[0] - width, tile[3] - tile[1] - height
    left = tile[0] + round(rng.uniform(min(room_x, 0), max(room_x, 0)))
    top = tile[1] + round(rng.uniform(min(room_y, 0), max(room_y, 0)))
    window = np.array(
        [
            max(left, tile[0]),
            max(top, tile[1]),
            min(left + width, tile[2]),
            min(top + height, tile[3]),
        ]
    )
    canvas[window[1] : window[3], window[0] : window[2]] = resized[
        window[1] - top : window[3] - top, window[0] - left : window[2] - left
    ]
    factor = np.array([width / picture.width, height / picture.height])

    def moved(objects: np.ndarray) -> np.ndarray:
        result = objects.copy()
        result[:, 1:] *= np.tile(factor, 2)
        if mirrored:
            result[:, [1, 3]] = width - result[:, [3, 1]]
        result[:, 1:] += (left, top, left, top)
        return result

    return sort_out(moved(picture.boxes), moved(picture.ignore), window, net)


def mosaic(rng: np.random.Generator, net: Net, draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Builds a grid of pictures; `draw` returns a random (picture, pixels)."""
    canvas = np.full((net.height, net.width, 3), PAD, np.uint8)
    grids, chances = zip(*net.grids)
    columns, lines = grids[rng.choice(len(grids), p=chances)]
    split = rng.uniform(-0.08, 0.08, 2)
    xs = [
        0,
        *(round(net.width * (i / columns + split[0] * (columns > 1))) for i in range(1, columns)),
        net.width,
    ]
    ys = [
        0,
        *(round(net.height * (i / lines + split[1] * (lines > 1))) for i in range(1, lines)),
        net.height,
    ]
    all_boxes, all_regions = [], []
    for x1, x2 in zip(xs, xs[1:]):
        for y1, y2 in zip(ys, ys[1:]):
            picture, pixels = draw(rng)
            fit = min((x2 - x1) / picture.width, (y2 - y1) / picture.height)
            if columns * lines == 1:
                scale = fit * rng.choice([1.0, rng.uniform(0.45, 1.0), rng.uniform(1.0, 1.5)])
            else:
                scale = fit * rng.uniform(0.95, 1.7)
            boxes, regions = place(rng, net, canvas, (x1, y1, x2, y2), scale, picture, pixels)
            all_boxes.append(boxes)
            all_regions.append(regions)
    return canvas, np.concatenate(all_boxes), np.concatenate(all_regions)


def finish(rng, canvas, boxes, regions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Degrades a canvas and turns its boxes into centre-size rows."""
    size = boxes[:, 3:5] - boxes[:, 1:3]
    centred = np.concatenate([boxes[:, :1], boxes[:, 1:3] + size / 2, size], 1)
    return degrade(rng, canvas), rows(centred), rows(regions)
