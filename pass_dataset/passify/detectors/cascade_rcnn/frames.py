"""Image sizes: as given, as the network sees them, as they are padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "LONGER_SIDE_PX",
    "SHORTER_SIDE_PX",
    "SIZE_DIVISOR",
    "Frame",
    "frame_of",
    "resize",
]

# INPUT.MIN_SIZE_TEST, INPUT.MAX_SIZE_TEST of detectron2's defaults; FPN's size divisibility.
SHORTER_SIDE_PX = 800
LONGER_SIDE_PX = 1333
SIZE_DIVISOR = 32


@dataclass(frozen=True, slots=True)
class Frame:
    """Sizes of an image, height first, in pixels.

    Attributes:
      given: as the detector was given it.
      resized: as the network sees it.
      padded: with zeros below and to the right, for the strides of the network.
    """

    given: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]


def frame_of(height: int, width: int) -> Frame:
    """The sizes of an image of `height` × `width` pixels.

    The shorter side becomes 800 pixels, or less where the longer one would pass 1333, rounded as
    detectron2's `ResizeShortestEdge` does.
    """
    scale = SHORTER_SIDE_PX / min(height, width)
    new_height = float(SHORTER_SIDE_PX) if height < width else scale * height
    new_width = scale * width if height < width else float(SHORTER_SIDE_PX)
    longer = max(new_height, new_width)
    if longer > LONGER_SIDE_PX:
        scale = LONGER_SIDE_PX / longer
        new_height, new_width = new_height * scale, new_width * scale
    # A hair of an image keeps a pixel, where detectron2 would fail.
    resized = max(1, int(new_height + 0.5)), max(1, int(new_width + 0.5))
    return Frame((height, width), resized, (_padded(resized[0]), _padded(resized[1])))


def _padded(size: int) -> int:
    return -(-size // SIZE_DIVISOR) * SIZE_DIVISOR


def resize(image: np.ndarray[Any, Any], frame: Frame) -> np.ndarray[Any, Any]:
    """The image (H×W×3 uint8) as the network sees it: bilinear, by Pillow, as published."""
    if frame.resized == frame.given:
        return np.ascontiguousarray(image)
    from PIL import Image

    height, width = frame.resized
    pixels = Image.fromarray(np.ascontiguousarray(image))
    return np.array(pixels.resize((width, height), Image.Resampling.BILINEAR))
