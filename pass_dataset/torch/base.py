"""What the map-style and the iterable dataset have in common: the images, and examples of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import ImageError
from pass_dataset.torch.examples import SKIPPED, ExampleMaker
from pass_dataset.torch.jpegs import read_jpegs
from pass_dataset.torch.positions import PositionReader
from pass_dataset.torch.slots import SlotPool

__all__ = ["PassImages"]

#: An image that cannot be decoded is replaced by one of so many after it.
_MAX_REPLACEMENTS = 100


class PassImages:
    """Images of an archive folder, and how examples are made of them."""

    def __init__(self, archive: PassArchive, maker: ExampleMaker) -> None:
        self._archive = archive
        self._maker = maker
        self._reader: PositionReader | None = None
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

    def _reading(self) -> PositionReader:
        if self._reader is None:
            self._reader = PositionReader(self._archive)
        return self._reader

    def _read(self, positions: npt.NDArray[np.int64]) -> Iterable[Any]:
        """What the decoder takes, for some positions in the order in which they are wanted."""
        reader = self._reading()
        if self._maker.decoder.decode == "jpeg":
            if self._pool is None or self._pool.process != os.getpid():
                self._pool = SlotPool()
            return read_jpegs(reader, positions, self._pool)
        return reader.jpegs(positions)

    def _examples_of(
        self, positions: npt.NDArray[np.int64], jpegs: Iterable[Any], epoch: int | None = None
    ) -> Iterable[Any]:
        """Examples of some positions, one after the other."""
        if self._maker.changes_nothing:
            return jpegs
        return map(self._example, positions.tolist(), jpegs, itertools.repeat(epoch))

    def _example(self, position: int, jpeg: Any, epoch: int | None = None) -> Any:
        """The example of a position, or of the next one whose image can be decoded."""
        reader = self._reading()
        example = self._maker.make(reader, position, jpeg, epoch)
        replacements = 0
        while example is SKIPPED:
            replacements += 1
            if replacements > min(_MAX_REPLACEMENTS, len(self._archive) - 1):
                raise ImageError(
                    f"{reader.place(position)} and all {replacements - 1} before it cannot be "
                    "decoded; pass-dataset verify tells what is wrong with the tars"
                )
            position = (position + 1) % len(self._archive)
            example = self._maker.make(reader, position, reader.jpeg(position), epoch)
        return example

    def __getstate__(self) -> dict[str, Any]:
        # Open files, maps and memory belong to this process.
        return {**self.__dict__, "_reader": None, "_pool": None}
