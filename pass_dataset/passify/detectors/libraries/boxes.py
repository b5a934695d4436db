"""What a library's model finds, as `Detections`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from pass_dataset.passify.detectors.detections import Detections

__all__ = ["STORE_THRESHOLD", "as_detections"]

#: Boxes of lower scores are not stored.
STORE_THRESHOLD = 0.05


def as_detections(boxes: Any, scores: Any, labels: Any, people: Collection[int]) -> Detections:
    """The boxes of one image, best first.

    Args:
      boxes, scores, labels: tensors, N×4, N and N, in any order.
      people: labels of people.
    """
    all_scores = scores.detach().float().cpu().numpy()
    all_labels = labels.cpu().numpy().astype(np.int64)
    all_boxes = boxes.detach().float().cpu().numpy().reshape(-1, 4)
    of_people = all_scores[np.isin(all_labels, list(people))]
    order = np.argsort(-all_scores, kind="stable")
    order = order[all_scores[order] > STORE_THRESHOLD]
    return Detections(
        boxes=all_boxes[order],
        scores=all_scores[order],
        classes=all_labels[order],
        max_score=float(of_people.max()) if len(of_people) else 0.0,
    )
