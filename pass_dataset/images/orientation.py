"""Which way up an image is: the orientation that its EXIF data state."""

from __future__ import annotations

from typing import Any

import numpy as np

from pass_dataset.images.exif import first_directory

__all__ = ["UPRIGHT", "exif_orientation", "turn"]

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


def turn(pixels: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """The pixels as they are meant to be seen.

    Args:
      pixels: H×W×C.
      orientation: 1 to 8; 5 to 8 swap height and width.
    """
    if orientation == UPRIGHT:
        return pixels
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    # What is left is a mirroring of rows, of columns, or of both.
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
