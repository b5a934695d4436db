"""Headers of JPEG files, byte by byte."""

from __future__ import annotations

import struct
from typing import Literal

__all__ = ["exif", "jpeg", "segment"]


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def exif(
    make: str | None = None, model: str | None = None, order: Literal["<", ">"] = "<"
) -> bytes:
    """EXIF data with a directory of maker and model, from the byte order mark on."""
    texts = [(tag, text.encode() + b"\0") for tag, text in ((0x10F, make), (0x110, model)) if text]
    at = 8 + 2 + 12 * len(texts) + 4
    entries, tail = b"", b""
    for tag, text in texts:
        if len(text) <= 4:
            entries += struct.pack(order + "HHI", tag, 2, len(text)) + text.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "HHII", tag, 2, len(text), at + len(tail))
            tail += text
    mark = b"II" if order == "<" else b"MM"
    start = mark + struct.pack(order + "HIH", 42, 8, len(texts))
    return start + entries + bytes(4) + tail


def jpeg(
    width: int,
    height: int,
    *,
    components: int = 3,
    tiff: bytes | None = None,
    before: bytes = b"",
    end: bytes = b"\xff\xd9",
) -> bytes:
    """All of a JPEG but its pixels.

    Args:
      tiff: EXIF data.
      before: segments before the frame header.
      end: what comes after the scan's header.
    """
    app1 = b"" if tiff is None else segment(0xE1, b"Exif\0\0" + tiff)
    frame = struct.pack(">BHHB", 8, height, width, components) + bytes(3 * components)
    scan = segment(0xDA, bytes(6))
    return b"\xff\xd8" + app1 + before + segment(0xC0, frame) + scan + end
