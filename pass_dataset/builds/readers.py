"""Readers of archives that need no library: records, and streams over HTTP; for the catalogue."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import removals_for
from pass_dataset.archives.streaming import open_remote
from pass_dataset.builds.catalogue import Place, Reader
from pass_dataset.folders.state import INDEX_NAME

__all__ = ["READERS"]


def _archive(place: Place) -> PassArchive:
    return PassArchive(place.archives, removals=place.removals)


def _records(place: Place) -> Iterator[str]:
    return (record.hash for record in _archive(place))


def _shuffled(place: Place) -> Iterator[str]:
    return (record.hash for record in _archive(place).iterate(shuffle_seed=0))


def _columns(place: Place) -> list[str]:
    hashes: list[str] = _archive(place).columns(["hash"])["hash"].to_pylist()
    return hashes


def _by_headers(place: Place) -> Iterator[str]:
    return _streamed(place, index=None)


def _by_index(place: Place) -> Iterator[str]:
    PassArchive(place.archives)  # has it made
    return _streamed(place, place.archives.state_path(INDEX_NAME))


def _streamed(place: Place, index: Path | None) -> Iterator[str]:
    """As from a server whose files are those of the folder."""
    archives = place.archives
    with tempfile.TemporaryDirectory() as folder:
        remote = open_remote(
            archives.release.origin if index is None else archives.release,
            folder=Path(folder),
            parts=archives.parts,
            mirrors=[archives.path.as_uri()],
            index=index,
            removals=removals_for(archives.path, given=place.removals),
        )
        for first, last in remote.ranges(4):
            for record in remote.records(first, last):
                yield record.hash


READERS = (
    Reader("PassArchive", _records, in_place=True),
    Reader("PassArchive, shuffled", _shuffled, in_place=True),
    Reader("PassArchive, columns", _columns, in_place=True),
    Reader("streaming, by tar headers", _by_headers, in_place=True),
    Reader("streaming, by the index", _by_index, in_place=True),
)
