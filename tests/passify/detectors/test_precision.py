"""Which images are looked at again, and that their new detections take the place of the old."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from pass_dataset.passify.detectors import Detections  # noqa: E402
from pass_dataset.passify.detectors.precision import near, rerun_near  # noqa: E402


def scored(score: float) -> Detections:
    empty = np.zeros(0, np.float32)
    return Detections(np.zeros((0, 4), np.float32), empty, empty.astype(np.int64), score)


def test_near() -> None:
    assert near(0.5, 0.5, 0.0)
    assert near(0.45, 0.5, 0.05001)
    assert not near(0.44, 0.5, 0.05)
    assert not near(0.56, 0.5, 0.05)


def test_only_doubtful_images_run_again() -> None:
    again: list[list[str]] = []

    def exact(images: list[str]) -> list[Detections]:
        again.append(images)
        return [scored(0.501) for _ in images]

    found = [scored(score) for score in (0.1, 0.48, 0.9, 0.52)]
    result = rerun_near(["a", "b", "c", "d"], found, exact, threshold=0.5, band=0.03)
    assert again == [["b", "d"]]
    assert [one.max_score for one in result] == [0.1, 0.501, 0.9, 0.501]
    assert rerun_near(["a"], found[:1], exact, threshold=0.5, band=0.03) == found[:1]
    assert len(again) == 1


def test_what_is_not_a_number_is_near() -> None:
    """Numbers too large for float16 end as such."""
    assert near(float("nan"), 0.5, 0.1)
