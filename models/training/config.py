"""Facts shared by every step: the networks, their classes and input, anchors, and data mixtures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
DEFAULT_DATA = REPO.parent / "shared" / "data"
DEFAULT_WEIGHTS = REPO.parent / "shared" / "weights"

STRIDES = (8, 16, 32)
ANY_CLASS = -1  # an ignore region that forgives every class
PAD = 114
NMS_IOU = 0.6

PERSON, HELMET, HEAD = range(3)  # the first classes of site-ppe
# COCO's vehicle classes with their place among its 80 classes, in site-ppe's order.
COCO = {"person": 0, "car": 2, "truck": 7, "bus": 5, "motorcycle": 3, "bicycle": 1, "boat": 8}
VEHICLES = tuple(COCO)[1:]
MACHINES = ("excavator", "dump_truck", "loader")


@dataclass(frozen=True)
class SetRule:
    """Says how one data set is read.

    `names` maps the set's category names to the network's classes; a name that maps to `None`
    becomes an ignore region (it looks like one of our classes but means something else). `share`
    is the chance that a mosaic tile is drawn from this set. Classes in `unknown` may appear in its
    pictures without a label and carry no loss there. `negative` sets hold next to no workers, so a
    weak helmet or head response there is background rather than doubt.
    """

    names: dict[str, str | None]
    share: float
    unknown: tuple[str, ...] = ()
    negative: bool = False


# A grid (columns, rows) of pictures that fills a canvas, and its chance.
Grids = tuple[tuple[tuple[int, int], float], ...]


@dataclass(frozen=True)
class Net:
    """One detector: its classes in output order, its input in pixels, and what it learns from.

    `strict` classes must be mostly visible to count as labelled (a head cut in half is doubtful, a
    lorry cut in half is not). `scenes` is the share of canvases that imitate a fixed camera with
    small people. `thresholds` names the set whose false positives decide a class's suggested
    threshold. `by_teachers` lists sets whose vehicles nobody labelled: there the truth is what two
    teachers agree on.
    """

    name: str
    classes: tuple[str, ...]
    width: int
    height: int
    train: dict[str, SetRule]
    dev: dict[str, dict[str, str | None]]
    grids: Grids
    thresholds: dict[str, str]
    strict: tuple[str, ...] = ()
    scenes: float = 0.0
    pseudo: bool = False
    by_teachers: tuple[str, ...] = ()

    @property
    def package(self) -> Path:
        """Returns the folder of the committed package."""
        return REPO / "models" / self.name

    def index(self, name: str) -> int:
        """Returns a class's place in the network's output."""
        return self.classes.index(name)

    def strict_indices(self) -> list[int]:
        """Returns the places of the strict classes."""
        return [self.index(name) for name in self.strict]


_HEADS = {"helmet": "helmet", "head": "head"}
# Machines are no COCO class, and COCO's teachers call them lorries.
_MACHINES_IGNORED = {"excavator": None, "loader": None, "bulldozer": None}

SITE_PPE = Net(
    name="site-ppe",
    classes=("person", "helmet", "head", *VEHICLES),
    # 16:9 cameras fill 640x360 of this input; 384 is the next multiple of the largest stride.
    width=640,
    height=384,
    train={
        "helmet": SetRule({**_HEADS, "person": "person"}, 0.52, VEHICLES),
        "harness": SetRule({"person": "person"}, 0.12, VEHICLES),
        # A motorcycle or bicycle helmet is no hard hat, and no bare head either: ignore it.
        "rider": SetRule({"rider_helmet": None, "rider_head": "head"}, 0.09),
        "construction_vehicle": SetRule(_MACHINES_IGNORED, 0.05, negative=True),
        "construction_vehicle_b": SetRule(_MACHINES_IGNORED, 0.03, negative=True),
        "firesmoke": SetRule({}, 0.05, VEHICLES, negative=True),
        "ponding": SetRule({}, 0.04, VEHICLES, negative=True),
        "special_vehicle": SetRule({}, 0.10, negative=True),
    },
    dev={
        "helmet": _HEADS,
        "helmet_cctv": {**_HEADS, "person": "person"},
        "harness": {"person": "person"},
        "rider": {"rider_helmet": None, "rider_head": "head"},
    },
    # 1x1 keeps the look of a letterboxed close-up.
    grids=(
        ((1, 1), 0.12), ((2, 1), 0.12), ((2, 2), 0.26), ((3, 2), 0.18), ((3, 3), 0.18),
        ((5, 4), 0.14),
    ),
    # The set that looks like the product's cameras decides.
    thresholds={name: "helmet_cctv" for name in ("person", "helmet", "head")},
    strict=("helmet", "head"),
    scenes=0.45,
    pseudo=True,
    by_teachers=("special_vehicle", "rider", "lifejacket_wharf"),
)  # fmt: skip

SITE_SCENE = Net(
    name="site-scene",
    classes=(*MACHINES, "fire", "smoke", "ponding"),
    width=512,
    height=320,
    train={
        "construction_vehicle": SetRule({n: n for n in MACHINES}, 0.17, ("ponding",)),
        "construction_vehicle_b": SetRule(
            {**{n: n for n in MACHINES}, "bulldozer": None, "other_vehicle": None},
            0.16,
            ("ponding",),
        ),
        "firesmoke": SetRule({"fire": "fire", "smoke": "smoke"}, 0.34),
        "ponding": SetRule({"ponding": "ponding"}, 0.13),
        # Presumed to show no fire, smoke or ponding; machines may stand in the background.
        "helmet": SetRule({}, 0.08, MACHINES),
        "harness": SetRule({}, 0.05, (*MACHINES, "ponding")),
        "rider": SetRule({}, 0.02, ("ponding",)),
        "special_vehicle": SetRule({}, 0.05, ("dump_truck", "fire", "smoke")),
    },
    dev={
        "construction_vehicle": {n: n for n in MACHINES},
        "construction_vehicle_b": {"excavator": "excavator", "bulldozer": None},
        "firesmoke": {"fire": "fire", "smoke": "smoke"},
        "ponding": {"ponding": "ponding"},
        "helmet_cctv": {},
    },
    grids=(((1, 1), 0.48), ((2, 1), 0.16), ((2, 2), 0.26), ((3, 2), 0.10)),
    thresholds={
        **{name: "construction_vehicle" for name in MACHINES},
        "fire": "firesmoke",
        "smoke": "firesmoke",
        "ponding": "ponding",
    },
)

NETS = {net.name: net for net in (SITE_PPE, SITE_SCENE)}
