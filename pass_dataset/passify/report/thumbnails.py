"""An image made small, with what was found in it blurred beyond recognition.

What is under a box is replaced by a few averages of its colours, and these are drawn smoothly. No
filter brings back what is no longer in the data, which cannot be said of a Gaussian blur alone.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pass_dataset.extras import require
from pass_dataset.pages.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["CELLS", "Area", "make_thumbnail", "pixel_area"]

#: Averages along the longer side of an area that is blurred. A person knows faces from 16 averages
#: across (L. D. Harmon: The recognition of faces, Scientific American 229, 1973); here are 4.
CELLS = 4
#: Of an area's size, blurred around it: boxes of faces end at forehead and chin.
_MARGIN = 0.15
#: Longer side in pixels; shown at half of it, which is sharp on dense displays.
_THUMBNAIL_PX = 440
_QUALITY = 78


class Area(NamedTuple):
    """A part of an image: ``left <= x < right`` and ``top <= y < bottom``, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int


def pixel_area(
    box: Sequence[float], width: int, height: int, margin: float = _MARGIN
) -> Area | None:
    """The pixels under a box with a margin around it, within the image.

    Args:
      box: ``x1, y1, x2, y2`` in pixels; may reach over the edges.
      width, height: of the image.
      margin: of the box's size, on each side.

    Returns:
      None where nothing of it lies in the image, or it is no box: NaN, or turned around.
    """
    x1, y1, x2, y2 = box
    if not (x1 <= x2 and y1 <= y2):
        return None
    more_x, more_y = margin * (x2 - x1), margin * (y2 - y1)
    left, right = _within(x1 - more_x, width), _within(x2 + more_x, width, up=True)
    top, bottom = _within(y1 - more_y, height), _within(y2 + more_y, height, up=True)
    return Area(left, top, right, bottom) if left < right and top < bottom else None


def _within(value: float, limit: int, *, up: bool = False) -> int:
    value = min(max(value, 0.0), float(limit))  # first, as infinity has no integer
    return math.ceil(value) if up else math.floor(value)


def make_thumbnail(
    pixels: np.ndarray[Any, Any],
    blurred: Sequence[Sequence[float]] = (),
    *,
    blur_all: bool = False,
) -> Picture:
    """A JPEG without anything of the original but its small picture.

    Args:
      pixels: H×W×3 uint8, colours in BGR order.
      blurred: boxes, ``x1, y1, x2, y2`` in pixels of the image, that are not to be recognised.
      blur_all: nothing in the image is to be recognised.

    Raises:
      MissingExtraError: Pillow is not installed.
    """
    require("PIL", feature="The report's pictures", extra="passify")
    from PIL import Image

    image = Image.frombytes(
        "RGB", (pixels.shape[1], pixels.shape[0]), pixels.tobytes(), "raw", "BGR"
    )
    areas = [pixel_area(box, image.width, image.height) for box in blurred]
    if blur_all:
        areas = [Area(0, 0, image.width, image.height)]
    # Before it gets smaller: afterwards a small face's neighbours would be part of its averages,
    # and it of theirs.
    for area in areas:
        if area is not None:
            image.paste(_averages(image.crop(area)), area)
    image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return Picture("image/jpeg", buffer.getvalue(), image.size)


def _averages(part: Image.Image) -> Image.Image:
    """The same part, of which only averages of at most `CELLS` × `CELLS` cells are left."""
    from PIL import Image

    scale = CELLS / max(part.size)
    cells = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    few = part.resize(cells, Image.Resampling.BOX)
    return few.resize(part.size, Image.Resampling.BICUBIC)
