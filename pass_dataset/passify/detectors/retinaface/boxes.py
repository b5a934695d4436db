"""From the network's output to scores and boxes, as the published code makes them.

Constants: the published configuration (``cfg_mnet``, ``cfg_re50``) and the published command
(``main_face_detector.py``), which limits the number of boxes neither before nor after NMS.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pass_dataset.passify.detectors.detections import Detections

__all__ = ["STORE_THRESHOLD", "detections", "suppress"]

#: Boxes with a higher score are kept in the result.
STORE_THRESHOLD = 0.02
#: Overlap at which the lower of two boxes goes.
_NMS_IOU = 0.4

_STRIDES = (8, 16, 32)
#: Sides of the square anchors of each stride, in pixels.
_ANCHOR_SIDES = ((16, 32), (64, 128), (256, 512))
#: Factors of what the network says of centres and of sides.
_CENTRE_VARIANCE, _SIDE_VARIANCE = 0.1, 0.2
#: A little less than the logit of `STORE_THRESHOLD`, so that scores need be made of few.
_STORE_LOGIT = float(np.log(STORE_THRESHOLD / (1 - STORE_THRESHOLD))) - 1e-3

Array = np.ndarray[Any, Any]


def detections(levels: Sequence[Array]) -> Detections:
    """Faces of an image.

    Args:
      levels: per stride, float32 10×h×w, as `Network` gives them for one image.
    """
    highest = [float(level[:2].max()) for level in levels]
    boxes, scores = _candidates(levels, [value > _STORE_LOGIT for value in highest])
    kept = suppress(boxes, scores, _NMS_IOU)
    return Detections(
        boxes=boxes[kept],
        scores=scores[kept],
        classes=np.zeros(len(kept), np.int64),
        max_score=float(_scores(np.array([max(highest)]))[0]),
    )


def _scores(logits: Array) -> Array:
    """Softmax over two classes, from the difference of their logits, as float32."""
    return np.exp(-np.logaddexp(0.0, -logits.astype(np.float64))).astype(np.float32)


def _candidates(levels: Sequence[Array], some: Sequence[bool]) -> tuple[Array, Array]:
    """Boxes, float32 n×4 in pixels, and scores, float32 n, of those over the threshold.

    In the published order: by level, row, column, anchor.

    Args:
      levels: the network's output.
      some: whether a level has any.
    """
    if not any(some):
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    parts = []
    for level, stride, sides in itertools.compress(
        zip(levels, _STRIDES, _ANCHOR_SIDES, strict=True), some
    ):
        _, height, width = level.shape
        anchors, places = np.divmod(np.flatnonzero(level[:2] > _STORE_LOGIT), height * width)
        order = np.argsort(2 * places + anchors)
        anchors, places = anchors[order], places[order]
        rows, columns = np.divmod(places, width)
        values = level.reshape(10, -1)
        said = [values[2 + 4 * anchors + i, places] for i in range(4)]
        centres = [(columns + 0.5) * stride, (rows + 0.5) * stride]
        parts.append(np.stack([*centres, np.take(sides, anchors), values[anchors, places], *said]))
    x, y, side, logits, *said = np.concatenate(parts, axis=1)
    scores = _scores(logits)
    x = x + said[0] * _CENTRE_VARIANCE * side
    y = y + said[1] * _CENTRE_VARIANCE * side
    half_width = side * np.exp(said[2] * _SIDE_VARIANCE) / 2
    half_height = side * np.exp(said[3] * _SIDE_VARIANCE) / 2
    edges = [x - half_width, y - half_height, x + half_width, y + half_height]
    boxes = np.stack(edges, axis=1).astype(np.float32)
    over = scores > np.float32(STORE_THRESHOLD)
    return boxes[over], scores[over]


def suppress(boxes: Array, scores: Array, max_iou: float) -> Array:
    """Greedy non-maximum suppression by the published code's rule (``py_cpu_nms``).

    It counts a box's last pixel in: a side is ``x2 - x1 + 1``.

    Args:
      boxes: float32 n×4, ``x1, y1, x2, y2`` in pixels.
      scores: float32 n.
      max_iou: boxes that overlap a better one by more than this go.

    Returns:
      Positions of the boxes that stay, best first.
    """
    # Of equal scores the later comes first, as when an ascending order is read backwards.
    order = np.argsort(scores, kind="stable")[::-1]
    x1, y1, x2, y2 = boxes[order].T
    areas = (x2 - x1 + 1) * (y2 - y1 + 1)
    left = np.arange(len(order))
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        width = np.minimum(x2[best], x2[left]) - np.maximum(x1[best], x1[left]) + 1
        height = np.minimum(y2[best], y2[left]) - np.maximum(y1[best], y1[left]) + 1
        inner = np.maximum(width, 0) * np.maximum(height, 0)
        left = left[inner / (areas[best] + areas[left] - inner) <= max_iou]
    return order[np.array(kept, np.int64)]
