"""Pictures within the pages that this package writes."""

from __future__ import annotations

import base64
from dataclasses import dataclass

__all__ = ["Picture"]


@dataclass(frozen=True)
class Picture:
    """An encoded image.

    Attributes:
      mime_type: ``image/webp`` or ``image/jpeg``.
      data: the file's bytes.
      size_px: width and height.
    """

    mime_type: str
    data: bytes
    size_px: tuple[int, int]

    @property
    def address(self) -> str:
        """The whole image as an address, ``data:…``."""
        return f"data:{self.mime_type};base64,{base64.b64encode(self.data).decode()}"

    def shown_px(self, scale: float) -> tuple[int, int]:
        """Width and height at a scale, one pixel at least each."""
        width, height = (max(1, round(side * scale)) for side in self.size_px)
        return width, height
