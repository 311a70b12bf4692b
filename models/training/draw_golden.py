"""Draws the golden pictures of packages whose classes no free picture at hand shows.

They are drawings: a package's golden picture proves that the agent computes what was computed when
the package was made, not that the model is good.

    python -m models.training.draw_golden
"""

from __future__ import annotations

import cv2
import numpy as np

from .config import REPO

_SEED = 7


def noise(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Smooth noise in 0-1: several sizes of blurred random cells added up."""
    total, weight = np.zeros((height, width), np.float32), 0.0
    for octave in range(4):
        count = cells * 2**octave
        grid = rng.random((count, count)).astype(np.float32)
        share = 0.5**octave
        total += share * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight += share
    return (total / weight).clip(0, 1)


def ground(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Sky above soil."""
    picture = np.zeros((height, width, 3), np.float32)
    horizon = int(height * 0.42)
    picture[:horizon] = np.linspace((225, 205, 180), (235, 228, 220), horizon)[:, None]
    soil = noise(rng, height - horizon, width, 9)[..., None]
    picture[horizon:] = (70, 95, 120) + soil * (60, 70, 75)
    return picture


def flames(rng: np.random.Generator, picture: np.ndarray, left: int, low: int, size: int) -> None:
    """Adds a fire that stands on (`left`, `low`) and smoke above it, in place."""
    for step in range(900):
        rise = rng.random() ** 1.6
        x = left + size * (0.5 + (0.42 - 0.36 * rise) * rng.normal() * 0.7)
        y = low - size * 1.5 * rise
        radius = max(1, int(size * 0.10 * (1 - 0.8 * rise) * rng.uniform(0.4, 1.2)))
        heat = 1 - rise
        colour = (20 + 120 * heat**3, 90 + 150 * heat**1.2, 255)
        layer = picture.copy()
        cv2.circle(layer, (int(x), int(y)), radius, colour, -1, cv2.LINE_AA)
        picture[:] = 0.55 * picture + 0.45 * layer if step % 2 else layer
    picture[:] = cv2.GaussianBlur(picture, (0, 0), 1.2)
    tall = int(size * 2.2)
    top = max(0, low - int(size * 1.2) - tall)
    cloud = noise(rng, low - int(size * 1.2) - top, size * 3, 4)
    shape = np.exp(-(((np.arange(size * 3) / (size * 3) - 0.5) / 0.22) ** 2))[None]
    opacity = (cloud * shape * 1.3).clip(0, 0.92)[..., None]
    x1 = max(0, left - size)
    part = picture[top : top + cloud.shape[0], x1 : x1 + size * 3]
    opacity = opacity[:, : part.shape[1]]
    part[:] = part * (1 - opacity) + opacity * (60 + 90 * cloud[:, : part.shape[1], None])


def fire_scene() -> np.ndarray:
    """A yard with an open fire."""
    rng = np.random.default_rng(_SEED)
    picture = ground(rng, 360, 640)
    flames(rng, picture, 250, 310, 90)
    return picture.clip(0, 255).astype(np.uint8)


def fire_engine() -> np.ndarray:
    """A red lorry with a ladder, blue lamps and a white stripe."""
    rng = np.random.default_rng(_SEED)
    picture = ground(rng, 240, 360)
    red, dark, glass, silver = (35, 30, 200), (40, 40, 40), (140, 120, 95), (200, 200, 200)
    cv2.rectangle(picture, (40, 85), (235, 175), red, -1)
    cv2.fillPoly(
        picture, [np.array([(238, 95), (300, 95), (322, 130), (322, 175), (238, 175)])], red
    )
    cv2.fillPoly(picture, [np.array([(262, 102), (297, 102), (314, 130), (262, 130)])], glass)
    cv2.rectangle(picture, (243, 102), (257, 130), glass, -1)
    cv2.rectangle(picture, (40, 140), (322, 150), (235, 240, 240), -1)
    for x in range(50, 230, 46):
        cv2.rectangle(picture, (x, 95), (x + 38, 134), silver, -1)
        cv2.line(picture, (x, 104), (x + 38, 104), (150, 150, 150), 1)
    for offset in (70, 78):
        cv2.line(picture, (30, offset), (250, offset), silver, 3)
    for x in range(36, 250, 14):
        cv2.line(picture, (x, 70), (x, 78), silver, 2)
    cv2.rectangle(picture, (268, 84), (292, 95), (230, 90, 20), -1)
    for x in (85, 195, 285):
        cv2.circle(picture, (x, 178), 21, dark, -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 178), 9, silver, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.7).clip(0, 255).astype(np.uint8)


def main() -> None:
    """Writes the drawings into their packages."""
    for name, draw in (("site-scene", fire_scene), ("vehicle-type", fire_engine)):
        folder = REPO / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "golden.jpg"), draw(), [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
