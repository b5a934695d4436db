"""Which images are looked at again, and that their new detections take the place of the old."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

np = pytest.importorskip("numpy")

from pass_dataset.passify.detectors.detections import Detections  # noqa: E402
from pass_dataset.passify.detectors.precision import detect_as_float32, near  # noqa: E402
from pass_dataset.passify.detectors.settings import Precision  # noqa: E402


def scored(score: float) -> Detections:
    empty = np.zeros(0, np.float32)
    return Detections(np.zeros((0, 4), np.float32), empty, empty.astype(np.int64), score)


def test_near() -> None:
    assert near(0.5, 0.5, 0.0)
    assert near(0.45, 0.5, 0.05001)
    assert not near(0.44, 0.5, 0.05)
    assert not near(0.56, 0.5, 0.05)


def test_only_doubtful_images_run_again() -> None:
    asked: list[tuple[list[str], str]] = []
    rough = {"a": 0.1, "b": 0.48, "c": 0.9, "d": 0.52}

    def detect(images: Sequence[str], precision: Precision) -> list[Detections]:
        asked.append((list(images), precision))
        return [scored(0.501 if precision == "float32" else rough[image]) for image in images]

    def scores(images: list[str], precision: Precision) -> list[float]:
        asked.clear()
        found = detect_as_float32(
            images, detect, precision, threshold=0.5, bands={"float16": 0.03, "bfloat16": 1.0}
        )
        return [one.max_score for one in found]

    assert scores(list("abcd"), "float16") == [0.1, 0.501, 0.9, 0.501]
    assert asked == [(list("abcd"), "float16"), (["b", "d"], "float32")]
    assert scores(["a"], "float16") == [0.1]
    assert asked == [(["a"], "float16")]
    assert scores(["a", "c"], "bfloat16") == [0.501, 0.501]
    assert scores(["a"], "float32") == [0.501]
    assert asked == [(["a"], "float32")]


def test_what_is_not_a_number_is_near() -> None:
    """Numbers too large for float16 end as such."""
    assert near(float("nan"), 0.5, 0.1)
