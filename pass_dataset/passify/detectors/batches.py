"""Which images go through a network together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

__all__ = ["like_batches"]

Size = TypeVar("Size", bound=Hashable)


def like_batches(
    sizes: Sequence[Size], batch_size: int | Callable[[Size], int], *, few_counts: bool = False
) -> list[list[int]]:
    """Images of the same size, at most `batch_size` at a time.

    Padding reaches into the features near it, so an image that is padded for the sake of another
    would not give what it gives alone.

    Args:
      sizes: of each image, as the network sees it.
      batch_size: a number of images, or what gives it for a size.
      few_counts: what is left of a size goes in batches of a half of that, a quarter … rather than
        in one of any number, for what is made anew for each number.

    Returns:
      Positions in `sizes`, each in one batch; batches by first appearance.
    """
    groups: dict[Size, list[int]] = {}
    for position, size in enumerate(sizes):
        groups.setdefault(size, []).append(position)
    batches = []
    for size, group in groups.items():
        most = batch_size(size) if callable(batch_size) else batch_size
        while group:
            while few_counts and most > len(group):
                most //= 2
            batches.append(group[:most])
            group = group[most:]
    return batches
