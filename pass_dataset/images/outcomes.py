"""What can become of a file that should be an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OUTCOMES", "BadImageError", "DecodedImage", "ImageReader", "Outcome"]

#: Whose pixels a detector was made with. The published filter read images with OpenCV for the
#: detector of faces; detectron2 reads them with Pillow. Both give the same but for inks (CMYK).
ImageReader = Literal["opencv", "pillow"]

#: ``ok``, or the reason why a file is dropped:
#:
#: - ``empty``: it has no bytes;
#: - ``not-an-image``: it begins like no image format known here (an error page, say);
#: - ``unsupported``: an image of a format or kind that is not decoded here;
#: - ``truncated``: its end is missing, even where a decoder would read the rest, or where an end
#:   marker was put behind what is left (JPEG, where simplejpeg is installed);
#: - ``damaged``: its bytes contradict its format;
#: - ``too-large``: its pixels would be more than the limit, or those of all scans of a JPEG; told
#:   before they are made;
#: - ``single-colour``: every pixel the same, but for noise (`SINGLE_COLOUR_RANGE`).
Outcome = Literal[
    "ok",
    "empty",
    "not-an-image",
    "unsupported",
    "truncated",
    "damaged",
    "too-large",
    "single-colour",
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """An image file's pixels, or why they are not to be had.

    Attributes:
      outcome: ``ok``, or a named reason.
      pixels: H×W×3 uint8, colours in BGR order, as oriented by EXIF. None unless the outcome is
        ``ok`` or ``single-colour``. Not to be written to.
      width, height: in pixels: those of `pixels`, else as the file states them (before EXIF turns
        it), else None.
      message: what was found, for a person to read; empty if the outcome is ``ok``.
      pillow_pixels: like `pixels`, as Pillow turns inks into colours: a level or two apart. None
        for all but CMYK JPEGs, where both are the same.
    """

    outcome: Outcome
    pixels: np.ndarray[Any, Any] | None
    width: int | None
    height: int | None
    message: str
    pillow_pixels: np.ndarray[Any, Any] | None = None

    def pixels_by(self, reader: ImageReader) -> np.ndarray[Any, Any] | None:
        """`pixels` as a reader gives them."""
        if reader == "pillow" and self.pillow_pixels is not None:
            return self.pillow_pixels
        return self.pixels

    @property
    def is_ok(self) -> bool:
        return self.outcome == "ok"


class BadImageError(Exception):
    """Ends the decoding of a file; becomes a `DecodedImage`, and is seen by no user.

    Attributes:
      outcome: the named reason.
      width, height: as the file states them, or None.
    """

    def __init__(
        self, outcome: Outcome, message: str, width: int | None = None, height: int | None = None
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.width = width
        self.height = height
