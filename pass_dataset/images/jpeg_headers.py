"""The headers of a JPEG file: its marker segments, up to the coded data.

Walking them takes some microseconds, needs no decoder, and only the first few kilobytes of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pass_dataset.errors import ImageError

__all__ = ["APP0", "APP1", "FRAMES", "SOS", "JpegHeaderError", "Segment", "frame_size", "segments"]

# Markers of ITU-T T.81, table B.1, by their second byte.
_SOI, _EOI, SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
APP0, APP1 = 0xE0, 0xE1
_RESTARTS = range(0xD0, 0xD8)
#: Frame headers; C4, C8 and CC among them mean other things.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


#: A marker may have any number of these before it.
_FILL = re.compile(rb"\xff+")


class JpegHeaderError(ImageError):
    """Headers that contradict the format, or bytes that end within them.

    Attributes:
      is_truncated: the bytes end; with more of the file there may be no error.
    """

    def __init__(self, message: str, *, is_truncated: bool = False) -> None:
        super().__init__(message)
        self.is_truncated = is_truncated


class Segment(NamedTuple):
    """A marker segment.

    Attributes:
      marker: its second byte.
      start, end: of its content, after the two bytes of its length, in the file.
    """

    marker: int
    start: int
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """Marker segments after the start of the image, up to the first scan's header, the last given.

    Markers without content, and bytes that are no marker, are passed over, as libjpeg does.

    Args:
      data: the file, or its beginning, from ``FF D8`` on.

    Raises:
      JpegHeaderError: the bytes end before the scan, or contradict the format.
    """
    position = 2
    while True:
        marker, start = _next_marker(data, position)
        if marker in _RESTARTS or marker == _TEM:
            position = start
            continue
        if marker in (_SOI, _EOI):
            raise JpegHeaderError(f"JPEG with marker FF{marker:02X} before any scan")
        length = int.from_bytes(data[start : start + 2], "big")
        position = start + length
        if position > len(data) or start + 2 > len(data):
            raise JpegHeaderError("JPEG that ends within its headers", is_truncated=True)
        if length < 2:
            raise JpegHeaderError(f"JPEG with a segment FF{marker:02X} of no length")
        yield Segment(marker, start + 2, position)
        if marker == SOS:
            return


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """The next marker and where its length stands."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise JpegHeaderError("JPEG that ends before any scan", is_truncated=True)
        fill = _FILL.match(data, position)
        assert fill is not None
        position = fill.end()
        if position >= len(data):
            raise JpegHeaderError("JPEG that ends before any scan", is_truncated=True)
        if data[position] != 0:
            return data[position], position + 1
        position += 1


def frame_size(header: bytes) -> tuple[int, int]:
    """Width and height that a frame header states, in pixels as stored.

    Raises:
      JpegHeaderError: the header is too short, or a side is zero.
    """
    if len(header) < 6:
        raise JpegHeaderError("JPEG with a frame header that is too short")
    height = int.from_bytes(header[1:3], "big")
    width = int.from_bytes(header[3:5], "big")
    if not (width and height):
        raise JpegHeaderError(f"JPEG of {width}×{height} pixels")
    return width, height
