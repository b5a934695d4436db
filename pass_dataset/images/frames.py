"""What the headers of an image file say, known before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Frame"]


@dataclass(frozen=True, slots=True)
class Frame:
    """The first image of a file.

    Attributes:
      format: Pillow's name of the format: ``JPEG``, ``PNG`` …
      width, height: in pixels, as stored: before `orientation` turns it.
      orientation: 1 to 8, as EXIF counts.
      stream: the bytes to decode, stripped of metadata where that was easily done.
      channels: of a JPEG: 1 is grey, 3 are colours, 4 are inks. None of other formats.
      scans: of a JPEG that may have several; 1 of others.
    """

    format: str
    width: int
    height: int
    orientation: int
    stream: bytes
    channels: int | None = None
    scans: int = 1
