"""Verdicts of lower precision that are those of float32.

Where a network computes with fewer bits, its scores are a little off. Only where a score lies near
the threshold can that change a verdict; those images are run again in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.settings import Precision

__all__ = ["detect_as_float32", "near"]

Image = TypeVar("Image")


def near(score: float, threshold: float, band: float) -> bool:
    """True if a score that may be off by `band` does not tell on which side of the threshold.

    So is what is not a number: where float16 has none so large, it tells nothing.
    """
    return not abs(score - threshold) > band


def detect_as_float32(
    images: Sequence[Image],
    detect: Callable[[Sequence[Image], Precision], list[Detections]],
    precision: Precision,
    *,
    threshold: float,
    bands: Mapping[Precision, float],
) -> list[Detections]:
    """Detections in a precision, of which those near the threshold are made anew in float32.

    Args:
      images: what is looked at.
      detect: makes detections of each image in a precision.
      precision: of most of them; with float32 nothing is made twice.
      threshold: where verdicts are made.
      bands: how far scores of each lower precision may be off.
    """
    result = list(detect(images, precision))
    if precision == "float32":
        return result
    band = bands[precision]
    doubtful = [i for i, one in enumerate(result) if near(one.max_score, threshold, band)]
    if doubtful:
        again = detect([images[i] for i in doubtful], "float32")
        for position, exact in zip(doubtful, again, strict=True):
            result[position] = exact
    return result
