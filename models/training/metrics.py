"""Average precision, recall at a false-positive budget, and bootstrap intervals.

Matching follows COCO: detections claim the best free box in order of score; a detection that only
fits an ignore region counts neither way. AP samples precision at 101 recalls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IOUS = np.arange(0.5, 0.96, 0.05)
_RECALLS = np.linspace(0, 1, 101)


@dataclass
class Matched:
    """One picture and class: detection scores, and per IoU 1 = hit, 0 = miss, -1 = ignored."""

    scores: np.ndarray
    verdicts: np.ndarray  # len(IOUS) x detections
    truths: int
    sides: np.ndarray  # size of each labelled box, in network pixels
    found: np.ndarray  # score that found each labelled box at IoU 0.5, or 0


def pairwise(a: np.ndarray, b: np.ndarray, of_first: bool = False) -> np.ndarray:
    """IoU of two box lists, or the share of the first box that lies in the second."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.clip(high - low, 0, None), axis=2)
    first = np.prod(a[:, 2:] - a[:, :2], axis=1)[:, None]
    second = np.prod(b[:, 2:] - b[:, :2], axis=1)[None]
    return inter / ((first if of_first else first + second - inter) + 1e-9)


def match(found: np.ndarray, truth: np.ndarray, ignore: np.ndarray, scale: float) -> Matched:
    """Matches rows (score, corners), best first, with labelled boxes and ignore regions."""
    scores, boxes = found[:, 0], found[:, 1:]
    iou = pairwise(boxes, truth)
    excused = pairwise(boxes, ignore, of_first=True).max(1, initial=0) >= 0.5
    verdicts = np.zeros((len(IOUS), len(found)), np.int8)
    claimed = np.zeros(len(truth))
    for t, limit in enumerate(IOUS):
        free = np.ones(len(truth), bool)
        for d in range(len(found)):
            candidates = np.where(free, iou[d], -1) if len(truth) else np.array([-1.0])
            best = int(candidates.argmax())
            if candidates[best] >= limit:
                free[best] = False
                verdicts[t, d] = 1
                if t == 0:
                    claimed[best] = scores[d]
            elif excused[d]:
                verdicts[t, d] = -1
    sides = np.sqrt(np.prod(truth[:, 2:] - truth[:, :2], axis=1)) * scale
    return Matched(scores, verdicts, len(truth), sides, claimed)


def gather(pictures: list[Matched]) -> tuple[np.ndarray, np.ndarray, int]:
    """Joins pictures into scores and verdicts sorted by score, and the number of boxes."""
    scores = np.concatenate([p.scores for p in pictures])
    verdicts = np.concatenate([p.verdicts for p in pictures], axis=1)
    order = np.argsort(-scores, kind="stable")
    return scores[order], verdicts[:, order], sum(p.truths for p in pictures)


def average_precision(verdicts: np.ndarray, truths: int) -> float:
    """COCO's 101-point average precision of one IoU's sorted verdicts."""
    verdicts = verdicts[verdicts >= 0]
    if truths == 0:
        return float("nan")
    hits = np.cumsum(verdicts == 1)
    precision = hits / np.arange(1, len(hits) + 1) if len(hits) else np.zeros(0)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    index = np.searchsorted(hits / truths, _RECALLS, side="left")
    return float(np.where(index < len(hits), np.append(precision, 0)[index], 0).mean())


def recall_at(
    scores: np.ndarray, verdicts: np.ndarray, truths: int, pictures: int, budget: float = 0.1
) -> tuple[float, float]:
    """Recall, and its score threshold, with at most `budget` false positives a picture."""
    false = np.cumsum(verdicts == 0)
    allowed = int(np.searchsorted(false, int(budget * pictures), side="right"))
    if allowed == 0 or truths == 0:
        return 0.0, 1.0
    return float((verdicts[:allowed] == 1).sum() / truths), float(scores[allowed - 1])


def figures(pictures: list[Matched]) -> dict[str, float]:
    """AP50, AP50:95 and recall at 0.1 false positives a picture."""
    scores, verdicts, truths = gather(pictures)
    recall, threshold = recall_at(scores, verdicts[0], truths, len(pictures))
    all_ious = [average_precision(v, truths) for v in verdicts]
    return {
        "ap50": all_ious[0],
        "ap": float(np.mean(all_ious)),
        "recall": recall,
        "threshold": threshold,
    }


def intervals(pictures: list[Matched], rounds: int, seed: int = 1) -> dict[str, list[float]]:
    """95 % bootstrap intervals of `figures`, drawing whole pictures with replacement."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(rounds):
        result = figures([pictures[i] for i in rng.integers(len(pictures), size=len(pictures))])
        drawn.append([result[k] for k in ("ap50", "ap", "recall")])
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return {k: [float(low[i]), float(high[i])] for i, k in enumerate(("ap50", "ap", "recall"))}


def recall_by_size(
    pictures: list[Matched], edges: tuple[float, ...], threshold: float
) -> list[tuple[str, int, float]]:
    """Share of boxes found above a threshold, by box side in network pixels."""
    sides = np.concatenate([p.sides for p in pictures])
    found = np.concatenate([p.found for p in pictures]) >= threshold
    result = []
    for low, high in zip((0.0, *edges), (*edges, np.inf)):
        inside = (sides >= low) & (sides < high)
        if inside.any():
            result.append((f"{low:g}-{high:g}", int(inside.sum()), float(found[inside].mean())))
    return result
