"""A perceptual hash: 256 bits that stay nearly the same when an image is made anew.

The signs of the 16×16 lowest waves (DCT-II) of an image's light, as in pHash; but the flat ones are
left out, which go along an edge alone and are the same in most photographs. A wave is compared with
the median of all, so that half of the bits are set whatever the light.

Computed from every third pixel of every third row, green alone, of smaller images from more of them
(see `_step`): no wave that is used is shorter than 46 pixels in an image of 500×375. It depends on
how an image is decoded, so the version of the hash names that too.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

__all__ = ["CODE_WORDS", "HASH_VERSION", "RADIUS", "code_of"]

#: Which hash this is, and of which pixels: codes of different versions are not to be compared.
HASH_VERSION = "pass-dct256-2 (libjpeg-turbo, full size, EXIF applied, green of every third pixel)"
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
    # Copied first: to turn bytes that lie apart into floats takes half as long again.
    green = pixels[step_y // 2 :: step_y, step_x // 2 :: step_x, 1].copy()
    light = green.astype(np.float32)
    downwards = _cosines(light.shape[0]).dot(light)
    waves = _cosines(light.shape[1]).dot(downwards.T).ravel()
    if math.sqrt(waves.dot(waves) / waves.size) < _LEAST_WAVE * light.size:
        return None
    ordered = waves.copy()
    ordered.sort()
    # The upper half is set, whatever the light.
    return np.packbits(waves >= ordered[waves.size // 2]).view(np.uint64)


def _step(length: int) -> int:
    """Every so many-th pixel is taken: of 120 pixels or more 120 are, at least."""
    return max(1, min(length // 120, 3), length // 512)


@functools.lru_cache(maxsize=256)
def _cosines(length: int) -> npt.NDArray[np.float32]:
    """Waves of 1 to 16 half periods over so many samples; a row each.

    Every fourth comes first, from the longest on: so waves that are neighbours across are in
    different words of a code, and what differs is spread over all of them.
    """
    halves = np.arange(1, _WAVES + 1).reshape(-1, CODE_WORDS).T.ravel()
    places = (np.arange(length) + 0.5) / length
    return np.cos(np.pi * np.outer(halves, places)).astype(np.float32)
