"""Records of a release that lies on a server, by the exact bytes that an index names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pass_dataset.archives.index_view import IndexView
from pass_dataset.archives.metadata import METADATA_COLUMNS
from pass_dataset.archives.order import shard_bounds
from pass_dataset.archives.records import ImageRecord
from pass_dataset.archives.saved_index import read_index
from pass_dataset.archives.streaming.made_anew import MadeAnew
from pass_dataset.archives.streaming.place import Place, jpeg_at
from pass_dataset.archives.streaming.stretches import stretches
from pass_dataset.errors import ArchiveError

__all__ = ["IndexedRemoteArchive"]

_COLUMNS = ("offset", "size_bytes", *METADATA_COLUMNS)


@dataclass
class IndexedRemoteArchive(MadeAnew):
    """Images of a release that are asked for by the exact bytes its index names.

    Attributes:
      place: where the tars are.
      parts: part numbers to read.
      index: path of the saved index.
      removed: hashes of images to be left out.
    """

    place: Place
    parts: tuple[int, ...]
    index: Path
    removed: frozenset[str] = frozenset()
    _opened: IndexView | None = field(default=None, init=False, repr=False, compare=False)

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """What `records` takes: stretches of the images of these parts, counted through."""
        total = sum(last - first for _, first, last in self._bounds())
        count = min(most, total)
        return [shard_bounds(total, (number, count)) for number in range(count)]

    def _bounds(self) -> list[tuple[str, int, int]]:
        """Of each tar: its name, first and one past the last of the positions of its images."""
        images = self._images()
        present = images.summary.parts
        absent = sorted(set(self.parts) - set(present))
        if absent:
            raise ArchiveError(
                f"{self.index}: the index was made without part {absent[0]}; give one of all tars "
                "wanted, or none"
            )
        tars = images.columns(["tar"])["tar"].to_numpy()
        return [
            (name, *map(int, np.searchsorted(tars, (number, number + 1))))  # type: ignore[misc]
            for number, (part, name) in enumerate(zip(present, images.summary.tars, strict=True))
            if part in self.parts
        ]

    def records(self, first: int, last: int) -> Iterator[ImageRecord]:
        """Records of a stretch.

        Raises:
          DownloadError: bytes cannot be had.
        """
        bounds = self._bounds()
        lengths = [after - before for _, before, after in bounds]
        for piece in stretches(lengths, first, last):
            name, before, _ = bounds[piece.tar]
            yield from self._records(name, before + piece.start, before + piece.stop)

    def _records(self, name: str, first: int, last: int) -> Iterator[ImageRecord]:
        rows = self._images().at(slice(first, last)).columns(_COLUMNS)
        file = next(file for file in self.place.release.tars if file.filename == name)
        stop = rows["offset"][-1].as_py() + rows["size_bytes"][-1].as_py()
        reader = self.place.reader(file, stop)
        for number in range(rows.num_rows):
            row = rows.slice(number, 1).to_pylist()[0]
            reader.forget(row["offset"])
            jpeg = bytes(jpeg_at(reader, name, row["hash"], row["offset"], row["size_bytes"]))
            yield ImageRecord(jpeg=jpeg, **{name: row[name] for name in METADATA_COLUMNS})

    def _images(self) -> IndexView:
        if self._opened is None:
            images = IndexView(read_index(self.index, self.place.release))
            if self.removed:
                images = images.listed(sorted(self.removed), are=False)
            self._opened = images
        return self._opened
