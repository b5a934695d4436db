"""Logistic regression on standardised features, its strength chosen without the test set.

What the published linear layer is not: one whose result does not hang on how large an encoder's
numbers are. Features are standardised by the training set, the cost is convex and minimised by
L-BFGS, and the strength of its regularisation is chosen on a part of the training set, for each
encoder alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.protocols.span import basis_of
from pass_dataset.evaluate.protocols.statistics import (
    Correct,
    MeanPrecision,
    Outcome,
    Statistic,
)
from pass_dataset.extras import require

__all__ = ["STRENGTHS", "Regression", "fit", "logistic"]

#: Values of scikit-learn's C that are tried, from weak to strong trust in the training set.
STRENGTHS = tuple(float(value) for value in np.logspace(-6, 3, 10))
#: Of the training set, the part that C is chosen on.
_CHOSEN_ON = 0.2
_STEPS = 200
#: Rows at once; 256 MB of float32 for a ResNet-50.
_ROWS = 32_768
#: Products of a step that several threads do no sooner than one: they would wait for each other
#: longer than they work, most of all where other processes have the cores. Measured on two cores:
#: at 2 million two threads take five times as long as one, at 100 million as long.
_SMALL_STEP = 100_000_000

Ints = np.ndarray[Any, Any]
Floats = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Regression:
    """A fitted regression.

    Attributes:
      weights: float64 (width + 1, classes), of standardised features; the last row is the bias.
      mean, scale: float32 (width,), of the training features.
    """

    weights: Floats
    mean: Floats
    scale: Floats

    def scores(self, features: Features) -> Floats:
        """Float32 of shape (N, classes), higher where a class is more likely."""
        pieces = [
            rows.numpy() @ self.weights[:-1].astype(np.float32)
            + self.weights[-1].astype(np.float32)
            for rows in _pieces(features, np.arange(len(features)), self.mean, self.scale)
        ]
        return np.concatenate(pieces)


def logistic(
    train: Features,
    labels: Ints,
    test: Features,
    test_labels: Ints,
    *,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
) -> Outcome:
    """Top-1 accuracy, or of several labels mAP.

    Args:
      train, test: float16 N×width.
      labels, test_labels: int64 (N,), or int8 (N, classes).
      strengths: values of C that are tried.
      seed: of the split of the training set that C is chosen on.
    """
    classes = labels.shape[1] if labels.ndim == 2 else int(max(labels.max(), test_labels.max())) + 1
    first, second = split(labels, seed)
    tried: list[tuple[float, Floats]] = []
    fitting = _Fitting(train, labels, classes, first)
    for strength in strengths:
        found = fitting.fit(strength, tried[-1][1] if tried else None)
        right = _statistic(found.scores(train[second]), labels[second]).value()
        tried.append((right, found.weights))
    best = max(right for right, _ in tried)
    equal = [place for place, (right, _) in enumerate(tried) if right == best]
    # Of those that are equally right, as few images often have it, the one in the middle.
    place = equal[len(equal) // 2]
    chosen = strengths[place]
    fitted = fit(train, labels, classes, chosen, start=tried[place][1])
    statistic = _statistic(fitted.scores(test), test_labels)
    return Outcome(
        "logistic, tuned",
        "mAP" if labels.ndim == 2 else "top-1",
        statistic,
        (statistic.value(),),
        (f"C {chosen:g}, chosen on {len(second):,} training images ({best:.1f} there)",),
    )


def split(labels: Ints, seed: int) -> tuple[Ints, Ints]:
    """Positions of the training images that are fitted, and of those that C is chosen on.

    Of each class a fifth is held back, but never its only image.
    """
    random = np.random.default_rng(seed)
    if labels.ndim == 2:
        order = random.permutation(len(labels))
        count = max(1, int(_CHOSEN_ON * len(labels)))
        return np.sort(order[count:]), np.sort(order[:count])
    held = []
    for number in np.unique(labels):
        places = random.permutation(np.flatnonzero(labels == number))
        held.append(places[: min(len(places) - 1, max(1, int(_CHOSEN_ON * len(places))))])
    second = np.sort(np.concatenate(held))
    if not len(second):
        raise EvaluationError(
            "logistic: expected two training images of some class at least, to choose C by, "
            "found one of each"
        )
    return np.setdiff1d(np.arange(len(labels)), second), second


class _Fitting:
    """Some training images made ready, to be fitted with one strength after another.

    What has a place in memory is made ready once: standardised, and turned into the space that the
    images span. Of more images, some thousand at once are read, anew for each step.
    """

    def __init__(
        self, train: Features, labels: Ints, classes: int, rows: Ints | None = None
    ) -> None:
        """Takes what `fit` takes."""
        self._train, self._classes = train, classes
        self._rows = np.arange(len(train)) if rows is None else rows
        self._mean, self._scale = _moments(train, self._rows)
        self._basis: Floats | None = None
        self._held: list[torch.Tensor] | None = None
        if len(self._rows) <= _ROWS:
            self._held = list(self._pieces())
            inputs = self._held[0].numpy()
            self._basis = basis_of(inputs)
            if self._basis is not None:
                self._held = [torch.from_numpy((inputs @ self._basis).astype(np.float32))]
        self._targets = [
            torch.from_numpy(np.ascontiguousarray(labels[self._rows[first : first + _ROWS]]))
            for first in range(0, len(self._rows), _ROWS)
        ]

    def _pieces(self) -> Iterator[torch.Tensor]:
        return _pieces(self._train, self._rows, self._mean, self._scale)

    def fit(self, strength: float, start: Floats | None = None) -> Regression:
        """Weights of a strength; see `fit`."""
        optimize = require("scipy.optimize", feature="logistic", extra="evaluate")
        pools = require("threadpoolctl", feature="logistic", extra="evaluate")
        basis = self._basis
        width = self._train.shape[1] if basis is None else basis.shape[1]
        begun = np.zeros((width + 1, self._classes))
        if start is not None:
            begun[:-1] = start[:-1] if basis is None else basis.T @ start[:-1]
            begun[-1] = start[-1]
        is_small = len(self._rows) * begun.size < _SMALL_STEP
        with pools.threadpool_limits(1 if is_small else None):
            done = optimize.minimize(
                lambda flat: self._cost(flat.reshape(begun.shape), strength),
                begun.ravel(),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": _STEPS},
            )
        found = done.x.reshape(begun.shape)
        if basis is not None:
            found = np.concatenate([basis @ found[:-1], found[-1:]])
        return Regression(found, self._mean, self._scale)

    def _cost(self, plane: Floats, strength: float) -> tuple[float, Floats]:
        """What is minimised, and its slope."""
        weights = torch.from_numpy(plane.astype(np.float32))
        total, gradient = 0.0, np.zeros(plane.shape)
        pieces = self._held if self._held is not None else self._pieces()
        for inputs, target in zip(pieces, self._targets, strict=True):
            loss, slope = _loss(inputs @ weights[:-1] + weights[-1], target)
            total += loss
            gradient[:-1] += (inputs.T @ slope).numpy()
            gradient[-1] += slope.sum(0).numpy()
        total += float((plane[:-1] ** 2).sum()) / (2 * strength)
        gradient[:-1] += plane[:-1] / strength
        # By the number of rows, so that the steps' tolerance means the same for all sizes.
        return total / len(self._rows), gradient.ravel() / len(self._rows)


def fit(
    train: Features,
    labels: Ints,
    classes: int,
    strength: float,
    *,
    rows: Ints | None = None,
    start: Floats | None = None,
) -> Regression:
    """Minimises ``C · sum of losses + ½ · squares of weights``, as scikit-learn does.

    The features stay where they are; some thousand rows at once are in memory.

    Args:
      train: float16 N×width.
      labels: int64 (N,), whose loss is multinomial; or int8 (N, classes), one binary loss each.
      classes: their number.
      strength: C.
      rows: positions to fit; None: all.
      start: weights to begin with; None: zeros.

    Raises:
      MissingExtraError: SciPy, which comes with scikit-learn, is not installed.
    """
    return _Fitting(train, labels, classes, rows).fit(strength, start)


def _loss(scores: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Sum of losses, and its slope for each score."""
    if target.ndim == 1:
        logs = scores.log_softmax(1)
        slope = logs.exp()
        slope[torch.arange(len(target)), target] -= 1
        return float(-logs.double()[torch.arange(len(target)), target].sum()), slope
    there = (target == 1).to(scores.dtype)
    loss = torch.nn.functional.softplus(scores) - there * scores
    return float(loss.double().sum()), scores.sigmoid() - there


def _moments(train: Features, rows: Ints) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each number, float32."""
    total = np.zeros(train.shape[1])
    squares = np.zeros(train.shape[1])
    for first in range(0, len(rows), _ROWS):
        piece = np.asarray(train[rows[first : first + _ROWS]], np.float32)
        total += piece.sum(0, dtype=np.float64)
        squares += np.einsum("ij,ij->j", piece, piece, dtype=np.float64)
    mean = total / len(rows)
    variance = np.maximum(squares / len(rows) - mean**2, 0)
    # A number that never changes says nothing, whatever it is divided by.
    scale = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
    return mean.astype(np.float32), scale.astype(np.float32)


def _pieces(features: Features, rows: Ints, mean: Floats, scale: Floats) -> Iterator[torch.Tensor]:
    for first in range(0, len(rows), _ROWS):
        piece = np.asarray(features[rows[first : first + _ROWS]], np.float32)
        piece -= mean
        piece /= scale
        yield torch.from_numpy(piece)


def _statistic(scores: Floats, labels: Ints) -> Statistic:
    if labels.ndim == 2:
        return MeanPrecision(scores[None], labels)
    return Correct((scores.argmax(1) == labels)[None].astype(np.float64))
