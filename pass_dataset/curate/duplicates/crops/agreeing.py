"""Whether two images show the same where one lies in the other: pixels compared, in cells."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pass_dataset.curate.duplicates.crops.placing import Placing, Sight, place

__all__ = ["Agreement", "agree", "agreement_of"]

#: Side of a cell, in pixels of the smaller picture.
_CELL = 24
#: Pixels by which both are blurred, as nothing is placed to the pixel.
_BLUR = 1.5
#: Levels by which a cell varies, in one of the images, to be asked: of an even sky all is alike.
_VARIES = 4.0
#: Correlation of cells that agree.
_ALIKE = 0.8
#: Cells that are asked, at least.
_LEAST_CELLS = 8
#: Share of them that agrees, at least. Of parts of photographs, and of turned ones, 0.91 and more
#: agree; of two things photographed upon one floor from one place, 0.49: the floor. What lies over
#: a photograph hides some, and what hides a fifth is not told from another thing upon that floor.
_LEAST_SHARE = 0.8
#: Of the smaller image, how much lies in the other.
_LEAST_WITHIN = 0.5
#: Scales at which nothing can be told.
_LEAST_SCALE = 1 / 16
#: Scales from which on an image is not made smaller first.
_NEARLY = 0.9

_Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """What was found of two images.

    Attributes:
      points: that tell how one lies in the other.
      within: share of the smaller image that lies in the other.
      cells: how many were asked.
      share: of them, how many agree.
    """

    points: int
    within: float
    cells: int
    share: float

    @property
    def is_enough(self) -> bool:
        """Whether one is a part of the other, turned, or with something over it."""
        return (
            self.within >= _LEAST_WITHIN
            and self.cells >= _LEAST_CELLS
            and self.share >= _LEAST_SHARE
        )


def agree(first: Sight, second: Sight) -> bool:
    """Whether one image lies in the other, and shows the same there."""
    found = agreement_of(first, second)
    return found is not None and found.is_enough


def agreement_of(first: Sight, second: Sight) -> Agreement | None:
    """How well two images agree; None: it is not known how one lies in the other."""
    placing = place(first, second)
    if placing is None:
        return None
    # The one with more pixels of a thing is made smaller: nothing is made up.
    if placing.scale > 1:
        first, second, placing = second, first, placing.reversed()
    if placing.scale < _LEAST_SCALE:
        return None
    laid, is_there = _laid(first.grey, placing, second.grey.shape)
    within = is_there.sum() / min(first.grey.size * placing.scale**2, second.grey.size)
    asked, share = _compared(laid, second.grey, is_there)
    return Agreement(placing.points, float(within), asked, share)


def _laid(
    grey: npt.NDArray[np.uint8], placing: Placing, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """An image laid over another's pixels, and where it is."""
    size = shape[1], shape[0]
    matrix = placing.matrix
    smaller, across, down = _shrunk(grey, placing.scale)
    # From pixels of the smaller one, whose middles are at whole numbers, to those of the image.
    back = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])
    matrix = matrix @ back
    laid = cv2.warpAffine(smaller, matrix, size, flags=cv2.INTER_LINEAR)
    full = np.full(smaller.shape, 255, np.uint8)
    is_there = cv2.warpAffine(full, matrix, size, flags=cv2.INTER_NEAREST) == 255
    return np.asarray(laid), is_there


def _shrunk(
    grey: npt.NDArray[np.uint8], scale: float
) -> tuple[npt.NDArray[np.uint8], float, float]:
    """An image in the other's scale, by averages, and how many of its pixels each is."""
    height, width = grey.shape
    size = max(2, round(width * scale)), max(2, round(height * scale))
    if scale > _NEARLY:
        return grey, 1.0, 1.0
    smaller = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
    return smaller, width / size[0], height / size[1]


def _compared(
    laid: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8], is_there: npt.NDArray[np.bool_]
) -> tuple[int, float]:
    """How many cells were asked, and the share of them that agrees."""
    # Beside its edge, what is laid over is mixed with nothing.
    inner = cv2.erode(is_there.astype(np.uint8), np.ones((5, 5), np.uint8))
    whole = _cells(inner.astype(np.float32)).min(1, initial=1) > 0
    left, right = (_cells(_blurred(one))[whole] for one in (laid, grey))
    left, right = (one - one.mean(1, keepdims=True) for one in (left, right))
    deviations = left.std(1), right.std(1)
    asked = np.maximum(*deviations) >= _VARIES
    if not asked.any():
        return 0, 0.0
    product = (left * right).mean(1)[asked]
    # Where one of them is even, they do not agree.
    alike = product / np.maximum(deviations[0] * deviations[1], _VARIES)[asked] >= _ALIKE
    return int(asked.sum()), float(alike.mean())


def _blurred(grey: npt.NDArray[np.uint8]) -> _Values:
    found: _Values = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _BLUR)
    return found


def _cells(values: _Values) -> _Values:
    """The pixels of each whole cell, a row each."""
    down, across = values.shape[0] // _CELL, values.shape[1] // _CELL
    cut = values[: down * _CELL, : across * _CELL]
    cells = cut.reshape(down, _CELL, across, _CELL).swapaxes(1, 2)
    found: _Values = cells.reshape(down * across, _CELL * _CELL)
    return found
