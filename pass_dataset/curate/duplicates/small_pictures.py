"""Small pictures of images, by which near pairs are confirmed: made when they are asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.images.decoding import decode
from pass_dataset.workers.threads import in_threads

__all__ = ["AGREEMENT", "Pictures", "agreement", "small_picture"]

#: Side of a small picture, in cells.
_SIDE = 32
#: Correlation of the light of small pictures, from which on two images agree. Of photographs made
#: anew all are over 0.97, of different ones whose codes are near by chance none is known.
AGREEMENT = 0.9
#: A correlation of pictures that hardly vary is one of noise.
_LEAST_DEVIATION = 1.0
#: Of longer sides not all pixels are taken.
_ENOUGH = 512
#: Multiplications up to which OpenBLAS begins no threads: these would wait for each other, with all
#: cores busy, for longer than such products take, and pictures are made in threads as it is.
_ALONE = 1 << 18


def small_picture(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The light of an image (its green) in 32×32 cells, as a row of length 1 with mean 0.

    Args:
      pixels: H×W×3 uint8 in BGR order.

    Returns:
      1024 float32; zeros where an image is even.
    """
    step_y, step_x = (max(1, length // _ENOUGH) for length in pixels.shape[:2])
    light = pixels[step_y // 2 :: step_y, step_x // 2 :: step_x, 1].copy().astype(np.float32)
    down, across = _averages(light.shape[0]), _averages(light.shape[1])
    cells = np.zeros((_SIDE, _SIDE), np.float32)
    rows = max(1, _ALONE // (_SIDE * light.shape[1]))
    for start in range(0, len(light), rows):
        some = slice(start, start + rows)
        cells += down[:, some].dot(light[some]).dot(across.T)
    cells -= cells.mean()
    if cells.std() < _LEAST_DEVIATION:
        return np.zeros(_SIDE * _SIDE, np.float32)
    row: npt.NDArray[np.float32] = (cells / np.linalg.norm(cells)).ravel()
    return row


@functools.lru_cache(maxsize=256)
def _averages(length: int) -> npt.NDArray[np.float32]:
    """Averages over cells, which may begin and end within a pixel; a row for each cell."""
    edges = np.linspace(0, length, _SIDE + 1)
    pixels = np.arange(length)
    begins = np.maximum(edges[:-1, None], pixels)
    ends = np.minimum(edges[1:, None], pixels + 1)
    parts = np.clip(ends - begins, 0, None)
    shares: npt.NDArray[np.float32] = (parts / parts.sum(1, keepdims=True)).astype(np.float32)
    return shares


def agreement(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Correlations of small pictures, row by row: -1 to 1."""
    found: npt.NDArray[np.float32] = np.einsum("ij,ij->i", left, right)
    return found


class Pictures:
    """Small pictures of some images.

    An image that is not here (one of another set, of which there is a code alone) agrees with all;
    one that can no longer be read agrees with none.
    """

    def __init__(self, numbers: Numbers, read: Callable[[int], bytes | None], own: int) -> None:
        """Makes them.

        Args:
          numbers: of the images, in order.
          read: gives the bytes of one by its place in `numbers`; None: they cannot be had.
          own: images from this number on are of other sets.
        """
        self._numbers = numbers[numbers < own]
        self._own = own
        self._rows = np.zeros((len(self._numbers), _SIDE * _SIDE), np.float16)

        def made(place: int) -> npt.NDArray[np.float32] | None:
            data = read(place)
            pixels = None if data is None else decode(data).pixels
            return None if pixels is None else small_picture(pixels)

        for place, row in enumerate(in_threads(made, range(len(self._numbers)))):
            if row is not None:
                self._rows[place] = row

    def agree(self, left: Numbers, right: Numbers) -> npt.NDArray[np.bool_]:
        """Whether pairs agree."""
        good = np.ones(len(left), bool)
        known = np.flatnonzero((left < self._own) & (right < self._own))
        for start in range(0, len(known), 1 << 14):
            some = known[start : start + (1 << 14)]
            first = np.searchsorted(self._numbers, left[some])
            second = np.searchsorted(self._numbers, right[some])
            rows = self._rows[first].astype(np.float32), self._rows[second].astype(np.float32)
            good[some] = agreement(*rows) >= AGREEMENT
        return good
