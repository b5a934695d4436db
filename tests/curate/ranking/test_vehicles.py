"""Texts like number plates, on vehicles and beside them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pass_dataset.curate.ranking.catalogue import open_ranker, open_rankers
from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers import vehicles as vehicles_module
from pass_dataset.curate.ranking.rankers.vehicles import Vehicle, plate_score
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.errors import CurationError, DetectorError
from pass_dataset.passify.detectors.detections import Detections

CAR = Vehicle(0.9, (100.0, 100.0, 200.0, 150.0))


class Detector:
    """Sees a person, a car of score 0.8 at the left, and another, hardly."""

    class_names: tuple[str, ...] = ("person", "car")
    weights_sha256 = "of-weights"

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        self.asked += len(images)
        boxes = np.array([[200, 0, 300, 200], [0, 0, 100, 200], [150, 0, 300, 200]], np.float32)
        scores = np.array([0.9, 0.8, 0.1], np.float32)
        return [Detections(boxes, scores, np.array([0, 1, 1]), 0.9) for _ in images]


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Detector:
    made = Detector()
    monkeypatch.setattr(vehicles_module, "open_detector", lambda name, settings: made)
    return made


def said(ranker: Any, *texts: tuple[int, str, float]) -> dict[str, Any]:
    """What a ranker says of an image with texts, each by its left side, letters and score."""
    found = SimpleNamespace(
        boxes=[[(x, 50), (x + 20, 50), (x + 20, 60), (x, 60)] for x, _, _ in texts],
        txts=[text for _, text, _ in texts],
        scores=[sure for _, _, sure in texts],
    )
    ranker._reader = lambda pixels: found  # in place of the networks
    (answer,) = ranker.rank([np.zeros((200, 300, 3), np.uint8)])
    return answer


def test_plates_on_vehicles_come_first(detector: Detector) -> None:
    ranker = open_ranker("text:any-detector")
    alone = said(open_ranker("text"), (40, "AB12 CDE", 0.9), (160, "HN48 KXA", 0.9))
    found = said(ranker, (40, "AB12 CDE", 0.9), (160, "HN48 KXA", 0.9))
    assert alone["plate_score"] == pytest.approx(0.9)
    assert found["plate_score"] == pytest.approx(0.9 + 0.1 * 0.8 / 2)
    scores = {box["x1"]: box["score"] for box in found["text_boxes"]}
    assert scores == pytest.approx({40: 0.94, 160: 0.9 + 0.1 * 0.1 / 2})
    assert {**found, "plate_score": 0, "text_boxes": 0} == {
        **alone,
        "plate_score": 0,
        "text_boxes": 0,
    }
    assert detector.asked == 1  # once an image


def test_images_without_plates_are_not_shown_to_it(detector: Detector) -> None:
    said(open_ranker("text:any-detector"), (40, "anna@example.org", 0.9), (160, "OPEN", 0.9))
    assert detector.asked == 0


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((120, 110, 140, 120), 0.89),  # within
        ((200, 150, 220, 160), 0.89),  # a corner
        ((90, 90, 99, 99), 0.8),
        ((120, 151, 140, 160), 0.8),
    ],
)
def test_within_or_touching(box: tuple[int, ...], expected: float) -> None:
    assert plate_score(0.8, box, [CAR]) == pytest.approx(expected)
    assert plate_score(0.8, box, []) == 0.8


def test_what_decides_is_in_the_identity(detector: Detector) -> None:
    pytest.importorskip("rapidocr")
    with_vehicles = open_ranker("text:any-detector").identity
    assert with_vehicles == f"{open_ranker('text').identity} any-detector of-weights"


def test_nonsense_is_refused(detector: Detector) -> None:
    detector.class_names = ("face",)
    ranker = open_ranker("text:faces")
    with pytest.raises(CurationError, match=r"expected a detector that knows bus, car, .*face"):
        said(ranker, (40, "AB12 CDE", 0.9))
    assert RankSettings(("text", "blue"), vehicles="cascade-rcnn").names == (
        "text:cascade-rcnn",
        "blue",
    )
    with pytest.raises(ValueError, match="vehicles: expected the ranker 'text' among rankers"):
        RankSettings(vehicles="cascade-rcnn")


def test_two_that_say_the_same(detector: Detector) -> None:
    with pytest.raises(CurationError, match="found text_score of text and of text:any; ask them"):
        open_rankers(("text", "text:any"))


def test_an_unknown_detector() -> None:
    with pytest.raises(DetectorError, match="cats"):
        open_ranker("text:cats", RankerSettings())
