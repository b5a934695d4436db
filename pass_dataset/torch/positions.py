"""Images by their positions: the bytes, the metadata, and what will be read next.

Nothing here holds a Python object for a record: numbers come from NumPy views of the mapped index
file, whose pages all processes share. Counting references would copy them into each worker, bit by
bit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.records import PassArchive

__all__ = ["PositionReader"]

#: Images with less between them are announced to the system as one stretch: a request costs a
#: disk more than reading so much in vain.
_GAP_BYTES = 64 << 10


_NAN = float("nan")
#: Of an image's metadata: name, column of the index, and what stands where it is not known.
_METADATA = (
    ("hash", "hash", ""),
    ("creator", "creator", ""),
    ("license", "license", ""),
    ("date_taken", "date_taken_text", ""),
    ("latitude", "latitude", _NAN),
    ("longitude", "longitude", _NAN),
)
_METADATA_COLUMNS = [column for _, column, _ in _METADATA]
_PLACE = ("tar", "offset", "size_bytes")


class PositionReader:
    """Reads what belongs to positions of a dataset; of one process, not to be pickled."""

    def __init__(self, archive: PassArchive) -> None:
        self._archive = archive
        self._tars = archive.open_tars()
        self._names = [archive.folder / name for name in archive.summary.tars]

    def jpeg(self, position: int) -> bytes:
        """The bytes of an image. Raises ArchiveError if they cannot be read."""
        return next(self.jpegs(np.array([position])))

    def jpegs(self, positions: npt.NDArray[np.int64]) -> Iterator[bytes]:
        """The bytes of images, one after the other; see `jpeg`."""
        # A third faster than `OpenTars.read`, which is left to say what is wrong.
        places = (column.tolist() for column in self._places(positions))
        pread, handle = os.pread, self._tars.handle
        for tar, offset, size_bytes, position in zip(*places, positions.tolist(), strict=True):
            try:
                jpeg = pread(handle(tar), size_bytes, offset)
            except OSError:
                jpeg = b""
            if len(jpeg) != size_bytes:
                jpeg = self._tars.read(tar, offset, size_bytes, self.hash(position))
            yield jpeg

    def _places(self, positions: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[Any]]:
        """Tars, offsets and sizes of images."""
        return (self._archive.numbers(name, positions) for name in _PLACE)

    def read_into(
        self, positions: npt.NDArray[np.int64], memory: memoryview, starts: Sequence[int]
    ) -> None:
        """Reads images to where they shall start in some memory.

        Raises:
          ArchiveError: they cannot be read.
        """
        # The same as in `jpegs`: `OpenTars.read_into` is left to say what is wrong, and is for
        # systems that have no `preadv`.
        places = (column.tolist() for column in self._places(positions))
        preadv, handle = getattr(os, "preadv", _nothing_read), self._tars.handle
        for tar, offset, size_bytes, position, start in zip(
            *places, positions.tolist(), starts, strict=True
        ):
            target = memory[start : start + size_bytes]
            try:
                found = preadv(handle(tar), [target], offset)
            except OSError:
                found = -1
            if found != size_bytes:
                self._tars.read_into(tar, offset, target, self.hash(position))

    def sizes_bytes(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Sizes of images, in bytes."""
        return self._archive.numbers("size_bytes", positions)

    def hash(self, position: int) -> str:
        text: str
        (text,) = self._archive.values(["hash"], position)
        return text

    def place(self, position: int) -> str:
        """Where an image lies, for messages."""
        tar, offset, image_hash = self._archive.values(["tar", "offset", "hash"], position)
        return f"{self._names[tar]}: image {image_hash} at byte {offset:,}"

    def metadata(self, position: int) -> dict[str, Any]:
        """What is known of an image; text is empty and degrees are NaN where it is not."""
        values = self._archive.values(_METADATA_COLUMNS, position)
        return {
            name: missing if value is None else value
            for (name, _, missing), value in zip(_METADATA, values, strict=True)
        }

    def in_tar_order(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Places in `positions`, in the order in which the images lie."""
        tars, offsets, _ = self._places(positions)
        return np.lexsort((offsets, tars))

    def expect(self, positions: npt.NDArray[np.int64]) -> None:
        """Tells the system that these images will be read soon.

        Args:
          positions: in the order in which they lie.
        """
        for tar, start, stop in self._stretches(positions):
            self._tars.expect(tar, start, stop - start)

    def _stretches(self, positions: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
        """Tar, first byte and byte after the last one of images that lie close together."""
        if not len(positions):
            return
        tars, starts, sizes = self._places(positions)
        stops = starts + sizes
        breaks = (tars[1:] != tars[:-1]) | (starts[1:] - stops[:-1] > _GAP_BYTES)
        firsts = np.flatnonzero(np.concatenate(([True], breaks)))
        lasts = np.concatenate((firsts[1:], [len(positions)])) - 1
        yield from zip(
            tars[firsts].tolist(), starts[firsts].tolist(), stops[lasts].tolist(), strict=True
        )


def _nothing_read(handle: int, targets: list[memoryview], offset: int) -> int:
    """In the place of `os.preadv` where there is none."""
    return -1
