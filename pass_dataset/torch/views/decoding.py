"""From an image file's bytes to pixels, at no larger a size than its views need.

A JPEG's size and orientation are in its headers, so the boxes of the views are known before
anything is decoded. Where all of them are large, libjpeg-turbo decodes to a half, a quarter or an
eighth, by leaving out frequencies: of photographs from cameras, not of PASS's.

simplejpeg is faster than Pillow and has its pixels. What it objects to is Pillow's, which also
finds out what is wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pass_dataset.images.decoding import installed_simplejpeg
from pass_dataset.images.exif import EXIF_START
from pass_dataset.images.jpeg_headers import (
    APP1,
    FRAMES,
    JpegHeaderError,
    frame_size,
    segments,
)
from pass_dataset.images.orientation import UPRIGHT, exif_orientation, turn
from pass_dataset.torch.images import Decoder
from pass_dataset.torch.views.operations import Pixels

__all__ = ["REDUCTIONS", "JpegFacts", "decode", "jpeg_facts"]

#: What JPEG can be reduced by while it is decoded.
REDUCTIONS = (8, 4, 2)
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
#: Larger ones are left to Pillow, which has a limit against files that claim too much.
_MAX_PIXELS = 1 << 26


class JpegFacts(NamedTuple):
    """What a JPEG's headers say.

    Attributes:
      width, height: in pixels, as it is to be seen.
      orientation: 1 to 8, what its EXIF data state.
      is_plain: greys or colours in three channels, of a size that is decoded here.
      is_whole: it ends as a JPEG does; one that was cut off does not, nor one with bytes behind it.
    """

    width: int
    height: int
    orientation: int
    is_plain: bool
    is_whole: bool


def jpeg_facts(data: bytes, *, upright: bool) -> JpegFacts | None:
    """What the headers say; None if this is no JPEG, or one that Pillow should look into.

    Args:
      data: the file.
      upright: it is to be seen as its EXIF data say.
    """
    if not data.startswith(_SOI):
        return None
    orientation = UPRIGHT
    try:
        for marker, start, end in segments(data):
            if marker == APP1 and upright and data.startswith(EXIF_START, start):
                orientation = exif_orientation(data[start + len(EXIF_START) : end])
                upright = False  # the first says it
            elif marker in FRAMES:
                header = data[start:end]
                width, height = frame_size(header)
                is_plain = header[5] in (1, 3) and width * height <= _MAX_PIXELS
                if orientation >= 5:
                    width, height = height, width
                return JpegFacts(width, height, orientation, is_plain, data.endswith(_EOI))
    except JpegHeaderError:
        pass
    return None


def decode(data: bytes, facts: JpegFacts | None, reduction: int, *, upright: bool) -> Pixels:
    """The pixels, H×W×3 uint8, RGB.

    Args:
      data: the file.
      facts: of it; None if they are not known.
      reduction: 1, or one of `REDUCTIONS`, by which sides are divided, rounded up.
      upright: turned as its EXIF data say.

    Raises:
      Exception: it cannot be decoded; Pillow has no base class for what is wrong with a file.
    """
    if facts is not None and facts.is_plain and (simplejpeg := installed_simplejpeg()) is not None:
        least = (facts.height, facts.width)
        if facts.orientation >= 5:
            least = (facts.width, facts.height)
        # It takes the smallest size that is not below this.
        least_height, least_width = (-(-side // reduction) for side in least)
        try:
            pixels = simplejpeg.decode_jpeg(
                data, "RGB", min_height=least_height, min_width=least_width
            )
        except ValueError:
            pass
        else:
            return turn(pixels, facts.orientation)
    min_side_px = None
    if facts is not None and reduction > 1:
        min_side_px = max(1, min(facts.width, facts.height) // reduction)
    image = Decoder("pil", min_side_px, upright)(data)
    return np.array(image)
