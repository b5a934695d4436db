"""Records: an image's bytes and metadata, read from the tars where they lie.

archive = PassArchive("/data/pass")
record = archive[0]
for record in archive.iterate(shard=(rank, world_size), shuffle_seed=epoch):
    ...
"""

from __future__ import annotations

import datetime
import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.index import open_index
from pass_dataset.archives.index_view import IndexView
from pass_dataset.archives.metadata import METADATA_COLUMNS
from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.archives.order import shard_bounds, shuffled_order
from pass_dataset.archives.removals import Removals, removals_for
from pass_dataset.archives.saved_index import ArchiveIndex, IndexSummary
from pass_dataset.errors import ArchiveError, ArchiveReplacedError, RecordNotFoundError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.file_mark import FileMark
from pass_dataset.progress import Progress
from pass_dataset.releases.release import Release

__all__ = [
    "ImageRecord",
    "PassArchive",
]

#: Rows whose metadata is turned into Python values at a time.
_BLOCK_ROWS = 512


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image and what is known of it.

    Attributes:
      hash: hexadecimal text of 16 to 32 characters, as in YFCC-100M, the image's name.
      jpeg: the file's bytes, as they are in the tar.
      creator: photographer, URL-encoded as in the CSV; None if the CSV has no such row.
      license: licence as the CSV names it (``Attribution License`` is CC-BY 2.0), or None.
      date_taken: local time without zone, or None.
      date_taken_text: the same as the CSV has it (``2007-05-06 06:11:48.0``), or None.
      latitude, longitude: degrees, or None.
    """

    hash: str
    jpeg: bytes = field(repr=False)
    creator: str | None
    license: str | None
    date_taken: datetime.datetime | None
    date_taken_text: str | None
    latitude: float | None
    longitude: float | None


#: Columns of the index; a record has those of the metadata as they are.
_COLUMNS = ("tar", "offset", "size_bytes", *METADATA_COLUMNS)


class PassArchive:
    """The images of an archive folder, in the order they stand in the tars.

    Opening it reads the saved index (made on first use). It is cheap to pickle and safe to use
    after a fork or in a spawned process; memory stays flat, however many records there are.

    >>> from pass_dataset.archives.ensure import open_mini
    >>> archive = open_mini()  # of the mini release, which is in the package
    >>> len(archive)
    64
    >>> archive[0].jpeg[:3]
    b'\\xff\\xd8\\xff'
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | ArchiveFolder | None = None,
        release: str | os.PathLike[str] | Release | None = None,
        *,
        parts: str | Sequence[int] | None = None,
        removals: Removals | None = None,
        save_index: bool = True,
        progress: Progress | None = None,
    ) -> None:
        """Opens an archive folder.

        Images on a removal list, of the folder or of the environment, are left out (see
        `pass_dataset.archives.removals`).

        Args:
          folder: archive folder, as `pass-dataset download` fills it, or one that has it as a
            sub-folder named like the release; None for the one that ``PASS_ARCHIVES`` names. Or an
            `ArchiveFolder`, which knows release and parts.
          release: what it holds: version, checksum file or Release; None to be told from it.
          parts: part numbers to read, or text such as ``0,3-5``; None for all that are there.
          removals: one more list of images to be left out.
          save_index: keep the index for the next time if it has to be made.
          progress: where the making of the index is shown.

        Raises:
          FolderError: no such folder, no tar in it, or it cannot be told what it holds.
          ArchiveError, MetadataError: a file cannot be read or contradicts another.
          ReleaseError: no such release or part.
        """
        self._archives = ArchiveFolder.open(folder, release, parts)
        self._save_index = save_index
        self._images = IndexView(self._open(progress))
        if self._archives.parts is not None:
            self._images = self._of_parts(set(self._archives.parts))
        self._removed: IndexView | None = None
        self._remove(removals)

    def _open(self, progress: Progress | None = None) -> ArchiveIndex:
        index = self._open_index(progress)
        self._fingerprint = dict(index.fingerprint)
        self._tar_names, self._marks = index.summary.tars, index.marks
        self._tars = self.open_tars()
        return index

    def _open_index(self, progress: Progress | None) -> ArchiveIndex:
        try:
            return open_index(self._archives, save=self._save_index, progress=progress)
        except ArchiveError:
            # A purge that ended meanwhile has changed what the folder says of itself.
            now = self._archives.renewed()
            if now == self._archives:
                raise
        self._archives = now
        return open_index(now, save=self._save_index, progress=progress)

    def open_tars(self) -> OpenTars:
        """Open tars of one's own, by the numbers in the column ``tar``.

        They are those that were indexed: see `ArchiveReplacedError`.
        """
        return OpenTars(self.folder, self._tar_names, self._marks)

    def _of_parts(self, parts: set[int]) -> IndexView:
        absent = sorted(parts - set(self.summary.parts))
        if absent:
            names = ", ".join(self.release.tars[part].filename for part in absent)
            raise ArchiveError(
                f"{self.folder}: {names} is missing; pass-dataset download fetches it"
            )
        return self._images.of_parts(parts)

    def _remove(self, given: Removals | None) -> None:
        """Leaves out what is on removal lists."""
        removals = removals_for(self.folder, given=given)
        if not removals:
            return

        kept = self._images.listed(sorted(removals.hashes), are=False)
        total, left_out = len(self), len(self) - len(kept)
        if left_out:
            self._removed = self._images.without(kept)
            self._images = kept
        removals.report(self.folder, left_out, total)
        if self._archives.parts is None:
            removals.report_odd(self.folder, self.removed)

    @property
    def archives(self) -> ArchiveFolder:
        """The folder, as it was found when this was opened."""
        return self._archives

    @property
    def folder(self) -> Path:
        """Path of the folder, absolute."""
        return self._archives.path

    @property
    def release(self) -> Release:
        """What the folder holds."""
        return self._archives.release

    @property
    def removed(self) -> list[str]:
        """Hashes of the images that removal lists leave out of the folder, or of its parts."""
        if self._removed is None:
            return []
        hashes: list[str] = self._removed.columns(["hash"])["hash"].to_pylist()
        return hashes

    def with_removed(self) -> PassArchive:
        """A view that has the removed images too, for comparing and purging: not to be served.

        Ask the archive as it was opened for it, not a slice.
        """
        if self._removed is None:
            return self
        return self._view(self._images.joined_with(self._removed))

    @property
    def summary(self) -> IndexSummary:
        """What was counted while the index of the whole folder was made."""
        return self._images.summary

    @property
    def is_whole(self) -> bool:
        """True if these are all images of the tars that are there, in their order."""
        return self._images.is_whole

    def selection_digest(self) -> str:
        """Tells these images from another selection of the same folder (64 hexadecimal digits)."""
        return self._images.selection_digest()

    def columns(self, names: Sequence[str]) -> pa.RecordBatch:
        """What the index knows of these images, a row each, in their order.

        Removed images are not among them. Nothing is copied where these are all images of the
        folder, or a stretch of all; a selection is copied, so ask for few columns of many images,
        or for those of a slice: ``archive[first:last].columns(names)``.

        Args:
          names: of ``hash`` (string), ``tar`` (uint8, or wider for more than
            256; counting in ``summary.tars``), ``offset``,
            ``size_bytes`` (int64), ``creator``, ``license``, ``date_taken_text`` (string or null),
            ``date_taken`` (timestamp[us] or null), ``latitude``, ``longitude`` (float64 or null).
        """
        return self._images.columns(names)

    def numbers(self, name: str, positions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Values of one column of `columns` (``tar``, ``offset`` or ``size_bytes``), quickly.

        Args:
          name: of the column.
          positions: int64, of the images.

        Raises:
          IndexError: no such position.
        """
        return self._images.numbers(name, positions)

    def values(self, names: Sequence[str], position: int) -> list[Any]:
        """What `columns` has of one image, as Python values; None where it is not known.

        Raises:
          IndexError: no such position.
        """
        return self._images.values(names, position)

    @property
    def tars(self) -> OpenTars:
        """The open tars, by the numbers in the column ``tar``."""
        return self._tars

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """Tells the files that were opened from any others: sizes and times, as JSON has them."""
        return self._fingerprint

    @property
    def marks(self) -> tuple[FileMark, ...]:
        """Of the tars that were opened, by the numbers in the column ``tar``."""
        return self._marks

    @property
    def image_bytes(self) -> int:
        """Bytes of these images."""
        if self.is_whole:
            return self.summary.image_bytes
        return pc.sum(self.columns(["size_bytes"])["size_bytes"]).as_py() or 0

    def __repr__(self) -> str:
        return f"PassArchive({str(self.folder)!r}, {self.release.label}: {len(self):,} images)"

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, key: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, key: slice | Sequence[int] | np.ndarray[Any, Any]) -> PassArchive: ...
    def __getitem__(
        self, key: int | slice | Sequence[int] | np.ndarray[Any, Any]
    ) -> ImageRecord | PassArchive:
        """A record by position; or, for a slice or a list of positions, a view of those.

        Raises:
          IndexError: no such position.
          ArchiveError: the image cannot be read.
        """
        if isinstance(key, slice):
            return self._view(self._images.at(key))
        try:
            position = operator.index(key)  # type: ignore[arg-type]
        except TypeError:
            return self._view(self._images.at(key))  # type: ignore[arg-type]
        return self._record(position)

    def _view(self, images: IndexView) -> PassArchive:
        view = object.__new__(PassArchive)
        view.__dict__.update(self.__dict__)
        view._images = images
        return view

    def keeping(self, hashes: Sequence[str] | pa.Array) -> PassArchive:
        """A view of those of these records that have the given hashes, in the order they have here.

        Hashes without a record are no error: a list may be made for other parts or releases.

        Args:
          hashes: text; an Arrow array of strings where there are many.
        """
        return self._view(self._images.listed(hashes))

    def leaving_out(self, hashes: Sequence[str] | pa.Array) -> PassArchive:
        """A view of these records without those of the given hashes; see `keeping`."""
        return self._view(self._images.listed(hashes, are=False))

    def __contains__(self, image_hash: object) -> bool:
        return isinstance(image_hash, str) and self._images.position_of(image_hash) is not None

    def by_hash(self, image_hash: str) -> ImageRecord:
        """The record of an image.

        Raises:
          RecordNotFoundError: no image with that hash among these.
        """
        position = self._images.position_of(image_hash)
        if position is None:
            removed = ", which removal lists leave out" if image_hash in self.removed else ""
            raise RecordNotFoundError(
                f"{self.folder}: no image {image_hash!r}{removed} among the {len(self):,} of "
                f"{self.release.label}"
            )
        return self._record(position)

    def __iter__(self) -> Iterator[ImageRecord]:
        return self.iterate()

    def iterate(
        self, shard: tuple[int, int] = (0, 1), shuffle_seed: int | None = None
    ) -> Iterator[ImageRecord]:
        """Records one after the other.

        Args:
          shard: ``(number, count)``: this share of `count` nearly equal ones. Shares are
            contiguous, so that each reader goes forward through its own stretch of the tars;
            together they have every record exactly once.
          shuffle_seed: an order fixed by this seed, the same on every machine; None for the order
            of the tars. The shares are cut after shuffling.

        Raises:
          ValueError: no such shard.
          ArchiveError: an image cannot be read.
        """
        first, last = shard_bounds(len(self), shard)
        if shuffle_seed is None:
            return self.records(first, last)
        return self._records(self._images.at(shuffled_order(len(self), shuffle_seed)[first:last]))

    def records(self, first: int, last: int) -> Iterator[ImageRecord]:
        """Records of a stretch of positions."""
        return self._records(self._images.at(slice(first, last)))

    def _records(self, images: IndexView) -> Iterator[ImageRecord]:
        for start in range(0, len(images), _BLOCK_ROWS):
            block = images.at(slice(start, start + _BLOCK_ROWS))
            for row in block.columns(_COLUMNS).to_pylist():
                yield self._with_bytes(row)

    def _record(self, position: int) -> ImageRecord:
        values = self._images.values(_COLUMNS, position)
        return self._with_bytes(dict(zip(_COLUMNS, values, strict=True)))

    def _with_bytes(self, row: dict[str, Any]) -> ImageRecord:
        jpeg = self._tars.read(row["tar"], row["offset"], row["size_bytes"], row["hash"])
        return ImageRecord(jpeg=jpeg, **{name: row[name] for name in METADATA_COLUMNS})

    def close(self) -> None:
        """Closes the tars; they are opened again when needed."""
        self._tars.close()

    def __getstate__(self) -> dict[str, Any]:
        # The map of the index and the open tars belong to this process; another opens its own.
        mine = {"_tars", "_marks", "_tar_names"}
        return {key: self.__dict__[key] for key in self.__dict__.keys() - mine}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        opened = self._fingerprint
        index = self._open()
        if self._fingerprint != opened:
            # Positions count in the index that was, and would be those of other images now.
            raise ArchiveReplacedError(
                f"{self.folder}: has other files than when the archives were opened, as after a "
                "purge or a download: open them again"
            )
        self._images = self._images.bound_to(index)
        if self._removed is not None:
            self._removed = self._removed.bound_to(index)
