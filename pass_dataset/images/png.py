"""PNG files: the frame, the orientation, and a stream that holds nothing else.

Transparency goes too: OpenCV drops it, leaving the colours that were stored.
"""

from __future__ import annotations

import zlib

from pass_dataset.images.frames import Frame
from pass_dataset.images.orientation import UPRIGHT, exif_orientation
from pass_dataset.images.outcomes import BadImageError

__all__ = ["SIGNATURE", "read_png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


def read_png(data: bytes) -> Frame:
    """Size and orientation of a PNG file, and a stream without its metadata.

    Raises:
      BadImageError: truncated or damaged.
    """
    size: tuple[int, int] | None = None
    orientation = UPRIGHT
    kept = [SIGNATURE]
    position = len(SIGNATURE)
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        content = position + 8
        end = content + length + 4
        if len(kind) < 4:
            raise BadImageError("truncated", "PNG without its end", *(size or ()))
        if not kind.isalpha():
            raise BadImageError("damaged", f"PNG with a chunk named {kind!r}", *(size or ()))
        if end > len(data):
            raise BadImageError("truncated", "PNG without its end", *(size or ()))
        if size is None:
            if kind != b"IHDR" or length != 13:
                raise BadImageError("damaged", "PNG that does not begin with its header")
            size = _header_size(data[content : content + 8])
        if kind in _KEPT:
            stated = int.from_bytes(data[end - 4 : end], "big")
            if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != stated:
                name = kind.decode()
                raise BadImageError("damaged", f"PNG with a wrong checksum of {name}", *size)
            kept.append(data[position:end])
        elif kind == b"eXIf":
            orientation = exif_orientation(data[content : end - 4])
        if kind == b"IEND":
            return Frame("PNG", *size, orientation, b"".join(kept))
        position = end


def _header_size(header: bytes) -> tuple[int, int]:
    width = int.from_bytes(header[:4], "big")
    height = int.from_bytes(header[4:], "big")
    if not (width and height):
        raise BadImageError("damaged", f"PNG of {width}×{height} pixels", width, height)
    return width, height
