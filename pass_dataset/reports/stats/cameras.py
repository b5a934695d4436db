"""What an EXIF block says of the camera: maker and model. Nothing else in it is read.

An EXIF block may also have owners' names, serial numbers and positions, which are no figures.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["EXIF_START", "NO_CAMERA", "Camera", "camera_of"]

EXIF_START = b"Exif\0\0"

# EXIF 2.3, tags of the first directory: Make, Model; type 2 is ASCII.
_MAKE, _MODEL, _ASCII = 0x010F, 0x0110, 2
_ENTRY_BYTES = 12
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
    order: Literal["little", "big"] | None = None
    if tiff[:4] == b"II*\0":
        order = "little"
    elif tiff[:4] == b"MM\0*":
        order = "big"
    if order is None:
        return NO_CAMERA
    directory = int.from_bytes(tiff[4:8], order)
    found: dict[int, str | None] = {}
    for index in range(int.from_bytes(tiff[directory : directory + 2], order)):
        start = directory + 2 + index * _ENTRY_BYTES
        entry = tiff[start : start + _ENTRY_BYTES]
        if len(entry) < _ENTRY_BYTES:
            break
        tag = int.from_bytes(entry[:2], order)
        if tag in (_MAKE, _MODEL) and int.from_bytes(entry[2:4], order) == _ASCII:
            size = int.from_bytes(entry[4:8], order)
            at = int.from_bytes(entry[8:12], order)
            found[tag] = _text(entry[8 : 8 + size] if size <= 4 else tiff[at : at + size])
    return Camera(found.get(_MAKE), found.get(_MODEL))


def _text(data: bytes) -> str | None:
    text = data.partition(b"\0")[0].decode("ascii", "replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_MAX_CHARACTERS] or None
