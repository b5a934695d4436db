"""The difference of two outcomes, and how far chance alone may move it.

Two sources of chance are added up. Which images the test set happens to hold: they are drawn anew
with replacement, the same ones for both encoders (paired bootstrap). And, where a protocol has
several runs, what differs from run to run: both encoders have the same seeds and the same draws, so
that runs are paired as well (Student's t, as runs are few).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.protocols.statistics import Clusters, Correct, MeanPrecision, Outcome

__all__ = ["Difference", "difference"]

#: Draws of test images. Of what has to be sorted or counted anew each time, fewer: the standard
#: error is then known to 5 %.
_DRAWS, _SLOW_DRAWS = 2000, 200
#: Two-sided 95 %: of the normal distribution, and of Student's t by degrees of freedom.
_NORMAL = 1.960
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
#: Clusters are made of the very images that they are measured on: what other images would have made
#: of them is in no draw. So intervals of equal encoders held 0 in 93 of 100 comparisons (400 draws
#: of `scripts/benchmarks/bench_evaluate.py --equal`); so much wider, they hold it in 95 and more.
_CLUSTERED = 1.2
_BLOCK_CELLS = 20_000_000


@dataclass(frozen=True)
class Difference:
    """B minus A, in per cent points.

    Attributes:
      value: the difference.
      low, high: of the 95 % interval.
      is_same: both gave the very same answers.
    """

    value: float
    low: float
    high: float
    is_same: bool

    @property
    def is_visible(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def difference(first: Outcome, second: Outcome, *, seed: int = 0) -> Difference:
    """How much better the second encoder is than the first, by the same protocol on the same set.

    Raises:
      EvaluationError: they are of different protocols, or of different numbers of runs.
    """
    names = [(each.protocol, each.metric, len(each.runs)) for each in (first, second)]
    if names[0] != names[1]:
        raise EvaluationError(f"expected outcomes of one protocol, found {names[0]} and {names[1]}")
    value = second.value - first.value
    if _is_same(first, second):
        return Difference(0.0, 0.0, 0.0, is_same=True)
    by_images = _NORMAL * _error_of_images(first, second, np.random.default_rng(seed))
    paired = np.array(second.runs) - np.array(first.runs)
    by_runs = 0.0
    if len(paired) > 1:
        quantile = _STUDENT[min(len(paired) - 1, len(_STUDENT)) - 1]
        by_runs = quantile * float(paired.std(ddof=1)) / math.sqrt(len(paired))
    half = math.hypot(by_images, by_runs)
    if isinstance(first.statistic, Clusters):
        half *= _CLUSTERED
    if isinstance(first.statistic, Correct):
        # Accuracies move by whole images.
        half += 100 * 0.5 / first.statistic.correct.shape[1]
    return Difference(value, value - half, value + half, is_same=False)


def _is_same(first: Outcome, second: Outcome) -> bool:
    one, two = first.statistic, second.statistic
    if isinstance(one, Correct) and isinstance(two, Correct):
        return np.array_equal(one.correct, two.correct)
    if isinstance(one, Clusters) and isinstance(two, Clusters):
        return np.array_equal(one.clusters, two.clusters)
    if isinstance(one, MeanPrecision) and isinstance(two, MeanPrecision):
        return np.array_equal(one.scores, two.scores)
    return False


def _error_of_images(first: Outcome, second: Outcome, random: np.random.Generator) -> float:
    """Standard deviation of the difference over draws of test images."""
    one, two = first.statistic, second.statistic
    if isinstance(one, Correct) and isinstance(two, Correct):
        return _error_of_means(100 * (two.correct.mean(0) - one.correct.mean(0)), random)
    count = _images(one)
    drawn = []
    for _ in range(_SLOW_DRAWS):
        weights = np.bincount(random.integers(0, count, count), minlength=count)
        drawn.append(two.value(weights) - one.value(weights))
    return float(np.std(drawn, ddof=1))


def _error_of_means(gains: np.ndarray[Any, Any], random: np.random.Generator) -> float:
    """The same for a mean over images, many draws at once."""
    count = len(gains)
    at_once = max(1, _BLOCK_CELLS // count)
    drawn: list[float] = []
    while len(drawn) < _DRAWS:
        places = random.integers(0, count, (min(at_once, _DRAWS - len(drawn)), count))
        drawn += gains[places].mean(1).tolist()
    return float(np.std(drawn, ddof=1))


def _images(statistic: object) -> int:
    if isinstance(statistic, Clusters):
        return len(statistic.classes)
    if isinstance(statistic, MeanPrecision):
        return len(statistic.labels)
    raise EvaluationError(f"no bootstrap is known of {type(statistic).__name__}")
