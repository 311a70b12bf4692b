"""Reads the COCO-style sets, merges pseudo-labels, and hashes what was read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .config import ANY_CLASS, HEAD, HELMET, PERSON, Net


@dataclass
class Picture:
    """One picture: rows of (class, x1, y1, x2, y2) to find, and rows of the same to ignore."""

    path: Path
    width: int
    height: int
    labelled: set[int]
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 5), np.float32))
    ignore: np.ndarray = field(default_factory=lambda: np.zeros((0, 5), np.float32))


def rows(values: list) -> np.ndarray:
    """Returns `values` as an array of five columns, also when it is empty."""
    return np.asarray(values, np.float32).reshape(-1, 5)


def read_set(root: Path, split: str, net: Net, names: dict[str, str | None]) -> list[Picture]:
    """Reads one split of one set, keeping the classes that `names` knows."""
    ours = {n: None if c is None else net.index(c) for n, c in names.items()}
    document = json.loads((root / f"{split}.json").read_text())
    categories = {c["id"]: c["name"] for c in document["categories"]}
    by_image: dict[int, list] = {}
    for annotation in document["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    pictures = []
    for image in document["images"]:
        labelled = {ours[n] for n in image["annotated_classes"] if ours.get(n) is not None}
        boxes, ignore = [], []
        for annotation in by_image.get(image["id"], []):
            name = categories[annotation["category_id"]]
            if name not in ours:
                continue
            x, y, w, h = annotation["bbox"]
            corners = [x, y, x + w, y + h]
            label = ours[name]
            if label is None:
                ignore.append([ANY_CLASS, *corners])
            elif annotation.get("iscrowd"):
                ignore.append([label, *corners])
            else:
                boxes.append([label, *corners])
        pictures.append(
            Picture(
                root / image["file_name"],
                image["width"],
                image["height"],
                labelled,
                rows(boxes),
                rows(ignore),
            )
        )
    return pictures


def read_training(data: Path, net: Net, pseudo: Path | None) -> dict[str, list[Picture]]:
    """Reads every training set and completes it with the pseudo-labels of `pseudo`.

    A class that a picture may show unlabelled carries no loss in it: the set's unknown classes,
    and, where no pseudo-labels make up for it, those that its annotators left out.
    """
    extra = json.loads(pseudo.read_text()) if pseudo else {}
    sets = {}
    for name, rule in net.train.items():
        pictures = read_set(data / name, "train", net, rule.names)
        offered = {net.index(c) for c in rule.names.values() if c is not None}
        unknown = {net.index(c) for c in rule.unknown}
        for picture in pictures:
            masked = unknown if pseudo else unknown | (offered - picture.labelled)
            size = (picture.width, picture.height)
            everywhere = rows([[label, 0, 0, *size] for label in sorted(masked)])
            picture.ignore = np.concatenate([picture.ignore, everywhere])
            if pseudo:
                found = extra[name][picture.path.name]
                picture.boxes = np.concatenate([picture.boxes, rows(found["boxes"])])
                picture.ignore = np.concatenate([picture.ignore, rows(found["ignore"])])
        sets[name] = pictures
    return sets


def head_without_person(picture: Picture) -> np.ndarray:
    """Returns regions where a labelled head tells of a person that nobody boxed."""
    persons = picture.boxes[picture.boxes[:, 0] == PERSON]
    regions = []
    for label, x1, y1, x2, y2 in picture.boxes:
        if label not in (HELMET, HEAD):
            continue
        x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        inside = (persons[:, 1] < x) & (x < persons[:, 3])
        # A head belongs to a person whose upper part holds it.
        upper = persons[:, 2] + 0.5 * (persons[:, 4] - persons[:, 2])
        if not (inside & (persons[:, 2] - h < y) & (y < upper)).any():
            regions.append([PERSON, x - 1.7 * w, y1, x + 1.7 * w, y1 + 7 * h])
    return rows(regions)


def data_hashes(data: Path, names: list[str], split: str) -> dict[str, str]:
    """Hashes each label file together with the sizes of the pictures it lists."""
    hashes = {}
    for name in names:
        path = data / name / f"{split}.json"
        digest = hashlib.sha256(path.read_bytes())
        for image in json.loads(path.read_text())["images"]:
            size = (data / name / image["file_name"]).stat().st_size
            digest.update(f"{image['file_name']}:{size};".encode())
        hashes[f"{name}/{split}"] = digest.hexdigest()
    return hashes
