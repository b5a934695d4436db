"""Records of a release that lies on a server."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from pass_dataset.archives.metadata import METADATA_COLUMNS
from pass_dataset.archives.records import ImageRecord
from pass_dataset.archives.removals import RemovalList, removals_for
from pass_dataset.archives.saved_index import read_index
from pass_dataset.archives.streaming.blocks import BlockMemory, Filling, ImageBlock
from pass_dataset.archives.streaming.indexed import IndexedRemoteArchive
from pass_dataset.archives.streaming.made_anew import MadeAnew
from pass_dataset.archives.streaming.members import SEARCH_BYTES, members_between
from pass_dataset.archives.streaming.metadata import MetadataTable, fetch_metadata
from pass_dataset.archives.streaming.place import Place, jpeg_at
from pass_dataset.archives.streaming.reader import RangeReader
from pass_dataset.archives.streaming.stretches import Stretch, byte_ranges, stretches
from pass_dataset.archives.tars import BLOCK_BYTES, HARD_LINK, image_hash
from pass_dataset.downloads.offline import require_reachable
from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.errors import ArchiveError
from pass_dataset.progress import on_terminal
from pass_dataset.releases.addresses import addresses
from pass_dataset.releases.release import Release, ReleaseFile, part_numbers

__all__ = ["RemoteArchive", "open_remote"]

logger = logging.getLogger(__name__)

#: Beside a block's bytes, for its last image.
_ROOM_BYTES = 1 << 20
_BLOCK_COLUMNS = ("creator", "date_taken", "latitude", "longitude")


def open_remote(
    release: Release,
    *,
    folder: Path,
    parts: str | Sequence[int] | None = None,
    mirrors: str | Sequence[str] = (),
    index: str | os.PathLike[str] | None = None,
    policy: RetryPolicy | None = None,
    removals: RemovalList | None = None,
) -> RemoteArchive | IndexedRemoteArchive:
    """Opens a release where it is published.

    Args:
      release: which.
      folder: where the metadata is kept; made if missing.
      parts: part numbers wanted; None for all.
      mirrors: base URLs (http, https, file) tried in this order before the published place.
      index: saved index of the release; None to find the images by the tars' headers.
      policy: how patient to be; None for the downloader's patience.
      removals: images to be left out; None for those on the lists of `folder` and environment.

    Raises:
      DownloadError, DiskSpaceError, FolderError: the metadata cannot be had or kept; the index is
        of other files; or the user says that there is no network.
      MetadataError: the metadata cannot be read.
    """
    mirrors = addresses(mirrors)
    place = Place(release, mirrors, policy or RetryPolicy())
    asked = part_numbers(parts)
    numbers = tuple(range(len(release.tars))) if asked is None else tuple(sorted(set(asked)))
    # The metadata may be kept from an earlier run; the tars are read anew.
    tars = [file for file in release.select(numbers) if file.is_tar]
    require_reachable(release, tars, mirrors, folder)
    if removals is None:
        removals = removals_for(folder)
    if removals:
        # How many there are is not known before all was read.
        logger.warning(
            "%s: leaving out the %d images of removal list %s, where they are",
            release.label,
            len(removals.hashes),
            removals.names,
        )
    if index is not None:
        path = Path(index).expanduser().absolute()
        read_index(path, release)
        return IndexedRemoteArchive(place, numbers, path, removals.hashes)
    with on_terminal() as progress:
        metadata = fetch_metadata(folder, release, mirrors=mirrors, progress=progress)
    return RemoteArchive(place, numbers, metadata, removals.hashes)


class _Image(NamedTuple):
    """An image as it was found.

    Attributes:
      hash: it is named by.
      jpeg: its bytes, until the reader is asked for more.
      file: the tar that it is in.
    """

    hash: str
    jpeg: memoryview
    file: ReleaseFile


class _Left(NamedTuple):
    """What is left of a stretch that was read: a process mostly goes on where it ended.

    Attributes:
      process: that read it; a connection cannot be shared with another.
      tar: position among the tars.
      start, stop: where the stretches that were read one after the other began and ended.
      position: of the first header after it.
      reader: with bytes that it has beyond.
    """

    process: int
    tar: int
    start: int
    stop: int
    position: int
    reader: RangeReader


@dataclass
class _Sizes:
    """Sizes of the images that were read."""

    _images: int = 0
    _bytes: int = 0

    def add(self, size_bytes: int) -> None:
        """One more."""
        self._images += 1
        self._bytes += size_bytes

    @property
    def usual(self) -> int:
        """More bytes than what most images have, with their header; 0 if that is not known."""
        return self._bytes * 5 // (self._images * 4) + BLOCK_BYTES if self._images else 0


@dataclass
class RemoteArchive(MadeAnew):
    """Images of a release that are found by the headers of its tars.

    It pickles to a few kilobytes; each process opens a connection of its own.

    Attributes:
      place: where the tars are.
      parts: part numbers to read.
      metadata: path of the metadata table.
      removed: hashes of images to be left out.
    """

    place: Place
    parts: tuple[int, ...]
    metadata: Path
    removed: frozenset[str] = frozenset()
    _table: MetadataTable | None = field(default=None, init=False, repr=False, compare=False)
    _left: _Left | None = field(default=None, init=False, repr=False, compare=False)
    _sizes: _Sizes = field(default_factory=_Sizes, init=False, repr=False, compare=False)
    _memory: BlockMemory = field(default_factory=BlockMemory, init=False, repr=False, compare=False)

    @property
    def _files(self) -> list[ReleaseFile]:
        tars = self.place.release.tars
        return [tars[part] for part in self.parts]

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """What `records` takes: stretches of bytes, together all there is."""
        return byte_ranges(sum(file.size_bytes for file in self._files), most)

    def records(self, first: int, last: int) -> Iterator[ImageRecord]:
        """Records whose first tar header begins in a range of bytes of all tars laid end to end.

        Raises:
          DownloadError: bytes cannot be had.
          ArchiveError: they are damaged, or no such tar as the release has.
        """
        known = self._metadata()
        for image in self._images(first, last):
            row = known.row(image.hash)
            if row["creator"] is None and image.hash not in known:
                self._require_row(image.hash, image.file)
            columns = {name: row[name] for name in METADATA_COLUMNS}
            yield ImageRecord(jpeg=bytes(image.jpeg), **columns)

    def blocks(
        self, ranges: Iterable[tuple[int, int]], *, most_rows: int, most_bytes: int
    ) -> Iterator[ImageBlock]:
        """The same of some ranges as columns, many images at a time.

        Args:
          most_rows: images in a block at most.
          most_bytes: bytes of images after which a block ends.

        Raises:
          DownloadError, ArchiveError: as `records`.
        """
        ranges = list(ranges)
        size_bytes = min(most_bytes, sum(last - first for first, last in ranges)) + _ROOM_BYTES
        filling, file = None, None
        for first, last in ranges:
            for image in self._images(first, last):
                if filling is None:
                    filling = Filling(self._memory, size_bytes)
                filling.add(image.hash, image.jpeg)
                file = image.file
                if len(filling.hashes) == most_rows or filling.size_bytes >= most_bytes:
                    yield self._block(filling, file)
                    filling = None
        if filling is not None and file is not None:
            yield self._block(filling, file)

    def _block(self, filling: Filling, file: ReleaseFile) -> ImageBlock:
        known = self._metadata()
        rows = known.rows(filling.hashes)
        for found, row in zip(filling.hashes, rows.tolist(), strict=True):
            if row < 0:
                self._require_row(found, file)
        hashes = {"hash": pa.array(filling.hashes, pa.string())}
        return ImageBlock(filling.jpegs(), hashes | known.columns(rows, _BLOCK_COLUMNS))

    def _images(self, first: int, last: int) -> Iterator[_Image]:
        """Images of a range, their bytes where they were read to, until the next one is asked."""
        sizes = [file.size_bytes for file in self._files]
        for stretch in stretches(sizes, first, last):
            yield from self._images_of(stretch, self._files[stretch.tar])

    def _images_of(self, stretch: Stretch, file: ReleaseFile) -> Iterator[_Image]:
        known = self._metadata()
        reader, first, since = self._reader(stretch, file)

        def keep(position: int) -> None:
            self._left = _Left(os.getpid(), stretch.tar, since, stretch.stop, position, reader)

        members = members_between(
            reader,
            file.filename,
            file.size_bytes,
            stretch.start,
            stretch.stop,
            known,
            first=first,
            on_end=keep,
        )
        for member in members:
            found = image_hash(member)
            if found is not None and member.kind == HARD_LINK:
                logger.warning(
                    "%s: %s is a hard link to %s and is left out: with index= it is not",
                    file.filename,
                    member.name,
                    member.link,
                )
            elif found is not None and found not in self.removed:
                jpeg = jpeg_at(reader, file.filename, found, member.offset, member.size_bytes)
                self._sizes.add(len(jpeg))
                yield _Image(found, jpeg, file)

    def _reader(self, stretch: Stretch, file: ReleaseFile) -> tuple[RangeReader, int | None, int]:
        """A reader of a stretch, where its first header is if known, and whence it has read on."""
        left, self._left = self._left, None
        if left is not None and left.process != os.getpid():
            left = None
        # The last image of a stretch ends behind it: to be asked for with the rest.
        stop = stretch.stop + self._sizes.usual
        if left is not None and (left.tar, left.stop) == (stretch.tar, stretch.start):
            # Who has come here from the last stretch but one will go on.
            goes_on = left.start < left.stop - (stretch.stop - stretch.start)
            left.reader.stop = file.size_bytes if goes_on else stop
            left.reader.begin_again()
            return left.reader, left.position, left.start
        first = 0 if stretch.start == 0 else None
        if first is None:
            stop = max(stop, stretch.start + SEARCH_BYTES)
        reader = self.place.reader(file, stop, None if left is None else left.reader)
        return reader, first, stretch.start

    def _require_row(self, found: str, file: ReleaseFile) -> None:
        """Refuses an image without metadata where each has some."""
        release = self.place.release
        if release.is_official:
            raise ArchiveError(
                f"{file.filename}: image {found} of {release.label} has no row in "
                f"{release.metadata.filename}: the tar read from is not of this release"
            )

    def _metadata(self) -> MetadataTable:
        if self._table is None:
            self._table = MetadataTable.open(self.metadata)
        return self._table
