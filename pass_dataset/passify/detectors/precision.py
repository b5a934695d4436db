"""Verdicts of lower precision that are those of float32.

Where a network computes with fewer bits, its scores are a little off. Only where a score lies near
the threshold can that change a verdict; those images are run again in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pass_dataset.passify.detectors.detections import Detections

__all__ = ["near", "rerun_near"]

Image = TypeVar("Image")


def near(score: float, threshold: float, band: float) -> bool:
    """True if a score that may be off by `band` does not tell on which side of the threshold.

    So is what is not a number: where float16 has none so large, it tells nothing.
    """
    return not abs(score - threshold) > band


def rerun_near(
    images: Sequence[Image],
    found: Sequence[Detections],
    again: Callable[[list[Image]], list[Detections]],
    *,
    threshold: float,
    band: float,
) -> list[Detections]:
    """Detections of which those near the threshold are made anew.

    Args:
      images: what was looked at.
      found: detections of each in lower precision.
      again: makes detections in float32.
      threshold: where verdicts are made.
      band: how far scores of the lower precision may be off.
    """
    doubtful = [i for i, one in enumerate(found) if near(one.max_score, threshold, band)]
    result = list(found)
    if doubtful:
        for position, exact in zip(doubtful, again([images[i] for i in doubtful]), strict=True):
            result[position] = exact
    return result
