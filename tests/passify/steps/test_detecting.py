from __future__ import annotations

import weakref

import numpy as np
import pytest

from pass_dataset.errors import WeightsError
from pass_dataset.images.outcomes import DecodedImage
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.runs.settings import DetectorChoice
from pass_dataset.passify.sources.source import SourceItem
from pass_dataset.passify.steps.detecting import Detecting, needs
from pass_dataset.passify.steps.record import Examined
from tests.support.detectors import AlwaysRaising, Faces, People, Raising

BOTH = TARGETS


def record(position: int, width: int = 40, *, face: bool = False, **known: object) -> Examined:
    pixels = np.zeros((40, width, 3), np.uint8)
    if face:
        pixels[:, :, 2] = 250
    result = ImageResult("/photos", f"{position}.jpg", **known)  # type: ignore[arg-type]
    image = DecodedImage("ok", pixels, width, 40, "")
    return Examined(position, SourceItem(result.path), result, image)


def step(detector: object, *, at_once: int = 4, run_all: bool = False) -> Detecting:
    choice = DetectorChoice(detector.target, "squares", "f" * 64)  # type: ignore[attr-defined]
    return Detecting(detector, choice, BOTH, Thresholds(), run_all, at_once)  # type: ignore[arg-type]


def test_needs() -> None:
    def people(result: ImageResult, run_all: bool = False, thresholds: float = 0.5) -> bool:
        return needs(result, "person", BOTH, Thresholds(face=thresholds), run_all)

    assert people(ImageResult("s", "p", face_max_score=0.5))
    assert not people(ImageResult("s", "p", face_max_score=0.6))
    assert people(ImageResult("s", "p", face_max_score=0.6), thresholds=0.7)
    assert people(ImageResult("s", "p", face_max_score=0.6), run_all=True)
    assert not people(ImageResult("s", "p", face_max_score=0.1, person_max_score=0.1))
    assert not people(ImageResult("s", "p"))  # faces come first
    assert needs(ImageResult("s", "p"), "person", ("person",), Thresholds(), False)
    assert not people(ImageResult("s", "p", reason="truncated"), run_all=True)
    assert not needs(
        ImageResult("s", "p", reason="detector-failed"), "face", BOTH, Thresholds(), False
    )


def test_scores_and_boxes_go_into_the_row() -> None:
    (found,) = step(Faces(DetectorSettings())).run([record(0, face=True)])
    assert found.result.face_max_score == 1.0
    assert found.result.face_boxes == [{"x1": 0, "y1": 0, "x2": 39, "y2": 39, "score": 1.0}]
    assert (found.result.face_detector, found.result.face_weights_sha256) == ("squares", "f" * 64)
    assert found.result.person_max_score is None


def test_detector_sees_the_pixels_that_it_was_made_with() -> None:
    inks = record(0)
    inks.image = DecodedImage("ok", inks.image.pixels, 40, 40, "", inks.image.pixels + 1)
    seen = []

    class Looking(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            seen.append(int(images[0].max()))
            return super().detect(images)

    class LookingByPillow(Looking):
        image_reader = "pillow"

    for detector in (Looking(DetectorSettings()), LookingByPillow(DetectorSettings())):
        list(step(detector).run([inks, record(1)]))
        inks.result.face_max_score = None
    assert seen == [0, 1]


def test_only_boxes_of_the_target_are_stored() -> None:
    class Chairs(People):
        def _detect(self, image: np.ndarray) -> Detections:
            boxes = np.ones((2, 4), np.float32)
            return Detections(boxes, np.array([0.9, 0.8], np.float32), np.array([0, 1]), 0.8)

    (found,) = step(Chairs(DetectorSettings()), run_all=True).run([record(0)])
    assert [round(box["score"], 4) for box in found.result.person_boxes or []] == [0.8]


def test_images_come_in_windows_and_all_come_out() -> None:
    given = []

    class Counting(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            given.append(len(images))
            return super().detect(images)

    records = [record(n, reason="empty" if n % 5 == 0 else None) for n in range(23)]
    for one in records[::5]:
        one.image = None
    found = list(step(Counting(DetectorSettings())).run(records))
    assert sorted(one.position for one in found) == list(range(23))
    assert given == [4, 4, 4, 4, 2]


def test_large_images_come_in_smaller_windows() -> None:
    given = []

    class Counting(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            given.append(len(images))
            return super().detect([image[:1, :1] for image in images])

    list(step(Counting(DetectorSettings()), at_once=8).run(record(n, 400_000) for n in range(6)))
    assert given == [2, 2, 2]


def test_image_that_a_detector_fails_on_costs_no_other() -> None:
    counted = step(Raising(DetectorSettings()))
    records = [record(n, width=100 if n == 2 else 40, face=True) for n in range(6)]
    found = sorted(counted.run(records), key=lambda one: one.position)
    assert [one.result.reason for one in found] == [None, None, "detector-failed", None, None, None]
    assert (
        found[2].result.message == "squares: FloatingPointError: an image wider than it should be"
    )
    assert found[3].result.face_max_score == 1.0
    assert (counted.tried, counted.failed) == (6, 1)


def test_detector_that_always_fails_is_counted() -> None:
    counted = step(AlwaysRaising(DetectorSettings()))
    list(counted.run(record(n) for n in range(9)))
    assert counted.failed == counted.tried == 9


def test_weights_are_no_image_s_fault() -> None:
    class Without(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            raise WeightsError("gone")

    with pytest.raises(WeightsError):
        list(step(Without(DetectorSettings())).run([record(0)]))


def test_weights_that_go_while_images_come_one_by_one() -> None:
    class Going(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            if len(images) > 1:
                raise MemoryError
            raise WeightsError("gone")

    with pytest.raises(WeightsError):
        list(step(Going(DetectorSettings())).run(record(n) for n in range(4)))


def test_detector_that_answers_for_too_few() -> None:
    class Short(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            return super().detect(images[1:])

    found = list(step(Short(DetectorSettings())).run([record(0), record(1)]))
    assert {one.result.reason for one in found} == {"detector-failed"}
    assert "expected detections of 1 images, found 0" in str(found[0].result.message)


def test_detector_that_lacks_memory_for_many(caplog: pytest.LogCaptureFixture) -> None:
    """It has it again when the images come alone; the user is told once."""
    held: list[weakref.ref[np.ndarray]] = []

    class Full(Faces):
        def detect(self, images):  # type: ignore[no-untyped-def]
            features = np.zeros(9)
            assert all(one() is None for one in held), "what it made before is still there"
            held.append(weakref.ref(features))
            if len(images) > 1:
                raise MemoryError(f"{len(images)} images")
            return super().detect(images)

    counted = step(Full(DetectorSettings()))
    found = list(counted.run(record(n, face=True) for n in range(10)))
    assert [one.result.reason for one in found] == [None] * 10 and counted.failed == 0
    (told,) = [line for line in caplog.records if line.levelname == "WARNING"]
    assert told.getMessage() == (
        "squares: failed on 4 images at once and on none of them alone, which is slower: "
        "MemoryError: 4 images; if it lacks memory, a smaller --batch-size helps"
    )
