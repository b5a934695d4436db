"""An image's bytes, by its row in the table."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import ReviewImages
from pass_dataset.curate.review.record import Origin, Record
from pass_dataset.errors import SourceError
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.removed import RemovedImages
from pass_dataset.passify.sources.source import Reader, SourceItem
from pass_dataset.passify.sources.tar_files import TarReader

__all__ = ["ImageReader"]


class ImageReader:
    """Reads images of a review; many threads may call it at once."""

    def __init__(self, folder: ReviewFolder, record: Record) -> None:
        """Opens the table; what holds images is opened when it is needed.

        Raises:
          CurationError: the table cannot be read.
        """
        self.images = ReviewImages(folder.images_path)
        self._origins = record.origins
        self._readers: dict[int, Reader] = {}
        self._removed: dict[int, RemovedImages] = {}

    def __enter__(self) -> ImageReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def item(self, row: int) -> tuple[int, SourceItem]:
        """Which origin an image has, and where it is there."""
        where = self.images.where(row)
        gold = int(self.images.column("gold")[row])
        place = {-1: 0, 1: 1, 0: 2}[gold]
        place = min(place, len(self._origins) - 1)
        origin = self._origins[place]
        container = None if where.file < 0 else origin.files[where.file]
        start = None if where.start < 0 else where.start
        size = None if where.size_bytes < 0 else where.size_bytes
        return place, SourceItem(where.name, container, start, size)

    def read(self, row: int) -> bytes:
        """The bytes of an image as they are stored.

        Raises:
          SourceError: it is on a removal list by now, or cannot be read.
          OSError, PassDatasetError: it cannot be read.
        """
        place, item = self.item(row)
        if place not in self._readers:
            self._readers[place], self._removed[place] = _opened(self._origins[place])
        if self._removed[place].are_removed([item])[0]:
            raise SourceError(f"{item.path}: is on a removal list, and shown to nobody")
        return self._readers[place].read(item)

    def close(self) -> None:
        """Closes what is open."""
        for reader in self._readers.values():
            reader.close()


def _opened(origin: Origin) -> tuple[Reader, RemovedImages]:
    if origin.kind == "curation":
        tars = Path(origin.path) / "work" / "fetch" / "tars"
        return TarReader(tars, origin.file_states), RemovedImages(SourceSettings.of(tars))
    settings = origin.source_settings
    return open_source(settings).reader(origin.file_states), RemovedImages(settings)
