"""Numbers that can be computed of all test images, or of some: what a bootstrap asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Clusters",
    "Correct",
    "MeanPrecision",
    "Outcome",
    "Statistic",
    "adjusted_rand",
    "average_precision",
    "normalised_information",
]

Ints = np.ndarray[Any, Any]
Floats = np.ndarray[Any, Any]


class Statistic(Protocol):
    """A number, in per cent, of test images."""

    def value(self, weights: Ints | None = None) -> float:
        """It for all images; or each counted so often as `weights` (int64, N) says."""


@dataclass(frozen=True)
class Outcome:
    """What a protocol found for one encoder.

    Attributes:
      protocol: its name, with what decides it: ``svm k=4``.
      metric: ``top-1``, ``mAP``, ``NMI`` or ``aRI``.
      statistic: of one run, or the mean over several.
      runs: in per cent, of each run or seed.
      notes: what else was found, for people.
    """

    protocol: str
    metric: str
    statistic: Statistic
    runs: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """In per cent: the mean over the runs."""
        return float(np.mean(self.runs))

    @property
    def spread(self) -> float | None:
        """Standard deviation over the runs; None: there is one."""
        return float(np.std(self.runs, ddof=1)) if len(self.runs) > 1 else None


@dataclass(frozen=True)
class Correct:
    """Top-1 accuracy.

    Attributes:
      correct: float64 of shape (runs, N): 1 where an image is told right.
    """

    correct: Floats

    def value(self, weights: Ints | None = None) -> float:
        """Mean over images and runs."""
        return 100 * float(np.average(self.correct.mean(0), weights=weights))


@dataclass(frozen=True)
class Clusters:
    """How well clusters agree with classes, mean over several clusterings.

    Attributes:
      clusters: int64 of shape (runs, N).
      classes: int64 of shape (N,).
      measure: `normalised_information` or `adjusted_rand`.
    """

    clusters: Ints
    classes: Ints
    measure: Callable[[Floats], float]

    def value(self, weights: Ints | None = None) -> float:
        """Mean over runs."""
        return 100 * float(
            np.mean([self.measure(_table(run, self.classes, weights)) for run in self.clusters])
        )


@dataclass(frozen=True)
class MeanPrecision:
    """Mean average precision over classes, mean over several runs.

    Attributes:
      scores: float32 of shape (runs, N, classes).
      labels: int8 of shape (N, classes): 1 where a class is there.
    """

    scores: Floats
    labels: Ints

    def value(self, weights: Ints | None = None) -> float:
        """Mean over classes and runs."""
        return 100 * float(
            np.mean(
                [
                    average_precision(run[:, number], self.labels[:, number] == 1, weights)
                    for run in self.scores
                    for number in range(self.labels.shape[1])
                    if (self.labels[:, number] == 1).any()
                ]
            )
        )


def average_precision(scores: Floats, is_there: Ints, weights: Ints | None = None) -> float:
    """Area under the precision's monotone envelope over all recalls.

    As PCL's ``eval_svm_voc.py`` computes it for VOC07; neither the 11 points of VOC's own code nor
    scikit-learn's sum.

    Args:
      scores: float of shape (N,), higher where a class is more likely.
      is_there: bool of shape (N,).
      weights: how often each image counts.
    """
    order = np.argsort(-scores, kind="stable")
    weight = np.ones(len(scores)) if weights is None else weights[order].astype(np.float64)
    there = np.cumsum(is_there[order] * weight)
    seen = np.cumsum(weight)
    if not len(there) or there[-1] == 0:
        return 0.0
    recall = there / there[-1]
    precision = np.divide(there, seen, out=np.zeros_like(there), where=seen > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def _table(clusters: Ints, classes: Ints, weights: Ints | None) -> Floats:
    """How many images are in each cluster and each class."""
    columns = int(classes.max()) + 1
    cells = np.bincount(
        clusters * columns + classes, weights, minlength=columns * (int(clusters.max()) + 1)
    )
    return cells.reshape(-1, columns).astype(np.float64)


def normalised_information(table: Floats) -> float:
    """Mutual information over the mean of both entropies, as scikit-learn normalises it."""
    total = table.sum()
    rows, columns = table.sum(1), table.sum(0)
    entropies = _entropy(rows / total), _entropy(columns / total)
    if entropies[0] == entropies[1] == 0:
        return 1.0
    mutual = entropies[0] + entropies[1] - _entropy(table.ravel() / total)
    return float(max(0.0, mutual) / np.mean(entropies))


def _entropy(shares: Floats) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def adjusted_rand(table: Floats) -> float:
    """The Rand index, 0 for chance (Hubert and Arabie, 1985)."""

    def pairs(counts: Floats) -> float:
        return float((counts * (counts - 1) / 2).sum())

    together, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    everything = pairs(np.array([table.sum()]))
    by_chance = rows * columns / everything if everything else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == by_chance else (together - by_chance) / (most - by_chance)
