"""Images announced to the system before they are read.

Records of a shard lie all over the tars: without this a disk would do one request after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from pass_dataset.archives.open_tars import OpenTars

__all__ = ["Place", "with_readahead"]

#: How far ahead the system is told what will be read.
_AHEAD_BYTES = 16 << 20


class Place(Protocol):
    """Where an image lies."""

    @property
    def tar(self) -> int:
        """Number of the tar."""

    @property
    def offset(self) -> int:
        """Byte of the tar at which the image begins."""

    @property
    def size_bytes(self) -> int:
        """Size of the image."""


_P = TypeVar("_P", bound=Place)


def with_readahead(places: Callable[[], Iterator[_P]], tars: OpenTars) -> Iterator[_P]:
    """The places, each announced to the system some megabytes before it is read.

    Args:
      places: gives them in order, the same each time it is called.
      tars: where they are.
    """
    expected = 0
    announced = places()
    for place in places():
        while expected < _AHEAD_BYTES:
            coming = next(announced, None)
            if coming is None:
                break
            tars.expect(coming.tar, coming.offset, coming.size_bytes)
            expected += coming.size_bytes
        yield place
        expected -= place.size_bytes
