"""Arithmetic below float32, and which images are then run again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pass_dataset.passify.detectors.detector import Precision

__all__ = ["SCORE_BANDS", "uncertain"]

#: How near to the threshold a score has to be for the image to be run again in float32.
SCORE_BANDS: dict[Precision, float] = {"float32": 0.0, "bfloat16": 0.25, "float16": 0.1}


def uncertain(scores: Sequence[float], threshold: float, precision: Precision) -> list[int]:
    """Positions of the images whose verdict float32 might change.

    Args:
      scores: the highest score of each image, computed in `precision`.
      threshold: what a verdict needs.
      precision: arithmetic of the scores; none is uncertain in float32.
    """
    if precision == "float32":
        return []
    band = SCORE_BANDS[precision]
    return [
        position
        for position, score in enumerate(scores)
        # Numbers too large for float16 end as "not a number".
        if not math.isfinite(score) or abs(score - threshold) <= band
    ]
