"""What a count in a sample says about the whole: Clopper–Pearson confidence bounds.

They are exact: the stated confidence is reached for every share and every size of sample, also for
the few or no findings that a good filter leaves, where approximations are wrong. (C. J. Clopper and
E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial,
Biometrika 26, 1934.) Drawing without replacement from a finite collection only makes them safer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["lower_bound", "two_sided", "upper_bound"]

#: Halvings of the range 0 to 1: more than float64 can tell apart.
_HALVINGS = 60


def upper_bound(found: int, checked: int, confidence: float = 0.95) -> float:
    """The share that is not exceeded, with the given confidence (one-sided).

    Args:
      found: items of the sample that have the property.
      checked: size of the sample; with 0, nothing is known, and the bound is 1.
      confidence: between 0 and 1.

    Raises:
      ValueError: numbers that cannot be.
    """
    _check(found, checked, confidence)
    if found == checked:
        return 1.0
    if found == 0:
        return float(1 - (1 - confidence) ** (1 / checked))
    return _share_with_tail(found, checked, 1 - confidence)


def lower_bound(found: int, checked: int, confidence: float = 0.95) -> float:
    """The share that is reached at least, with the given confidence (one-sided)."""
    return 1 - upper_bound(checked - found, checked, confidence)


def two_sided(found: int, checked: int, confidence: float = 0.95) -> tuple[float, float]:
    """Lowest and highest share that go with what was found, with the given confidence."""
    each = (1 + confidence) / 2
    return lower_bound(found, checked, each), upper_bound(found, checked, each)


def _check(found: int, checked: int, confidence: float) -> None:
    if not 0 <= found <= checked:
        raise ValueError(f"expected 0 <= found <= checked, found {found} and {checked}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence}")


def _share_with_tail(found: int, checked: int, tail: float) -> float:
    """The share at which `found` or fewer of `checked` have the probability `tail`."""
    log_choose = np.zeros(found + 1)
    k = np.arange(1, found + 1)
    log_choose[1:] = np.cumsum(np.log(checked - k + 1) - np.log(k))
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(log_choose, checked, middle) > tail:
            low = middle
        else:
            high = middle
    return high


def _at_most(log_choose: np.ndarray[Any, Any], checked: int, share: float) -> float:
    """Probability of at most ``len(log_choose) - 1`` findings, the binomial distribution's."""
    k = np.arange(len(log_choose))
    logs = log_choose + k * np.log(share) + (checked - k) * np.log1p(-share)
    return float(np.exp(logs).sum())
