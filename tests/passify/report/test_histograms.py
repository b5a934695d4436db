"""Scores counted: bins, and what each threshold would drop."""

from __future__ import annotations

import numpy as np

from pass_dataset.passify.report.histograms import BINS, ScoreHistogram


def test_counts() -> None:
    histogram = ScoreHistogram("face", 0.5)
    histogram.add(np.array([0.0, 0.019, 0.02, 0.5, 0.5001, 1.0, np.nan]))
    histogram.add(np.array([1.0]))
    assert histogram.scored == 7
    assert sum(histogram.counts) == 7
    assert (histogram.counts[0], histogram.counts[1], histogram.counts[BINS - 1]) == (2, 1, 2)


def test_faces_over_people_from() -> None:
    scores = np.array([0.3, 0.5, 0.7])
    for target, expected in (("face", 1), ("person", 2)):
        histogram = ScoreHistogram(target, 0.5)
        histogram.add(scores)
        assert histogram.over[0.5] == expected


def test_threshold_of_its_own_is_in_the_table() -> None:
    histogram = ScoreHistogram("face", 0.33)
    assert list(histogram.over) == [0.1, 0.2, 0.3, 0.33, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
