"""Images of more than 8 bits a sample, and colours of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pass_dataset.images.outcomes import BadImageError

__all__ = ["in_rgb", "with_eight_bits"]


def in_rgb(image: Any) -> Any:
    """An image of Pillow's in mode RGB, of any depth.

    Raises:
      BadImageError: see `with_eight_bits`.
    """
    return image if image.mode == "RGB" else with_eight_bits(image, image.format).convert("RGB")


def with_eight_bits(image: Any, name: str | None) -> Any:
    """A loaded image of Pillow's; one of 16 bits grey as one of 8, by their upper half, as OpenCV
    takes it. Pillow's own conversion makes white of nearly all of it.

    Args:
      image: `PIL.Image.Image`.
      name: of its format, as Pillow has it.

    Raises:
      BadImageError: it has 32 bits a sample, of which nobody says what is white.
    """
    mode = image.mode
    if mode.startswith("I;16") or (mode == "I" and name in ("PNG", "PPM")):
        # Pillow is there, as this is an image of it.
        from PIL import Image

        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if mode in ("I", "F"):
        raise BadImageError("unsupported", f"{name or 'image'} of 32 bits a sample", *image.size)
    return image
