"""The interface of all rankers: images come in, scores come out.

A ranker of one's own is a class with these members, named as an entry point of the group
``pass_dataset.rankers``; it is called with `RankerSettings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

__all__ = ["SCORE_SUFFIX", "Ranker", "RankerSettings"]

#: Columns whose names end so are scores: the higher, the sooner people should look.
SCORE_SUFFIX = "_score"


@dataclass(frozen=True)
class RankerSettings:
    """What a ranker gets of a machine; none of it changes what it says.

    Attributes:
      device: ``cpu``, ``cuda`` or ``cuda:N``; None: the CPU.
      threads: threads of the CPU to compute with.
    """

    device: str | None = None
    threads: int = 1


class Ranker(Protocol):
    """Gives scores to images.

    It is made quickly: what it needs is loaded when the first image comes, in each process anew.
    """

    @property
    def columns(self) -> pa.Schema:
        """What it says of an image; those that end in ``_score`` are float32, and rank."""

    @property
    def identity(self) -> str:
        """What decides what it says, such as the SHA-256 of its weights and a version.

        Raises:
          WeightsError: the weights are missing or others than expected.
          MissingExtraError: a package that it needs is not installed.
        """

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        """What it says of each image, by column, in order.

        The result does not depend on which images come together.

        Args:
          images: H×W×3 uint8, colours in BGR order, of any sizes; not to be written to.
        """
