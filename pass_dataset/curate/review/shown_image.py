"""An image as browsers show it: as it is where they know its format, else as JPEG."""

from __future__ import annotations

import io

from pass_dataset.errors import ImageError
from pass_dataset.extras import require
from pass_dataset.images.containers import read_frame
from pass_dataset.images.decoding import decode
from pass_dataset.images.frames import Frame
from pass_dataset.images.outcomes import BadImageError

__all__ = ["for_browser"]

_KNOWN = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}


def for_browser(data: bytes) -> tuple[bytes, str]:
    """An image's bytes and their type.

    Raises:
      ImageError: it cannot be decoded.
      MissingExtraError: Pillow is not installed.
    """
    try:
        frame = read_frame(data)
    except BadImageError as error:
        raise ImageError(str(error)) from error
    if isinstance(frame, Frame) and frame.format in _KNOWN and frame.channels != 4:
        return data, _KNOWN[frame.format]
    decoded = decode(data)
    if decoded.pixels is None:
        raise ImageError(decoded.message)
    require("PIL", feature="Reviewing images", extra="review")
    from PIL import Image

    height, width = decoded.pixels.shape[:2]
    image = Image.frombytes("RGB", (width, height), decoded.pixels.tobytes(), "raw", "BGR")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue(), "image/jpeg"
