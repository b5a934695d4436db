"""Bounds of the number of bad images in a set, of which some were drawn at random and looked at.

What was looked at is known, and of the rest some may be bad: the bounds are those numbers for which
the sample would not be an unlikely one. They are exact for every set and sample, as Clopper and
Pearson's are for a set without end, and by the hypergeometric distribution, as no image is drawn
twice.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["bad_images"]


def bad_images(found: int, checked: int, images: int, confidence: float) -> tuple[int, int]:
    """Lowest and highest number of bad images in a set, each one-sided with this confidence.

    Args:
      found: bad ones of the sample.
      checked: size of the sample.
      images: of the whole set.
      confidence: between 0 and 1.

    Raises:
      ValueError: numbers that cannot be.
    """
    if not 0 <= found <= checked <= images:
        raise ValueError(
            f"expected found <= checked <= images, found {found}, {checked} and {images}"
        )
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence:g}")
    most_good = _highest(checked - found, checked, images, 1 - confidence)
    return images - most_good, _highest(found, checked, images, 1 - confidence)


def _highest(found: int, checked: int, images: int, tail: float) -> int:
    """The highest number of which so few are in the sample with a chance over `tail`."""
    low, high = found, found + images - checked
    while low < high:
        middle = (low + high + 1) // 2
        if _chance_of_at_most(found, checked, images, middle) > tail:
            low = middle
        else:
            high = middle - 1
    return low


def _chance_of_at_most(found: int, checked: int, images: int, bad: int) -> float:
    """How probable a sample has so many of the bad ones or fewer."""
    lowest, highest = max(0, checked - (images - bad)), min(checked, bad)
    if found >= highest:
        return 1.0
    if found < lowest:
        return 0.0
    last = _log_choose(bad, found) + _log_choose(images - bad, checked - found)
    last -= _log_choose(images, checked)
    # From each number of findings to the one before it.
    k = np.arange(found, lowest, -1, dtype=np.float64)
    ratios = np.log(k) + np.log(images - bad - checked + k)
    ratios -= np.log(bad - k + 1) + np.log(checked - k + 1)
    return min(1.0, math.exp(last) + float(np.exp(last + np.cumsum(ratios)).sum()))


def _log_choose(images: int, chosen: int) -> float:
    return math.lgamma(images + 1) - math.lgamma(chosen + 1) - math.lgamma(images - chosen + 1)
