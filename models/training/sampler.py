"""Serves training batches: item `i` of a run is the same whatever worker makes it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from .augment import finish, mosaic
from .config import Net
from .datasets import Picture
from .scene import scene


class Canvases(Dataset):
    """An endless, addressable stream of composed canvases."""

    def __init__(self, net: Net, sets: dict[str, list[Picture]], seed: int, length: int) -> None:
        cv2.setNumThreads(1)
        self.net, self.seed, self.length = net, seed, length
        self.names = list(sets)
        shares = np.array([net.train[n].share for n in self.names])
        self.chances = shares / shares.sum()
        self.sets = sets
        self.backgrounds = [n for n in self.names if net.train[n].negative] or self.names
        # Encoded bytes stay in memory (about 150 MB); decoding costs 2 ms a picture.
        self.bytes = {
            p.path: np.fromfile(p.path, np.uint8) for pictures in sets.values() for p in pictures
        }

    def __len__(self) -> int:
        return self.length

    def draw_background(self, rng: np.random.Generator) -> tuple[Picture, np.ndarray]:
        """Picks a picture of a set that hardly shows people, else of any set."""
        names = self.backgrounds if rng.random() < 0.7 else self.names
        return self.read(rng, names[rng.integers(len(names))])

    def draw(self, rng: np.random.Generator) -> tuple[Picture, np.ndarray]:
        """Picks a set by its share, then a picture of it."""
        return self.read(rng, self.names[rng.choice(len(self.names), p=self.chances)])

    def read(self, rng: np.random.Generator, name: str) -> tuple[Picture, np.ndarray]:
        """Picks and decodes a picture of one set."""
        picture = self.sets[name][rng.integers(len(self.sets[name]))]
        return picture, cv2.imdecode(self.bytes[picture.path], cv2.IMREAD_COLOR)

    def __getitem__(self, index: int):
        rng = np.random.default_rng([self.seed, index])
        if rng.random() < self.net.scenes:
            return finish(rng, *scene(rng, self.net, self.draw, self.draw_background))
        return finish(rng, *mosaic(rng, self.net, self.draw))


def collate(items) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Stacks canvases and pads their boxes and regions to the longest list."""

    def padded(arrays: list[np.ndarray]) -> torch.Tensor:
        result = torch.zeros(len(arrays), max(1, *(len(a) for a in arrays)), 5)
        for row, array in zip(result, arrays):
            row[: len(array)] = torch.from_numpy(array)
        return result

    canvases, boxes, regions = zip(*items)
    pixels = torch.from_numpy(np.stack(canvases)).permute(0, 3, 1, 2)
    return pixels, padded(list(boxes)), padded(list(regions))
