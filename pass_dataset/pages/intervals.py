"""What a count in a sample says about the whole: Clopper–Pearson confidence bounds.

They are exact: the stated confidence is reached for every share and every size of sample, also for
the few or no findings that a good filter leaves, where approximations are wrong. (C. J. Clopper and
E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial,
Biometrika 26, 1934.) Drawing without replacement from a finite collection only makes them safer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["chance_of_at_most", "lower_bound", "two_sided", "upper_bound"]

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
    _check(found, checked, confidence)
    if 0 < found <= checked // 2:
        # The shorter of both sums: of the findings that are fewer.
        return _share_with_tail(found - 1, checked, confidence)
    return 1 - upper_bound(checked - found, checked, confidence)


def two_sided(found: int, checked: int, confidence: float = 0.95) -> tuple[float, float]:
    """Lowest and highest share that go with what was found, with the given confidence."""
    each = (1 + confidence) / 2
    return lower_bound(found, checked, each), upper_bound(found, checked, each)


def chance_of_at_most(found: int, checked: int, share: float) -> float:
    """How probable it is that a sample has so many findings or fewer: the binomial distribution's.

    Args:
      found: findings at most; under 0 the chance is 0.
      checked: size of the sample.
      share: of all items that have the property, 0 to 1.
    """
    if found < 0:
        return 0.0
    if found >= checked or share <= 0:
        return 1.0
    return 0.0 if share >= 1 else min(1.0, _at_most(_log_choose(found, checked), checked, share))


def _check(found: int, checked: int, confidence: float) -> None:
    if not 0 <= found <= checked:
        raise ValueError(f"expected 0 <= found <= checked, found {found} and {checked}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence}")


def _share_with_tail(found: int, checked: int, tail: float) -> float:
    """The share at which `found` or fewer of `checked` have the probability `tail`."""
    log_choose = _log_choose(found, checked)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(log_choose, checked, middle) > tail:
            low = middle
        else:
            high = middle
    return high


def _log_choose(found: int, checked: int) -> np.ndarray[Any, Any]:
    """Logarithms of the numbers of ways to choose 0 to `found` of `checked`."""
    logs = np.zeros(found + 1)
    k = np.arange(1, found + 1)
    logs[1:] = np.cumsum(np.log(checked - k + 1) - np.log(k))
    return logs


def _at_most(log_choose: np.ndarray[Any, Any], checked: int, share: float) -> float:
    """Probability of at most ``len(log_choose) - 1`` findings, the binomial distribution's."""
    k = np.arange(len(log_choose))
    logs = log_choose + k * np.log(share) + (checked - k) * np.log1p(-share)
    return float(np.exp(logs).sum())
