"""Checks of the parts that fail silently: masks, matching, letterbox, composition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from .augment import finish, mosaic
from .classify import weights
from .config import ANY_CLASS, HEAD, HELMET, PERSON, SITE_PPE, SITE_SCENE
from .crops import Crop, cut, owners
from .datasets import Picture, head_without_person, rows
from .detector import anchor_grid, letterbox, nms, offsets
from .evaluate import below
from .loss import MaskedHead
from .metrics import average_precision, figures, match
from .network import build, stitch
from .pseudo_label import agreed
from .scene import scene
from .score_crops import orange_share, ranking
from .tasks import TASKS
from .tracks import Track, retrieval


@pytest.mark.parametrize(
    ("region", "kept"),
    [
        ([PERSON, 0, 0, 16, 16], False),
        ([HELMET, 0, 0, 16, 16], True),
        ([ANY_CLASS, 0, 0, 16, 16], False),
        ([PERSON, 100, 100, 116, 116], True),
        ([0, 0, 0, 0, 0], True),
    ],
)
def test_ignore_region_forgives_its_own_class_inside_only(region, kept):
    classes = torch.tensor([[3.0, 0.0, -1.0]])
    keep = MaskedHead._keep(torch.tensor([[4.0, 4.0]]), classes, torch.tensor([region]).float())
    assert keep.tolist() == [kept]


def test_fully_ignored_empty_picture_has_no_objectness_loss():
    torch.manual_seed(0)
    model = build().train()
    pixels = torch.zeros(1, 3, 64, 64)
    everywhere = torch.tensor([[[ANY_CLASS, -1, -1, 65, 65]]]).float()
    losses = model.head(model.backbone(pixels), (torch.zeros(1, 1, 5), everywhere))
    assert float(losses["total"].detach()) == 0


def test_labelled_object_keeps_its_loss_inside_an_ignore_region():
    torch.manual_seed(0)
    model = build().train()
    truth = torch.tensor([[[HEAD, 32, 32, 20, 20]]]).float()
    everywhere = torch.tensor([[[ANY_CLASS, -1, -1, 65, 65]]]).float()
    losses = model.head(model.backbone(torch.zeros(1, 3, 64, 64)), (truth, everywhere))
    assert losses["positives"] >= 1
    assert float(losses["obj"].detach()) > 0


def test_letterbox_is_top_left_with_grey_below():
    canvas, scale = letterbox(np.zeros((180, 320, 3), np.uint8), 640, 384)
    assert scale == 2
    assert canvas.shape == (384, 640, 3)
    assert (canvas[:360] == 0).all()
    assert (canvas[360:] == 114).all()


def test_anchor_grid_has_the_order_of_the_network():
    cells, strides = anchor_grid(SITE_PPE.width, SITE_PPE.height)
    assert len(cells) == 80 * 48 + 40 * 24 + 20 * 12 == 5040
    assert cells[81].tolist() == [1, 1]
    assert strides[[0, 3840, 4800], 0].tolist() == [8, 16, 32]


def test_nms_keeps_the_best_of_a_heap():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], float)
    assert nms(boxes, np.array([0.5, 0.9, 0.1]), 0.6) == [1, 2]


@pytest.mark.parametrize(
    ("length", "starts"), [(300, [0]), (640, [0]), (960, [0, 320]), (1920, [0, 640, 1280])]
)
def test_tiles_cover_the_picture(length, starts):
    assert offsets(length, 640) == starts


def test_detection_in_ignore_region_counts_neither_way():
    found = np.array([[0.9, 0, 0, 10, 10], [0.8, 50, 50, 60, 60]])
    truth, ignore = np.array([[0.0, 0, 10, 10]]), np.array([[45.0, 45, 65, 65]])
    verdicts = match(found, truth, ignore, 1.0).verdicts
    assert verdicts[0].tolist() == [1, -1]


def test_average_precision_by_hand():
    # Hit, miss, hit over two boxes: precision 1 up to recall 0.5, then 2/3.
    expected = (51 * 1.0 + 50 * 2 / 3) / 101
    assert average_precision(np.array([1, 0, 1]), 2) == pytest.approx(expected)


def test_figures_of_a_perfect_detector():
    truth = np.array([[0.0, 0, 10, 10]])
    one = match(np.array([[0.9, 0, 0, 10, 10]]), truth, np.zeros((0, 4)), 1.0)
    assert figures([one])["ap"] == pytest.approx(1.0)
    assert figures([one])["recall"] == 1.0


def test_head_without_person_leaves_a_person_region():
    alone = Picture(Path("x"), 100, 100, set(), rows([[HEAD, 10, 10, 20, 20]]))
    assert head_without_person(alone)[0, 0] == PERSON
    owned = rows([[HEAD, 10, 10, 20, 20], [PERSON, 5, 8, 25, 90]])
    assert len(head_without_person(Picture(Path("x"), 100, 100, set(), owned))) == 0


def one_picture(_):
    labels = rows([[HEAD, 60, 10, 80, 30], [PERSON, 50, 8, 90, 88]])
    return Picture(Path("x"), 160, 90, {HEAD}, labels), np.full((90, 160, 3), 200, np.uint8)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: mosaic(rng, SITE_PPE, one_picture),
        lambda rng: scene(rng, SITE_PPE, one_picture, one_picture),
    ],
)
def test_composed_boxes_lie_in_the_canvas_and_repeat_with_the_seed(make):
    first, again = (
        [finish(rng, *make(rng)) for rng in map(np.random.default_rng, range(20))] for _ in range(2)
    )
    assert sum(len(boxes) for _, boxes, _ in first) > 40
    for (canvas, boxes, _), (same, _, _) in zip(first, again):
        assert (canvas == same).all()
        low, high = boxes[:, 1:3] - boxes[:, 3:] / 2, boxes[:, 1:3] + boxes[:, 3:] / 2
        assert (low >= -0.01).all()
        assert (high <= np.array([SITE_PPE.width, SITE_PPE.height]) + 0.01).all()


def test_stitching_keeps_known_rows_and_starts_new_ones(tmp_path):
    torch.manual_seed(0)
    old = build(SITE_SCENE).state_dict()
    coco = dict(old)
    for level in range(3):
        for leaf, shape in (("weight", (80, 64, 1, 1)), ("bias", (80,))):
            coco[f"head.cls_preds.{level}.{leaf}"] = (
                torch.arange(80.0).view(80, *[1] * (len(shape) - 1)).expand(shape)
            )
    base = {k: v[:3] if "cls_preds" in k else v for k, v in coco.items()}
    torch.save(coco, tmp_path / "coco.pth")
    torch.save({"ema": base}, tmp_path / "base.pth")
    bias = stitch(SITE_PPE, tmp_path / "coco.pth", tmp_path / "base.pth").head.cls_preds[0].bias
    # Person, helmet, head from the base; car, truck, bus, motorcycle, bicycle, boat from COCO.
    assert bias.tolist() == [0, 1, 2, 2, 7, 5, 3, 1, 8]
    fresh = stitch(SITE_SCENE, tmp_path / "coco.pth").head.cls_preds[0].bias
    assert fresh.tolist() == [39.5] * 6


def test_teachers_must_agree_on_the_class():
    car = np.array([[3, 0.9, 0, 0, 10, 10]])
    truck = np.array([[4, 0.9, 0, 0, 10, 10]])
    boxes, doubt = agreed(car, car)
    assert boxes[:, 0].tolist() == [3] and not len(doubt)
    boxes, doubt = agreed(car, truck)
    assert not len(boxes) and sorted(doubt[:, 0]) == [3, 4]


def test_crop_grows_by_its_margin_and_stays_inside():
    picture = np.arange(100 * 100).reshape(100, 100, 1).astype(np.float32)
    assert cut(picture, (20, 20, 40, 60), 0.1).shape[:2] == (48, 24)
    assert cut(picture, (0, 0, 10, 10), 0.5).shape[:2] == (15, 15)


def test_a_part_belongs_to_the_person_that_holds_it():
    persons = np.array([[0, 0, 10, 30], [50, 0, 60, 30]], float)
    assert owners(persons, np.array([[1.0, 5, 9, 15]])).tolist() == [[0, 0, 10, 30]]


def test_ranking_by_hand():
    row = ranking(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    assert row["auc"] == pytest.approx(3 / 4)
    assert row["ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert row["recall"] == 0.5


def test_orange_is_told_from_blue():
    crop = np.full((100, 50, 3), (200, 60, 20), np.uint8)
    assert orange_share(crop) == 0
    crop[20:60, 10:40] = (20, 90, 230)
    assert orange_share(crop) > 0.9


def test_sources_count_by_their_shares():
    task = TASKS["life-jacket"]
    crops = [
        Crop(Path("x"), (0, 0, 1, 1), label, source, "g", False)
        for label, source, count in ((0, "wharf", 1), (1, "wharf", 4), (1, "vest", 50))
        for _ in range(count)
    ]
    counts = weights(task, crops)
    assert counts[1:5].sum() == pytest.approx(counts[0])
    assert counts[5:].sum() / counts[1:5].sum() == pytest.approx(0.25 / 0.6)


def test_retrieval_counts_only_rivals_seen_at_the_same_time():
    blank = [np.zeros((2, 2, 3), np.uint8)] * 4
    a, b, later = (Track("c", 0, times, blank) for times in ([0, 1, 2, 3], [2, 3, 4, 5], [9] * 4))
    east, north = np.tile([1.0, 0], (4, 1)), np.tile([0, 1.0], (4, 1))
    assert retrieval([a, b, later], [east, north, east]) == {"searches": 4, "first": 1, "map": 1}


def test_a_figure_below_the_card_is_reported():
    stored = {"set/class": {"ap50": 0.5, "ap": None}}
    assert below({"set/class": {"ap50": 0.49}}, stored, ("ap50", "ap")) == []
    assert len(below({"set/class": {"ap50": 0.4}}, stored, ("ap50",))) == 1
    assert len(below({}, stored, ("ap50",))) == 1
