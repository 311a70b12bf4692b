"""Builds the YOLOX-nano network, stitches its starting weights, and keeps the averaged copy."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import torch
from torch import nn
from yolox.models import YoloPafpn, YoloxModule

from .config import CLASSES, PERSON
from .loss import MaskedHead

_COCO_PERSON = 0


def build(num_classes: int = len(CLASSES)) -> YoloxModule:
    """Returns an untrained YOLOX-nano with the head that understands ignore regions."""
    channels = [256, 512, 1024]
    backbone = YoloPafpn(0.33, 0.25, in_channels=channels, depthwise=True)
    head = MaskedHead(num_classes, 0.25, in_channels=channels, depthwise=True)
    model = YoloxModule(backbone, head)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.03
    return model


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """Reads a state dict, whether saved bare, under `model`, or as the average of a checkpoint."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("ema", "model"):
        if key in state and isinstance(state[key], dict):
            return state[key]
    return state


def stitch(helmet_head: Path, coco: Path) -> YoloxModule:
    """Starts from the helmet and head network and adds COCO's person row to its class layer.

    The two networks share their ancestor, so the person row still finds most of the features it
    was trained on; the first hundred iterations repair the rest.
    """
    model = build()
    base, donor = load_state(helmet_head), load_state(coco)
    state = dict(base)
    for level in range(3):
        for leaf in ("weight", "bias"):
            key = f"head.cls_preds.{level}.{leaf}"
            person = donor[key][_COCO_PERSON : _COCO_PERSON + 1]
            state[key] = torch.cat([person, base[key]])
    model.load_state_dict(state)
    assert PERSON == 0, "stitching puts the person row first"
    return model


class Ema:
    """Keeps an exponential moving average of the weights, which is what gets exported."""

    def __init__(self, model: nn.Module, decay: float = 0.9995) -> None:
        self.model = copy.deepcopy(model).eval()
        self.decay = decay
        self.updates = 0
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Moves the average one step towards `model`, faster at the very start."""
        self.updates += 1
        decay = self.decay * (1 - math.exp(-self.updates / 500))
        source = model.state_dict()
        for key, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(decay).add_(source[key].detach(), alpha=1 - decay)
            else:
                value.copy_(source[key])
