"""A perceptual hash: 256 bits that stay nearly the same when an image is made anew.

The signs of the 16×16 lowest waves (DCT-II) of an image's light, as in pHash; but the flat ones are
left out, which go along an edge alone and are the same in most photographs. A wave is compared with
the median of all, so that half of the bits are set whatever the light.

Computed from every second pixel of every second row, green alone: that is a quarter of the pixels,
and no wave that is used is shorter than 29 pixels in an image of 500. It depends on how an image is
decoded, so the version of the hash names that too.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CODE_WORDS", "HASH_VERSION", "RADIUS", "code_of"]

#: Which hash this is, and of which pixels: codes of different versions are not to be compared.
HASH_VERSION = "pass-dct256-1 (libjpeg-turbo, full size, EXIF applied, green of every second pixel)"
#: Words of 64 bits of a code.
CODE_WORDS = 4
#: Codes that differ in so many bits may be of one photograph: PDQ's threshold, of which chance
#: reaches 10^-24 pairs among 1.44 million codes.
RADIUS = 31

#: The lowest waves that are used, in each direction.
_WAVES = 16
#: Pixels that the shortest wave needs.
_LEAST_SIDE = 2 * _WAVES
#: Levels that waves have, as root of the mean square, at least: those of photographs have 0.1 to 3.
_LEAST_WAVE = 0.01


def code_of(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64] | None:
    """The code of an image.

    Args:
      pixels: H×W×3 uint8 in BGR order.

    Returns:
      4 uint64; neighbouring waves are in different words. None for an image that is too small, or
      so even that its bits would be those of its noise.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        return None
    step_y, step_x = _step(height), _step(width)
    # Brought together first: to turn bytes that lie apart into floats takes half as long again.
    green = np.ascontiguousarray(pixels[step_y // 2 :: step_y, step_x // 2 :: step_x, 1])
    light = green.astype(np.float32)
    waves = _cosines(light.shape[0]) @ light @ _cosines(light.shape[1]).T
    flat = waves.ravel()
    if math.sqrt(flat @ flat / flat.size) < _LEAST_WAVE * light.size:
        return None
    above = flat > _median(flat)
    # Each word gets every fourth bit: so what differs is spread over all words.
    words = np.ascontiguousarray(above.reshape(-1, CODE_WORDS).T)
    return np.packbits(words, axis=1).view(">u8").ravel().astype(np.uint64)


def _median(values: npt.NDArray[np.float32]) -> Any:
    """The middle of an even number of values."""
    half = len(values) // 2
    parted = np.partition(values, half)
    return (parted[:half].max() + parted[half]) / 2


def _step(length: int) -> int:
    """Every so many-th pixel is taken: 128 at least, where there are so many."""
    return max(1, min(length // 128, 2)) if length < 1024 else length // 512


@functools.lru_cache(maxsize=256)
def _cosines(length: int) -> npt.NDArray[np.float32]:
    """Waves of 1 to 16 half periods over so many samples; a row each."""
    places = (np.arange(length) + 0.5) / length
    waves = np.cos(np.pi * np.outer(np.arange(1, _WAVES + 1), places))
    return waves.astype(np.float32)
