"""What the map-style and the iterable dataset have in common: the images, and examples of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import ImageError
from pass_dataset.torch.examples import SKIPPED, ExampleMaker
from pass_dataset.torch.jpegs import read_jpegs
from pass_dataset.torch.rows import RowReader
from pass_dataset.torch.slots import SlotPool

__all__ = ["PassImages"]

#: An image that cannot be decoded is replaced by one of so many after it.
_MAX_REPLACEMENTS = 100


class PassImages:
    """Images of an archive folder, and how examples are made of them."""

    def __init__(self, archive: PassArchive, maker: ExampleMaker) -> None:
        self._archive = archive
        self._maker = maker
        self._reader: RowReader | None = None
        self._pool: SlotPool | None = None

    @property
    def archive(self) -> PassArchive:
        """The same images in the order of the tars, as records: without PyTorch or decoding."""
        return self._archive

    @property
    def transform(self) -> Callable[[Any], Any] | None:
        """Called with each image. Set it before a loader starts its workers."""
        return self._maker.transform

    @transform.setter
    def transform(self, transform: Callable[[Any], Any] | None) -> None:
        self._maker.transform = transform

    @property
    def skipped(self) -> int:
        """How often an image was left out because it cannot be decoded, in all processes."""
        return self._maker.skipped.total

    def __repr__(self) -> str:
        archive = self._archive
        return (
            f"{type(self).__name__}({str(archive.folder)!r}, {archive.release.label}: "
            f"{len(archive):,} images)"
        )

    def _reading(self) -> RowReader:
        if self._reader is None:
            self._reader = RowReader(self._archive.index)
        return self._reader

    def _rows(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of the index at some positions of the dataset."""
        rows = self._archive.rows
        if isinstance(rows, range):  # not to be written out for every batch
            return positions * rows.step + rows.start
        return rows[positions]

    def _read(self, rows: npt.NDArray[np.int64]) -> Iterable[Any]:
        """What the decoder takes, for some rows in the order in which they are wanted."""
        reader = self._reading()
        if self._maker.decoder.decode == "jpeg":
            if self._pool is None or self._pool.process != os.getpid():
                self._pool = SlotPool()
            return read_jpegs(reader, rows, self._pool)
        return reader.jpegs(rows)

    def _examples_of(
        self,
        rows: npt.NDArray[np.int64],
        positions: npt.NDArray[np.int64],
        jpegs: Iterable[Any],
    ) -> Iterable[Any]:
        """Examples of some rows and positions, one after the other."""
        if self._maker.changes_nothing:
            return jpegs
        return map(self._example, rows.tolist(), positions.tolist(), jpegs)

    def _example(self, row: int, position: int, jpeg: Any) -> Any:
        """The example of a position, or of the next one whose image can be decoded."""
        reader = self._reading()
        example = self._maker.make(reader, row, position, jpeg)
        replacements = 0
        while example is SKIPPED:
            replacements += 1
            if replacements > min(_MAX_REPLACEMENTS, len(self._archive) - 1):
                raise ImageError(
                    f"{reader.place(row)} and all {replacements - 1} before it cannot be decoded; "
                    "pass-dataset verify tells what is wrong with the tars"
                )
            position = (position + 1) % len(self._archive)
            row = int(self._archive.rows[position])
            example = self._maker.make(reader, row, position, reader.jpeg(row))
        return example

    def __getstate__(self) -> dict[str, Any]:
        # Open files, maps and memory belong to this process.
        return {**self.__dict__, "_reader": None, "_pool": None}
