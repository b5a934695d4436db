"""Stretches of bytes that the tars of a release are cut into, for many workers to share out.

A stretch is a range of positions in all tars laid end to end. A record belongs to the stretch that
its first tar header begins in, so that stretches that cover the tars have every record once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Stretch", "byte_ranges", "stretches"]

#: Below this a stretch would hold hardly an image, and the way to its first header would cost
#: more than its records.
_MIN_BYTES = 256 << 10
#: Bytes from which more stretches are made: to go on in the middle of one, all of it is read again.
_ENOUGH_BYTES = 32 << 20
#: Never fewer, if there is so much to read: workers of a large machine all have work.
_MIN_COUNT = 336


class Stretch(NamedTuple):
    """Bytes of one tar.

    Attributes:
      tar: position among the tars.
      start: first byte.
      stop: one past the last.
    """

    tar: int
    start: int
    stop: int


def byte_ranges(total_bytes: int, most: int) -> list[tuple[int, int]]:
    """First and one past the last byte of stretches over so many bytes.

    Args:
      total_bytes: of all tars.
      most: the largest number of stretches.

    Returns:
      As many stretches as leave each at about 32 MiB, or `most` larger ones, or 336 smaller ones,
      or fewer for less than 84 MiB. Numbers in between are 336 doubled, which can be divided by 2,
      3, 4, 6, 7, 8, 12, 14, 16 and so on.
    """
    count = min(_MIN_COUNT, most)
    while count < most and total_bytes > count * _ENOUGH_BYTES:
        count = min(2 * count, most)
    count = max(1, min(count, total_bytes // _MIN_BYTES))
    return [
        (total_bytes * number // count, total_bytes * (number + 1) // count)
        for number in range(count)
    ]


def stretches(sizes: Sequence[int], first: int, last: int) -> Iterator[Stretch]:
    """What a range of bytes of all tars is of each of them.

    Args:
      sizes: bytes of each tar.
      first, last: first and one past the last byte.
    """
    before = 0
    for tar, size_bytes in enumerate(sizes):
        start, stop = max(first - before, 0), min(last - before, size_bytes)
        if start < stop:
            yield Stretch(tar, start, stop)
        before += size_bytes
