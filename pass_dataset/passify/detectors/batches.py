"""Which images go through a network together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

__all__ = ["like_batches"]


def like_batches(sizes: Sequence[Hashable], batch_size: int) -> list[list[int]]:
    """Images of the same size, at most `batch_size` at a time.

    Padding reaches into the features near it, so an image that is padded for the sake of another
    would not give what it gives alone.

    Args:
      sizes: of each image, as the network sees it.

    Returns:
      Positions in `sizes`, each in one batch; batches by first appearance.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, size in enumerate(sizes):
        groups.setdefault(size, []).append(position)
    return [
        group[start : start + batch_size]
        for group in groups.values()
        for start in range(0, len(group), batch_size)
    ]
