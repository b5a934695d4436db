from __future__ import annotations

import math

import numpy as np

from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.precision import near, rerun_near


def with_score(score: float) -> Detections:
    nothing = np.empty(0, np.float32)
    return Detections(nothing.reshape(0, 4), nothing, nothing.astype(np.int64), score)


def test_scores_near_the_threshold() -> None:
    scores = [0.5, 0.59, 0.41, 0.61, 0.39, 0.0, 1.0, math.nan]
    assert [near(score, 0.5, 0.1) for score in scores] == [True] * 3 + [False] * 4 + [True]


def test_only_those_are_run_again() -> None:
    found = rerun_near(
        ["a", "b", "c"],
        [with_score(0.2), with_score(0.55), with_score(math.nan)],
        lambda images: [with_score({"b": 0.45, "c": 0.9}[image]) for image in images],
        threshold=0.5,
        band=0.1,
    )
    assert [one.max_score for one in found] == [0.2, 0.45, 0.9]
    certain = [with_score(0.2)]
    assert rerun_near(["a"], certain, lambda images: 1 / 0, threshold=0.5, band=0.1) == certain
