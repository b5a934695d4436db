"""Where one image lies in another: found by points that both have, as similarity of the plane.

Points and what surrounds them by SIFT (Lowe, 2004) as OpenCV has it, with Hellinger's distance
(Arandjelović and Zisserman, 2012); of the pairs of points that fit best, a similarity (turned,
scaled, moved) that most agree with, by RANSAC.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_POINTS", "Placing", "Sight", "place", "sight_of"]

#: Pixels of an image's longer side: of larger ones, points are looked for in it made smaller.
_SIDE = 512
#: Points of an image.
_POINTS = 600
#: Of the nearest point and the next, how far the nearest is at most (Lowe: 0.8).
_RATIO = 0.8
#: Pixels that points may lie from where the similarity puts them.
_OFF = 3.0
#: Points that a similarity is told by, at least. See `agreeing` for what was measured.
LEAST_POINTS = 8
_TRIES = 1000
_SURE = 0.99

_Grey = npt.NDArray[np.uint8]
_Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """What is asked of an image to compare it.

    Attributes:
      grey: H×W uint8, the longer side at most 512.
      points: N×2 float32, x and y.
      features: N×128 uint8, what surrounds each.
    """

    grey: _Grey
    points: npt.NDArray[np.float32]
    features: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Placing:
    """How one image lies in another.

    Attributes:
      matrix: 2×3, from pixels of the first image to those of the second.
      points: how many tell it.
    """

    matrix: _Matrix
    points: int

    @property
    def scale(self) -> float:
        """Pixels of the second image for one of the first."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    def reversed(self) -> Placing:
        """From the second image to the first."""
        return Placing(np.asarray(cv2.invertAffineTransform(self.matrix)), self.points)


def sight_of(pixels: npt.NDArray[np.uint8]) -> Sight:
    """An image, ready to be compared.

    Args:
      pixels: H×W×3 uint8 in BGR order.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    part = _SIDE / max(height, width)
    if part < 1:
        size = max(1, round(width * part)), max(1, round(height * part))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    points, features = cv2.SIFT.create(nfeatures=_POINTS).detectAndCompute(grey, None)
    if features is None:
        features = np.zeros((0, 128), np.float32)
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    # SIFT's numbers are whole, and under 256.
    return Sight(grey, places, features.astype(np.uint8))


def place(first: Sight, second: Sight) -> Placing | None:
    """How the first image lies in the second; None: too few points tell."""
    left, right = _common(first, second)
    if len(left) < LEAST_POINTS:
        return None
    matrix, fits = cv2.estimateAffinePartial2D(
        first.points[left],
        second.points[right],
        method=cv2.RANSAC,
        ransacReprojThreshold=_OFF,
        maxIters=_TRIES,
        confidence=_SURE,
    )
    if matrix is None or int(fits.sum()) < LEAST_POINTS:
        return None
    return Placing(matrix, int(fits.sum()))


def _common(first: Sight, second: Sight) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Points that are each other's nearest, and much nearer than the next."""
    nothing = np.zeros(0, np.int64)
    if min(len(first.points), len(second.points)) < 2:
        return nothing, nothing
    alike = _roots(first) @ _roots(second).T
    two = np.argpartition(-alike, 1, axis=1)[:, :2]
    values = np.take_along_axis(alike, two, 1)
    swapped = values[:, 0] < values[:, 1]
    two[swapped], values[swapped] = two[swapped, ::-1], values[swapped, ::-1]
    away = np.sqrt(np.maximum(2 - 2 * values, 0))
    good = away[:, 0] < _RATIO * away[:, 1]
    good &= alike.argmax(0)[two[:, 0]] == np.arange(len(two))
    left = np.flatnonzero(good)
    return left, two[left, 0]


def _roots(sight: Sight) -> npt.NDArray[np.float32]:
    values = sight.features.astype(np.float32)
    values /= np.maximum(values.sum(1, keepdims=True), 1)
    roots: npt.NDArray[np.float32] = np.sqrt(values)
    return roots
