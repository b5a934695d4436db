from __future__ import annotations

import math

from pass_dataset.passify.detectors.cascade_rcnn.precisions import SCORE_BANDS, uncertain


def test_scores_near_the_threshold_are_uncertain() -> None:
    for precision in ("bfloat16", "float16"):
        band = SCORE_BANDS[precision]
        scores = [0.5, 0.5 + band / 2, 0.5 - band / 2, 0.51 + band, 0.49 - band, 0.0, 1.0]
        assert uncertain(scores, 0.5, precision) == [0, 1, 2]
        assert uncertain([0.8], 0.8, precision) == [0]


def test_what_is_not_a_number_is_uncertain() -> None:
    assert uncertain([math.nan, math.inf, 0.0], 0.5, "float16") == [0, 1]


def test_float32_is_certain() -> None:
    assert uncertain([0.5, math.nan], 0.5, "float32") == []
