"""Nearest neighbours, as DINO's eval_knn.py has them.

https://github.com/facebookresearch/dino/blob/7c446df/eval_knn.py: features of length 1, the
k nearest training images by cosine, each with a vote of exp(cosine / 0.07). It fails on fewer than
100 test images; this does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.protocols.statistics import Correct, Outcome

__all__ = ["NEIGHBOURS", "TEMPERATURE", "knn", "predict_knn"]

#: DINO tries 10, 20, 100 and 200, and says that 20 usually is best.
NEIGHBOURS, TEMPERATURE = 20, 0.07

#: Training images, and test images, that are compared at once.
_TRAIN_ROWS, _TEST_ROWS = 65_536, 1024


def knn(
    train: Features,
    train_labels: np.ndarray[Any, Any],
    test: Features,
    test_labels: np.ndarray[Any, Any],
    *,
    neighbours: int = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> Outcome:
    """Top-1 accuracy of votes of the nearest training images.

    Args:
      train, test: float16 N×width.
      train_labels, test_labels: int64 of shape (N,).
      neighbours: how many vote; all where there are fewer.
      temperature: by which their cosines are divided.
    """
    if train_labels.ndim != 1:
        raise EvaluationError("knn: expected one label an image, found several")
    told = predict_knn(train, train_labels, test, neighbours, temperature)
    correct = Correct((told == test_labels)[None].astype(np.float64))
    return Outcome(f"kNN k={neighbours}", "top-1", correct, (correct.value(),))


def predict_knn(
    train: Features,
    labels: np.ndarray[Any, Any],
    test: Features,
    neighbours: int = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> np.ndarray[Any, Any]:
    """The class that each test image is given, int64 of shape (N,); see `knn`."""
    classes = int(labels.max()) + 1
    kept = min(neighbours, len(train))
    targets = torch.from_numpy(np.asarray(labels))
    told = []
    for start in range(0, len(test), _TEST_ROWS):
        queries = _unit(test[start : start + _TEST_ROWS])
        near = torch.empty(len(queries), 0)
        which = torch.empty(len(queries), 0, dtype=torch.int64)
        for first in range(0, len(train), _TRAIN_ROWS):
            cosines = queries @ _unit(train[first : first + _TRAIN_ROWS]).T
            values, places = cosines.topk(min(kept, cosines.shape[1]), dim=1)
            near, order = torch.cat([near, values], 1).topk(
                min(kept, near.shape[1] + values.shape[1]), dim=1
            )
            which = torch.cat([which, places + first], 1).gather(1, order)
        votes = torch.zeros(len(queries), classes)
        votes.scatter_add_(1, targets[which], (near / temperature).exp())
        told.append(votes.argmax(1))
    return torch.cat(told).numpy()


def _unit(rows: Features) -> torch.Tensor:
    """Rows of length 1, float32."""
    return torch.nn.functional.normalize(torch.from_numpy(np.asarray(rows, np.float32)), dim=1)
