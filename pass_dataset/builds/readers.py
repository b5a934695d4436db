"""Readers of archives that need no library: records, and streams over HTTP; for the catalogue."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pass_dataset.archives.records import ImageRecord, PassArchive
from pass_dataset.archives.removals import removals_for
from pass_dataset.archives.streaming import open_remote
from pass_dataset.builds.catalogue import Place, Reader, with_sha256
from pass_dataset.folders.state import INDEX_NAME

__all__ = ["READERS"]


def _archive(place: Place) -> PassArchive:
    return PassArchive(place.archives, removals=place.removals)


def _images(records: Iterable[ImageRecord]) -> Iterator[tuple[str, bytes]]:
    return with_sha256((record.hash, record.jpeg) for record in records)


def _records(place: Place) -> Iterator[tuple[str, bytes]]:
    return _images(_archive(place))


def _shuffled(place: Place) -> Iterator[tuple[str, bytes]]:
    return _images(_archive(place).iterate(shuffle_seed=0))


def _columns(place: Place) -> Iterator[tuple[str, None]]:
    hashes: list[str] = _archive(place).columns(["hash"])["hash"].to_pylist()
    return ((image_hash, None) for image_hash in hashes)


def _by_headers(place: Place) -> Iterator[tuple[str, bytes]]:
    return _streamed(place, index=None)


def _by_index(place: Place) -> Iterator[tuple[str, bytes]]:
    PassArchive(place.archives)  # has it made
    return _streamed(place, place.archives.state_path(INDEX_NAME))


def _streamed(place: Place, index: Path | None) -> Iterator[tuple[str, bytes]]:
    """As from a server whose files are those of the folder."""
    archives = place.archives
    with tempfile.TemporaryDirectory() as folder:
        remote = open_remote(
            archives.release,
            folder=Path(folder),
            parts=archives.parts,
            mirrors=[archives.path.as_uri()],
            index=index,
            removals=removals_for(archives.path, given=place.removals),
        )
        for first, last in remote.ranges(4):
            yield from _images(remote.records(first, last))


READERS = (
    Reader("PassArchive", _records, in_place=True),
    Reader("PassArchive, shuffled", _shuffled, in_place=True),
    Reader("PassArchive, columns", _columns, in_place=True),
    Reader("streaming, by tar headers", _by_headers, in_place=True),
    Reader("streaming, by the index", _by_index, in_place=True),
)
