"""Builds the YOLOX-nano network, stitches its starting weights, and keeps the averaged copy."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import torch
from torch import nn
from yolox.models import YoloPafpn, YoloxModule

from .config import COCO, SITE_PPE, Net
from .loss import MaskedHead


def build(net: Net = SITE_PPE) -> YoloxModule:
    """Returns an untrained YOLOX-nano with the head that understands ignore regions."""
    channels = [256, 512, 1024]
    backbone = YoloPafpn(0.33, 0.25, in_channels=channels, depthwise=True)
    head = MaskedHead(len(net.classes), 0.25, in_channels=channels, depthwise=True)
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


def stitch(net: Net, coco: Path, base: Path | None = None) -> YoloxModule:
    """Starts a network from `coco`, or from `base` when given, and fits its class layer.

    A base (a relative of the COCO network, one class per row) keeps its rows: person, helmet and
    head in that order, or helmet and head alone. Classes that COCO knows and the base lacks get
    COCO's row; features have drifted since, which the first hundred iterations repair. Classes
    that nobody knows start at the mean of COCO's rows.
    """
    model = build(net)
    donor = load_state(coco)
    state = load_state(base) if base else dict(donor)
    rows = {}
    if base:
        kept = len(state["head.cls_preds.0.bias"])
        names = net.classes[1:3] if kept == 2 else net.classes[:kept]
        rows = {name: row for row, name in enumerate(names)}
    for level in range(3):
        for leaf in ("weight", "bias"):
            key = f"head.cls_preds.{level}.{leaf}"
            own, theirs = state[key], donor[key]
            state[key] = torch.stack(
                [
                    own[rows[name]] if name in rows
                    else theirs[COCO[name]] if name in COCO
                    else theirs.mean(0)
                    for name in net.classes
                ]
            )  # fmt: skip
    model.load_state_dict(state)
    return model


def start(net: Net, weights: Path, base: Path | None = None) -> YoloxModule:
    """Returns the start of a run: the given base, else the helmet and head network for site-ppe."""
    if base is None and net.name == SITE_PPE.name:
        base = weights / "helmet_head_yolox_nano_start.pth"
    return stitch(net, weights / "yolox_nano_bn_reinflated.pth", base)


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
