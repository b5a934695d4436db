"""Images of more than 8 bits a sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from pass_dataset.images.outcomes import BadImageError

__all__ = ["with_eight_bits"]


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
        raise BadImageError("unsupported", f"{name} of 32 bits a sample", *image.size)
    return image
