"""Scores, counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pass_dataset.passify.detectors.settings import Target

__all__ = ["BINS", "ScoreHistogram", "flagged"]

BINS = 50
#: What the table beside the plot has, apart from the threshold of the run.
_TABLE_THRESHOLDS = tuple(step / 10 for step in range(1, 10))


def flagged(target: Target, scores: Any, threshold: float) -> Any:
    """Which scores drop an image: faces over the threshold, people from it on.

    The rule of `verdicts.judge`, for one detector.

    Args:
      target: what the scores are of.
      scores: float64 array; NaN, not looked for, drops nothing.
      threshold: of the verdict.

    Returns:
      Boolean array.
    """
    return scores > threshold if target == "face" else scores >= threshold


@dataclass
class ScoreHistogram:
    """Highest scores of images by one detector.

    Attributes:
      target: what it looks for.
      threshold: of the verdict.
      scored: images with a score.
      counts: images in each of `BINS` equal bins from 0 to 1.
      over: images that would be dropped, by threshold, in rising order.
    """

    target: Target
    threshold: float
    scored: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * BINS)
    over: dict[float, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.over = dict.fromkeys(sorted({*_TABLE_THRESHOLDS, self.threshold}), 0)

    def add(self, scores: np.ndarray[Any, Any]) -> None:
        """Counts scores.

        Args:
          scores: float64; NaN is left out.
        """
        known = scores[~np.isnan(scores)]
        self.scored += len(known)
        found, _ = np.histogram(known, bins=BINS, range=(0.0, 1.0))
        self.counts = [before + int(more) for before, more in zip(self.counts, found, strict=True)]
        for threshold in self.over:
            self.over[threshold] += int(flagged(self.target, known, threshold).sum())
