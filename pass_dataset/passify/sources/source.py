"""What all sources of images have in common: a listing, and the bytes of each image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from pass_dataset.errors import SourceError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates

__all__ = [
    "IMAGE_SUFFIXES",
    "KINDS",
    "MAX_IMAGE_BYTES",
    "Kind",
    "ListingReport",
    "Reader",
    "Source",
    "SourceItem",
    "require_size",
]

#: What a source can be; `opening.kind_of` tells it from the path.
Kind = Literal["folder", "tar", "parquet", "list", "pass", "dataset"]
KINDS: tuple[Kind, ...] = ("folder", "tar", "parquet", "list", "pass", "dataset")

#: Files that are taken for images by the end of their name: what Pillow reads and people use.
IMAGE_SUFFIXES = (
    *("avif", "bmp", "gif", "heic", "heif", "jfif", "jp2", "jpe", "jpeg", "jpg", "pbm", "pgm"),
    *("png", "pnm", "ppm", "tif", "tiff", "webp"),
)


#: No image file has more: 67 million pixels of 16 bits and three colours, not compressed, have 403
#: million. Reading what claims more could take all memory.
MAX_IMAGE_BYTES = 1 << 29


def require_size(size_bytes: int) -> None:
    """Refuses what is too large to be an image, before it is read.

    Raises:
      SourceError: it is.
    """
    if size_bytes > MAX_IMAGE_BYTES:
        raise SourceError(f"{size_bytes:,} bytes; no image has over {MAX_IMAGE_BYTES:,}")


class SourceItem(NamedTuple):
    """Where an image is.

    Attributes:
      path: its identity, the path within the source, as text (see `names`).
      container: file that holds it, as path within the source; None where it is a file itself.
      start: first byte in a tar, or number of the row in a table.
      size_bytes: number of bytes, where the listing tells it.
    """

    path: str
    container: str | None = None
    start: int | None = None
    size_bytes: int | None = None


@dataclass
class ListingReport:
    """What a listing met beside images.

    Attributes:
      unreadable: folders and files that could not be listed, with the reason; the first of them.
      num_unreadable: number of all.
      left_out: number of files that are no images by their name, by ending (``.txt``), and of
        links that lead out of the source.
      files: states of the files whose content says where images are, from before they were read, by
        path within the source. Files that are images themselves are not among them: looking at
        each costs too much where there are millions, and their SHA-256 goes on record.
    """

    unreadable: list[str] = field(default_factory=list)
    num_unreadable: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    files: dict[str, FileVersion] = field(default_factory=dict)

    #: More than this nobody reads; the numbers stay right.
    _MAX_NAMED = 100

    def add_unreadable(self, what: str) -> None:
        """Notes a place that could not be listed; `what` names it and says why."""
        self.num_unreadable += 1
        if len(self.unreadable) < self._MAX_NAMED:
            self.unreadable.append(what)

    def leave_out(self, what: str) -> None:
        """Counts something that is left out."""
        if what not in self.left_out and len(self.left_out) >= self._MAX_NAMED:
            what = "others"
        self.left_out[what] += 1


class Reader(Protocol):
    """Reads images; many threads may call it at once, and images in rising order come fastest."""

    def read(self, item: SourceItem) -> bytes:
        """The bytes of an image as they are stored.

        Raises:
          SourceChangedError: the file that holds them is not the one that was listed.
          OSError, PassDatasetError: they cannot be read.
        """

    def close(self) -> None:
        """Closes what is open."""


class Source(Protocol):
    """A collection of images. It pickles small, to be listed and read on other machines."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        """All images, always in the same order, in bounded memory.

        Places that cannot be listed are noted in `report`, and the others go on.
        """

    def reader(self, states: FileStates) -> Reader:
        """Opens it for reading.

        Args:
          states: what `ListingReport.files` had when it was listed.

        Raises:
          SourceChangedError: a file is not the one that was listed.
        """

    def file_of(self, item: SourceItem) -> bytes | None:
        """Path of the file that is this image; None where images lie within files."""
