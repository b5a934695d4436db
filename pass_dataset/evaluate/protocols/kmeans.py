"""k-means on the features of the test set, compared with its classes (paper, appendix D.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.protocols.statistics import (
    Clusters,
    Outcome,
    adjusted_rand,
    normalised_information,
)
from pass_dataset.extras import require

__all__ = ["cluster", "kmeans"]

#: Paper, D.2: iterations and restarts. FAISS's own seed, and others to see how much hangs on it.
ITERATIONS, RESTARTS = 50, 5
SEEDS = (1234, 1235, 1236)


def kmeans(
    features: Features, labels: np.ndarray[Any, Any], seeds: Sequence[int] = SEEDS
) -> tuple[Outcome, Outcome]:
    """NMI and aRI of the clusters of a test set, as many as there are classes.

    Args:
      features: float16 N×width.
      labels: int64 of shape (N,).
      seeds: of the clusterings; each is 50 iterations and 5 restarts, of which the best is kept.
    """
    count = len(np.unique(labels))
    data = np.ascontiguousarray(features, np.float32)
    clusters = np.stack([cluster(data, count, seed) for seed in seeds])
    return (
        _outcome("NMI", Clusters(clusters, labels, normalised_information)),
        _outcome("aRI", Clusters(clusters, labels, adjusted_rand)),
    )


def cluster(data: np.ndarray[Any, Any], count: int, seed: int) -> np.ndarray[Any, Any]:
    """FAISS's k-means: the cluster of each row, int64 of shape (N,).

    All rows are clustered: FAISS's default would train on 256 a class at most, and say nothing.

    Raises:
      MissingExtraError: FAISS is not installed.
    """
    faiss = require("faiss", feature="k-means", extra="evaluate")
    made = faiss.Kmeans(
        data.shape[1],
        count,
        niter=ITERATIONS,
        nredo=RESTARTS,
        seed=seed,
        max_points_per_centroid=len(data),
        min_points_per_centroid=1,
    )
    made.train(data)
    nearest: np.ndarray[Any, Any] = made.index.search(data, 1)[1][:, 0]
    return nearest


def _outcome(metric: str, statistic: Clusters) -> Outcome:
    runs = tuple(
        Clusters(run[None], statistic.classes, statistic.measure).value()
        for run in statistic.clusters
    )
    return Outcome("k-means", metric, statistic, runs)
