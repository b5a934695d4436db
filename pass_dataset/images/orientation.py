"""Which way up an image is: the orientation that its EXIF data state."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pass_dataset.images.exif import first_directory

__all__ = ["UPRIGHT", "Turn", "exif_orientation", "turn", "turn_of"]

#: EXIF 2.3, tag 0x0112: the first row is the top, the first column the left side.
UPRIGHT = 1

_ORIENTATION_TAG = 0x0112
#: Texts that may stand before the orientation: description, make and model of the camera.
_TEXT_TAGS = (0x010E, 0x010F, 0x0110)
_TAGS = (*_TEXT_TAGS, _ORIENTATION_TAG)


def exif_orientation(tiff: bytes) -> int:
    """The orientation, 1 to 8, that EXIF data state; 1 where they state none.

    Reads what OpenCV's `imread` reads, which turned the images that the published code saw: the
    value as 16 bits whatever its type, the first directory only, nothing after a text that points
    outside the data. XMP is not asked. Pillow differs in all of these.

    Args:
      tiff: the data from the byte order mark on.
    """
    for entry in first_directory(tiff, _TAGS):
        if entry.tag == _ORIENTATION_TAG:
            return entry.number if 1 <= entry.number <= 8 else UPRIGHT
        if entry.text_end > len(tiff):
            return UPRIGHT
    return UPRIGHT


class Turn(NamedTuple):
    """What makes an image upright, in this order.

    Attributes:
      swaps_sides: rows become columns.
      mirrors_rows: the last row becomes the first.
      mirrors_columns: the last column becomes the first.
    """

    swaps_sides: bool
    mirrors_rows: bool
    mirrors_columns: bool


def turn_of(orientation: int) -> Turn:
    """What is to be done with an image of an orientation, 1 to 8."""
    return Turn(
        swaps_sides=orientation >= 5,
        mirrors_rows=orientation in (3, 4, 7, 8),
        mirrors_columns=orientation in (2, 3, 6, 7),
    )


def turn(pixels: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """The pixels as they are meant to be seen.

    Args:
      pixels: H×W×C.
      orientation: 1 to 8; 5 to 8 swap height and width.
    """
    if orientation == UPRIGHT:
        return pixels
    wanted = turn_of(orientation)
    if wanted.swaps_sides:
        pixels = pixels.transpose(1, 0, 2)
    if wanted.mirrors_rows:
        pixels = pixels[::-1]
    if wanted.mirrors_columns:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
