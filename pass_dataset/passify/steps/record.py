"""An image on its way through the steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.sources import SourceItem

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Examined", "Step"]


@dataclass(slots=True, eq=False)
class Examined:
    """An image, and what is known of it so far.

    Attributes:
      position: its place in the shard.
      item: where it is.
      result: its row, which the steps fill in.
      pixels: H×W×3 uint8, BGR; None before it is decoded, or if it cannot be.
    """

    position: int
    item: SourceItem
    result: ImageResult
    pixels: np.ndarray[Any, Any] | None = None


class Step(Protocol):
    """Takes images and yields the same ones, in any order; keeps nothing between runs."""

    #: Seconds that its work took so far.
    seconds: float

    def run(self, records: Iterable[Examined]) -> Iterator[Examined]:
        """Does its work on each image that needs it."""
