"""Facts shared by every step: classes, network input, anchors, and the data mixture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
DEFAULT_DATA = REPO.parent / "shared" / "data"
DEFAULT_WEIGHTS = REPO.parent / "shared" / "weights"

CLASSES = ("person", "helmet", "head")
PERSON, HELMET, HEAD = range(3)

# 16:9 cameras fill a 640x360 area of this input; 384 is the next multiple of the largest stride.
INPUT_WIDTH = 640
INPUT_HEIGHT = 384
STRIDES = (8, 16, 32)
PAD = 114
NMS_IOU = 0.6


@dataclass(frozen=True)
class SetRule:
    """Says how one data set is read.

    `names` maps the set's category names to our classes; a name that maps to `None` becomes an
    ignore region (it looks like one of our classes but means something else). `share` is the
    chance that a mosaic tile is drawn from this set. `negative` sets hold next to no workers, so
    a weak helmet or head response there is background rather than doubt.
    """

    names: dict[str, int | None]
    share: float
    negative: bool = False


TRAIN_SETS: dict[str, SetRule] = {
    "helmet": SetRule({"helmet": HELMET, "head": HEAD, "person": PERSON}, 0.60),
    "harness": SetRule({"person": PERSON}, 0.14),
    # A motorcycle or bicycle helmet is no hard hat, and no bare head either: ignore it.
    "rider": SetRule({"rider_helmet": None, "rider_head": HEAD}, 0.08),
    "construction_vehicle": SetRule({}, 0.04, negative=True),
    "construction_vehicle_b": SetRule({}, 0.03, negative=True),
    "firesmoke": SetRule({}, 0.05, negative=True),
    "ponding": SetRule({}, 0.04, negative=True),
    "special_vehicle": SetRule({}, 0.02, negative=True),
}

DEV_SETS: dict[str, dict[str, int | None]] = {
    "helmet": {"helmet": HELMET, "head": HEAD},
    "helmet_cctv": {"helmet": HELMET, "head": HEAD, "person": PERSON},
    "harness": {"person": PERSON},
    "rider": {"rider_helmet": None, "rider_head": HEAD},
}
