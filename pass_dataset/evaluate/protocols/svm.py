"""Support vector machines on few images a class, as PCL's eval_svm_voc.py has them.

https://github.com/salesforce/PCL/blob/964da1f/eval_svm_voc.py: features of length 1, one machine a
class against all others, C 0.5, five draws for each k. Of Pascal VOC, difficult objects count as
absent. Where an image has one label, the paper gives the top-1 accuracy of the highest value.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.protocols.span import basis_of
from pass_dataset.evaluate.protocols.statistics import (
    Correct,
    MeanPrecision,
    Outcome,
    Statistic,
)
from pass_dataset.extras import require
from pass_dataset.workers.cores import available_cores

__all__ = ["COST", "SHOTS", "decision_values", "draw_shots", "svm", "unit_features"]

#: PCL's settings; those of LinearSVC are its code's as well.
SHOTS, RUNS, COST = (1, 2, 4, 8, 16), 5, 0.5
_MACHINE = {
    "C": COST,
    "class_weight": {1: 2, -1: 1},
    "loss": "squared_hinge",
    "penalty": "l2",
    "dual": True,
    "tol": 1e-4,
    "max_iter": 2000,
    "intercept_scaling": 1.0,
    "random_state": 0,
}
#: Added to a feature's length before it is divided by it.
_EPSILON = 1e-5

Ints = np.ndarray[Any, Any]
Floats = np.ndarray[Any, Any]


def svm(
    train: Features,
    train_labels: Ints,
    test: Features,
    test_labels: Ints,
    *,
    shots: Sequence[int] = SHOTS,
    runs: int = RUNS,
) -> Iterator[Outcome]:
    """An outcome for each number of images a class: mAP of several labels, else top-1.

    Args:
      train, test: float16 N×width.
      train_labels, test_labels: int64 (N,), or int8 (N, classes) of 1, -1 and 0 (difficult).
      shots: images of each class.
      runs: draws for each.
    """
    classes = train_labels.shape[1] if train_labels.ndim == 2 else int(train_labels.max()) + 1
    signs = _signs(train_labels, classes)
    queries = unit_features(test)
    draws = draw_shots(signs, shots, runs)
    for shot in shots:
        scores = []
        for chosen in draws[shot]:
            few = unit_features(train[np.unique(chosen)])[
                np.searchsorted(np.unique(chosen), chosen)
            ]
            scores.append(decision_values(few, signs[chosen], queries))
        statistics = [_statistic(score[None], test_labels) for score in scores]
        yield Outcome(
            f"SVM k={shot}",
            "mAP" if test_labels.ndim == 2 else "top-1",
            _statistic(np.stack(scores), test_labels),
            tuple(each.value() for each in statistics),
        )


def draw_shots(signs: Ints, shots: Sequence[int], runs: int) -> dict[int, list[Ints]]:
    """Positions of the images of each draw, by the images a class.

    PCL's order: Python's generator is seeded once, then for each k, each run and each class its
    images are shuffled and the first k taken. An image of two classes may come twice.
    """
    generator = random.Random(0)
    of_class = [np.flatnonzero(column == 1).tolist() for column in signs.T]
    draws: dict[int, list[Ints]] = {}
    for shot in shots:
        draws[shot] = []
        for _ in range(runs):
            chosen: list[int] = []
            for images in of_class:
                shuffled = list(images)
                generator.shuffle(shuffled)
                chosen += shuffled[:shot]
            draws[shot].append(np.array(chosen, np.int64))
    return draws


def decision_values(train: Floats, signs: Ints, test: Floats) -> Floats:
    """Distances from each class's plane, float32 of shape (N, classes).

    Args:
      train, test: float64 of length 1.
      signs: 1 where a training image is of the class, else -1.

    Raises:
      MissingExtraError: scikit-learn is not installed.
    """
    machines = require("sklearn.svm", feature="svm", extra="evaluate")
    if (basis := basis_of(train)) is not None:
        train, test = train @ basis, test @ basis

    def fit(number: int) -> Floats:
        column = signs[:, number]
        if (column == column[0]).all():
            # No image of the class was there to draw, or no other one.
            return np.full(len(test), float(column[0]), np.float32)
        machine = machines.LinearSVC(**_MACHINE)
        machine.fit(train, column)
        values: Floats = machine.decision_function(test).astype(np.float32)
        return values

    with ThreadPoolExecutor(available_cores()) as pool:
        columns = list(pool.map(fit, range(signs.shape[1])))
    return np.stack(columns, 1)


def unit_features(features: Features) -> Floats:
    """Float64 of length 1, as PCL divides them."""
    rows = np.asarray(features, np.float64)
    made: Floats = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + _EPSILON)
    return made


def _signs(labels: Ints, classes: int) -> Ints:
    if labels.ndim == 2:
        return np.where(labels == 1, 1, -1).astype(np.int8)
    signs: Ints = np.where(labels[:, None] == np.arange(classes), 1, -1).astype(np.int8)
    return signs


def _statistic(scores: Floats, labels: Ints) -> Statistic:
    if labels.ndim == 2:
        return MeanPrecision(scores, labels)
    return Correct((scores.argmax(2) == labels).astype(np.float64))
