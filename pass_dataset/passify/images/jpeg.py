"""JPEG files: the frame, the orientation, and a stream that holds nothing else.

Walking the markers here rather than in Pillow tells a truncated file from a damaged one whatever
Pillow's global settings are, knows the size before anything is allocated, skips what libjpeg
skips, and keeps Pillow from parsing metadata, about which it warns. It takes some 10 µs a file.
"""

from __future__ import annotations

from pass_dataset.passify.images.frames import Frame
from pass_dataset.passify.images.orientation import UPRIGHT, exif_orientation
from pass_dataset.passify.images.outcomes import BadImageError

__all__ = ["read_jpeg"]

# Markers of ITU-T T.81, table B.1, by their second byte.
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_RESTARTS = range(0xD0, 0xD8)
#: Frame headers; C4, C8 and CC among them mean other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: JFIF and Adobe segments say what the components mean; no other application segment matters.
_DROPPED = (frozenset(range(_APP0, _APP15 + 1)) - {_APP0, _APP14}) | {_COM}
#: APP1 begins with ``Exif\0\0``.
_EXIF_HEADER_BYTES = 6


def read_jpeg(data: bytes) -> Frame:
    """Size and orientation of a JPEG file, and a stream without its metadata.

    Raises:
      BadImageError: truncated or damaged.
    """
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    channels = 0
    exif: bytes | None = None
    position = 2
    while True:
        marker, start = _next_marker(data, position)
        if marker in _RESTARTS or marker == _TEM:
            position = start
            continue
        if marker in (_SOI, _EOI):
            raise BadImageError("damaged", f"JPEG with marker FF{marker:02X} before any scan")
        length = int.from_bytes(data[start : start + 2], "big")
        position = start + length
        if position > len(data):
            raise BadImageError("truncated", "JPEG that ends within its headers", *(size or ()))
        if length < 2:
            raise BadImageError("damaged", f"JPEG with a segment FF{marker:02X} of no length")
        if marker in _FRAMES and size is None:
            header = data[start + 2 : position]
            size, channels = _frame_size(header), header[5]
        if marker == _APP1 and exif is None:
            # OpenCV looks at the first only.
            exif = data[start + 2 + _EXIF_HEADER_BYTES : position]
        if marker not in _DROPPED:
            kept.append(data[start - 2 : position])
        if marker == _SOS:
            break
    if size is None:
        raise BadImageError("damaged", "JPEG with a scan but no frame header")
    # Within coded data FF is followed by 00 or a restart, so this can only be the end marker.
    if data.rfind(b"\xff\xd9", position) < 0:
        raise BadImageError("truncated", "JPEG without an end marker", *size)
    kept.append(data[position:])
    orientation = UPRIGHT if exif is None else exif_orientation(exif)
    return Frame("JPEG", *size, orientation, b"".join(kept), channels)


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """The next marker and where its content starts; bytes that are no marker are passed over."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise BadImageError("truncated", "JPEG that ends before any scan")
        while position < len(data) and data[position] == 0xFF:
            position += 1
        if position >= len(data):
            raise BadImageError("truncated", "JPEG that ends before any scan")
        if data[position] != 0:
            return data[position], position + 1
        position += 1


def _frame_size(header: bytes) -> tuple[int, int]:
    if len(header) < 6:
        raise BadImageError("damaged", "JPEG with a frame header that is too short")
    height = int.from_bytes(header[1:3], "big")
    width = int.from_bytes(header[3:5], "big")
    if not (width and height):
        raise BadImageError("damaged", f"JPEG of {width}×{height} pixels", width, height)
    return width, height
