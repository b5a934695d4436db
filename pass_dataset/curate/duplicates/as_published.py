"""The rule of the tool that the paper used, for comparison: "Find Identical Images" of June 2021.

Two images are identical to it that have the same size and the same first channel at a grid of 15×15
points (https://github.com/ox-vgg/fii, `FII_IMG_FEATURE_LOC_SCALE` in ``src/fii.h``). That it also
compared the number of channels, and did not turn images as their EXIF says, is left out here.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

__all__ = ["grid_digest"]

#: Where the points are, of the width and of the height; single precision, as there.
_PLACES = np.array(
    [0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9], np.float32
)
_RED = 2  # of BGR: the first channel there


def grid_digest(pixels: npt.NDArray[np.uint8]) -> bytes:
    """What all images have in common that are identical by that rule: XXH3-128.

    Args:
      pixels: H×W×3 uint8 in BGR order.
    """
    height, width = pixels.shape[:2]
    points = pixels.reshape(-1).take(_points(height, width))
    digest: bytes = xxhash.xxh3_128_digest(b"%dx%d " % (height, width) + points.tobytes())
    return digest


@functools.lru_cache(maxsize=64)
def _points(height: int, width: int) -> npt.NDArray[Any]:
    """Where the points' first channels are among all values of an image."""
    points: npt.NDArray[Any] = (_places(height)[:, None] * width + _places(width)) * 3 + _RED
    return points


def _places(length: int) -> npt.NDArray[Any]:
    places: npt.NDArray[Any] = (np.float32(length) * _PLACES).astype(np.int64)
    return places
