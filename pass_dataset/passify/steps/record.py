"""An image on its way through the steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pass_dataset.images.outcomes import DecodedImage
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.sources.source import SourceItem

__all__ = ["Examined", "Step"]


@dataclass(slots=True, eq=False)
class Examined:
    """An image, and what is known of it so far.

    Attributes:
      position: its place in the shard.
      item: where it is.
      result: its row, which the steps fill in.
      image: its pixels; None before it is decoded, or if it cannot be.
    """

    position: int
    item: SourceItem
    result: ImageResult
    image: DecodedImage | None = None

    @property
    def size_bytes(self) -> int:
        """Memory that its pixels take."""
        if self.image is None:
            return 0
        held = (self.image.pixels, self.image.pillow_pixels)
        return sum(pixels.nbytes for pixels in held if pixels is not None)


class Step(Protocol):
    """Takes images and yields the same ones, in any order; keeps nothing between runs."""

    #: Seconds that its work took so far.
    seconds: float

    def run(self, records: Iterable[Examined]) -> Iterator[Examined]:
        """Does its work on each image that needs it."""
