"""Generated crowds with exact truth: people walk on a ground plane and hide each other."""

import math
import random
from dataclasses import dataclass

WIDTH, HEIGHT = 1280, 720
FPS = 10
# A camera 4 m up that looks 20 degrees down, 50 degrees of view across.
CAMERA_METRES, PITCH, FOCAL = 4.0, math.radians(20), WIDTH / 2 / math.tan(math.radians(25))
# More of a person hidden than this: the detector misses it, and the truth leaves it out.
HIDDEN, GONE = 0.6, 0.8


@dataclass
class Walker:
    """Somebody who walks from goal to goal; metres, metres per second."""

    x: float
    y: float
    goal: tuple[float, float]
    speed: float
    height: float


def project(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Pixel and depth of a point ``x`` to the right, ``y`` ahead and ``z`` above the ground."""
    down = CAMERA_METRES - z
    depth = y * math.cos(PITCH) + down * math.sin(PITCH)
    below = down * math.cos(PITCH) - y * math.sin(PITCH)
    return WIDTH / 2 + FOCAL * x / depth, HEIGHT / 2 + FOCAL * below / depth, depth


def box(walker: Walker) -> tuple[list[float], float]:
    """Box of a walker in pixels, and its distance."""
    foot_x, foot_y, depth = project(walker.x, walker.y, 0.0)
    _, head_y, _ = project(walker.x, walker.y, walker.height)
    width = FOCAL * 0.55 / depth
    return [foot_x - width / 2, head_y, width, foot_y - head_y], depth


def hidden(bbox: list[float], others: list[list[float]]) -> float:
    """Share of a box that the worst of the nearer boxes covers."""
    shares = [0.0]
    for other in others:
        w = min(bbox[0] + bbox[2], other[0] + other[2]) - max(bbox[0], other[0])
        h = min(bbox[1] + bbox[3], other[1] + other[3]) - max(bbox[1], other[1])
        shares.append(max(w, 0) * max(h, 0) / (bbox[2] * bbox[3]))
    return max(shares)


def crowd(people: int, seconds: int, seed: int) -> tuple[list[dict], list[tuple]]:
    """Detections per frame as the tracker's example reads them, and the truth as MOT rows.

    One detection in ten is missed, boxes shake by 2 % of their height, scores vary, one frame in
    ten has a box where nobody is.
    """
    rng = random.Random(seed)
    spot = lambda: (rng.uniform(-6, 6), rng.uniform(9, 26))  # noqa: E731
    walkers = [
        Walker(*spot(), spot(), rng.uniform(0.6, 1.6), rng.uniform(1.55, 1.9))
        for _ in range(people)
    ]
    frames, truth = [], []
    for frame in range(1, seconds * FPS + 1):
        for walker in walkers:
            dx, dy = walker.goal[0] - walker.x, walker.goal[1] - walker.y
            left = math.hypot(dx, dy)
            if left < 0.3:
                walker.goal = spot()
                continue
            walker.x += dx / left * walker.speed / FPS
            walker.y += dy / left * walker.speed / FPS
        order = sorted(range(people), key=lambda i: walkers[i].y)
        boxes, nearer = [], []
        for index in order:
            bbox, _ = box(walkers[index])
            covered = hidden(bbox, nearer)
            nearer.append(bbox)
            if covered <= GONE:
                truth.append((frame, index + 1, *bbox))
            if covered > HIDDEN or rng.random() < 0.1:
                continue
            shake = lambda v, size=bbox[3]: v + rng.gauss(0, 0.02) * size  # noqa: E731
            score = min(max(rng.gauss(0.75 - 0.4 * covered, 0.12), 0.12), 0.98)
            boxes.append(["person", score, [shake(bbox[0]), shake(bbox[1]), bbox[2], bbox[3]]])
        if rng.random() < 0.1:
            place = [rng.uniform(0, WIDTH - 60), rng.uniform(200, HEIGHT - 150), 50, 130]
            boxes.append(["person", rng.uniform(0.2, 0.6), place])
        rng.shuffle(boxes)
        t = (frame - 1) / FPS
        frames.append({"frame": frame, "t": t, "size": [WIDTH, HEIGHT], "boxes": boxes})
    return frames, truth
