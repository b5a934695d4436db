"""What an EXIF block says of the camera: maker and model. Nothing else in it is read.

An EXIF block may also have owners' names, serial numbers and positions, which are no figures.
"""

from __future__ import annotations

from typing import NamedTuple

from pass_dataset.images.exif import ASCII, first_directory

__all__ = ["NO_CAMERA", "Camera", "camera_of"]

# EXIF 2.3, tags of the first directory.
_MAKE, _MODEL = 0x010F, 0x0110
_MAX_CHARACTERS = 64


class Camera(NamedTuple):
    """A camera.

    Attributes:
      make, model: as the camera wrote them, without what surrounds them; None: not said.
    """

    make: str | None
    model: str | None


NO_CAMERA = Camera(None, None)


def camera_of(tiff: bytes) -> Camera:
    """The camera that EXIF data name; damaged data name none.

    Args:
      tiff: the data from the byte order mark on.
    """
    found = {
        entry.tag: _text(tiff[entry.text_start : entry.text_end])
        for entry in first_directory(tiff, (_MAKE, _MODEL))
        if entry.type == ASCII
    }
    return Camera(found.get(_MAKE), found.get(_MODEL))


def _text(data: bytes) -> str | None:
    text = data.partition(b"\0")[0].decode("ascii", "replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_MAX_CHARACTERS] or None
