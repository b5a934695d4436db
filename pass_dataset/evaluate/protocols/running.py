"""All protocols by name, on the features of one encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.protocols.kmeans import kmeans
from pass_dataset.evaluate.protocols.knn import knn
from pass_dataset.evaluate.protocols.linear import linear
from pass_dataset.evaluate.protocols.logistic import logistic
from pass_dataset.evaluate.protocols.statistics import Outcome
from pass_dataset.evaluate.protocols.svm import svm

__all__ = ["PROTOCOLS", "Probed", "run_protocols"]

#: In the order of the report.
PROTOCOLS = ("kmeans", "knn", "linear", "svm", "logistic")
#: Those that are of one label an image.
_ONE_LABEL = frozenset({"kmeans", "knn", "linear"})


@dataclass(frozen=True)
class Probed:
    """Features of one encoder and labels of one set.

    Attributes:
      views: of the training images, for the linear layer: random ones, or the middles alone.
      train, test: of the middles, float16 N×width.
      train_labels, test_labels: int64 (N,), or int8 (N, classes).
    """

    views: Sequence[Features]
    train: Features
    train_labels: np.ndarray[Any, Any]
    test: Features
    test_labels: np.ndarray[Any, Any]


def run_protocols(probed: Probed, names: Sequence[str] = PROTOCOLS) -> list[Outcome]:
    """Outcomes of the protocols by name; of several labels an image, of those that know them.

    Raises:
      EvaluationError: there is no such protocol.
    """
    unknown = [name for name in names if name not in PROTOCOLS]
    if unknown:
        raise EvaluationError(
            f"no protocol is named {', '.join(unknown)}: expected some of {', '.join(PROTOCOLS)}"
        )
    outcomes: list[Outcome] = []
    four = (probed.train, probed.train_labels, probed.test, probed.test_labels)
    for name in names:
        if probed.test_labels.ndim == 2 and name in _ONE_LABEL:
            continue
        if name == "kmeans":
            outcomes += kmeans(probed.test, probed.test_labels)
        elif name == "knn":
            outcomes.append(knn(*four))
        elif name == "linear":
            outcomes.append(
                linear(probed.views, probed.train_labels, probed.test, probed.test_labels)
            )
        elif name == "svm":
            outcomes += svm(*four)
        else:
            outcomes.append(logistic(*four))
    return outcomes
