"""Which images go through a network together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

__all__ = ["like_batches"]

Size = TypeVar("Size", bound=Hashable)


def like_batches(sizes: Sequence[Size], batch_size: int | Callable[[Size], int]) -> list[list[int]]:
    """Images of the same size, at most `batch_size` at a time.

    Padding reaches into the features near it, so an image that is padded for the sake of another
    would not give what it gives alone.

    Args:
      sizes: of each image, as the network sees it.
      batch_size: a number of images, or what gives it for a size.

    Returns:
      Positions in `sizes`, each in one batch; batches by first appearance.
    """
    groups: dict[Size, list[int]] = {}
    for position, size in enumerate(sizes):
        groups.setdefault(size, []).append(position)
    batches = []
    for size, group in groups.items():
        most = batch_size(size) if callable(batch_size) else batch_size
        batches += [group[start : start + most] for start in range(0, len(group), most)]
    return batches
