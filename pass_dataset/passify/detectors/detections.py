"""What a detector finds in an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Detections"]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Boxes of one image, best first.

    Attributes:
      boxes: float32 N×4, ``x1, y1, x2, y2`` in pixels of the image that the detector was given.
        They may reach over its edges where the published code's do.
      scores: float32 N, falling, each over the detector's storing threshold.
      classes: int64 N, positions in the detector's `class_names`.
      max_score: the highest score of the detector's target class (`Detector.target`) anywhere in
        the image, also below the storing threshold: all that a verdict needs. 0.0 if the detector
        had nothing to score.
    """

    boxes: np.ndarray[Any, Any]
    scores: np.ndarray[Any, Any]
    classes: np.ndarray[Any, Any]
    max_score: float

    def __len__(self) -> int:
        return len(self.scores)
