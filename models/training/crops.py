"""Cuts the crops that second-stage classifiers learn from, with class, source and group.

A crop is a first-stage box grown by the margin that the manifest names and stretched to the
network's input. Crops of one *group* (a camera's day, a run of consecutive files) look alike, so
groups, never single crops, are split between training and judging.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .metrics import pairwise

VEHICLE_CLASSES = ("police_car", "fire_truck", "ambulance", "other_vehicle")
LIFE_JACKET_CLASSES = ("life_jacket", "no_life_jacket")
HARNESS_CLASSES = ("harness", "no_harness")
# Consecutive file numbers of the harness set come from one video or page.
_RUN_OF_FILES = 40
_MIN_SIDE = 16


@dataclass(frozen=True)
class Crop:
    """One box of one picture: its class's index, where it is from, and what it looks like."""

    path: Path
    box: tuple[float, float, float, float]  # corners in pixels; empty picture area is clipped
    label: int
    source: str
    group: str
    dev: bool


def cut(picture: np.ndarray, box, margin: float) -> np.ndarray:
    """Returns the part of a picture in a box (corners) grown by `margin` of its size a side."""
    x1, y1, x2, y2 = box
    grow_x, grow_y = margin * (x2 - x1), margin * (y2 - y1)
    height, width = picture.shape[:2]
    left, right = np.clip([round(x1 - grow_x), round(x2 + grow_x)], 0, width)
    top, bottom = np.clip([round(y1 - grow_y), round(y2 + grow_y)], 0, height)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]


def boxes_of(root: Path, split: str) -> Iterator[tuple[dict, dict[str, np.ndarray]]]:
    """Yields each picture of a split with its boxes (corners) by category name."""
    document = json.loads((root / f"{split}.json").read_text())
    names = {c["id"]: c["name"] for c in document["categories"]}
    by_image: dict[int, dict[str, list]] = {}
    for annotation in document["annotations"]:
        x, y, w, h = annotation["bbox"]
        boxes = by_image.setdefault(annotation["image_id"], {})
        boxes.setdefault(names[annotation["category_id"]], []).append([x, y, x + w, y + h])
    for image in document["images"]:
        found = by_image.get(image["id"], {})
        yield image, {name: np.array(boxes, np.float32) for name, boxes in found.items()}


def large(box) -> bool:
    """Says whether a box is large enough to judge."""
    return min(box[2] - box[0], box[3] - box[1]) >= _MIN_SIDE


def vehicles(data: Path) -> list[Crop]:
    """Special vehicles, and machines and lorries as others."""
    result = []
    sets = ("special_vehicle", "construction_vehicle", "construction_vehicle_b")
    for name in sets:
        for split in ("train", "dev"):
            for image, found in boxes_of(data / name, split):
                for category, boxes in found.items():
                    label = VEHICLE_CLASSES.index(
                        category if category in VEHICLE_CLASSES else "other_vehicle"
                    )
                    path = data / name / image["file_name"]
                    result += [
                        Crop(path, tuple(b), label, name, path.stem, split == "dev")
                        for b in boxes
                        if large(b)
                    ]
    return result


def owners(persons: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Returns the persons that hold at least one of the parts (most of its area)."""
    if not len(persons) or not len(parts):
        return np.zeros((0, 4), np.float32)
    return persons[(pairwise(parts, persons, of_first=True) > 0.8).any(0)]


def harness(data: Path) -> list[Crop]:
    """Persons with and without a safety harness.

    Nearly all harnesses are in one split and nearly all bare torsos in the other, from other
    sources. The set is therefore split anew by runs of files; a fifth of the runs is kept out.
    """
    result = []
    for split in ("train", "dev"):
        for image, found in boxes_of(data / "harness", split):
            empty = np.zeros((0, 4), np.float32)
            persons = found.get("person", empty)
            worn = owners(persons, found.get("harness", empty))
            bare = owners(persons, found.get("torso_no_harness", empty))
            path = data / "harness" / image["file_name"]
            run = int(re.search(r"\d+", path.stem)[0]) // _RUN_OF_FILES
            mixed = bool(len(worn) and len(bare))
            for label, boxes, others in ((0, worn, bare), (1, bare, worn)):
                clear = [b for b in boxes if large(b) and not (b == others).all(1).any()]
                result += [
                    Crop(path, tuple(b), label, "mixed" if mixed else split, str(run), run % 5 == 0)
                    for b in clear
                ]
    return result


def life_jackets(data: Path) -> list[Crop]:
    """Persons with and without a life jacket, with workers in vests as hard negatives.

    Every other day of the wharf cameras is kept out.
    """
    result = []
    root = data / "lifejacket_wharf" / "crops"
    with (root / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    days = sorted({row["day"] for row in rows})
    for row in rows:
        if row["label"] not in ("with", "without"):
            continue
        path = root / row["crop"]
        height, width = cv2.imread(str(path)).shape[:2]
        dev = days.index(row["day"]) % 2 == 0
        box = (0.0, 0.0, float(width), float(height))
        label = 0 if row["label"] == "with" else 1
        result.append(Crop(path, box, label, "wharf", row["day"], dev))
    for split in ("train", "dev"):
        for image, found in boxes_of(data / "lifejacket", split):
            path = data / "lifejacket" / image["file_name"]
            for category, label in (("lifejacket", 0), ("person_without", 1)):
                # Torso boxes: a person reaches about half a torso above and one below.
                for x1, y1, x2, y2 in found.get(category, []):
                    tall, wide = y2 - y1, x2 - x1
                    box = (x1 - 0.2 * wide, y1 - 0.5 * tall, x2 + 0.2 * wide, y2 + 1.0 * tall)
                    result.append(Crop(path, box, label, "posed", "posed", split == "dev"))
    for image, found in boxes_of(data / "harness", "train"):
        path = data / "harness" / image["file_name"]
        run = int(re.search(r"\d+", path.stem)[0]) // _RUN_OF_FILES
        for box in found.get("person", [])[:1]:
            if large(box):
                result.append(Crop(path, tuple(box), 1, "vest", f"vest{run}", run % 5 == 0))
    return result
