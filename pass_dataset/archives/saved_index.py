"""An index as it is kept: an Arrow file, believed only where it fits the files that lie there.

It is read through a memory map: opening it takes milliseconds, and all processes of a machine share
its pages. It is believed if

- its bytes fit its checksum, and it speaks of the release's tars and of places within them;
- the files have the sizes and times that they had when it was made. Copies that keep times, as
  ``rsync -a`` and ``cp -a`` make them, have these too. Where the system says that a tar was changed
  since all the same (a copy, other rights, or bytes written under an old time), the headers of some
  hundred images are compared with it.

What is not believed is made anew.
"""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.archives.tars import BLOCK_BYTES, has_image_at
from pass_dataset.errors import FolderError
from pass_dataset.files.arrow import map_file, numbers_of, save_batch
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.file_mark import FileMark
from pass_dataset.folders.state import INDEX_NAME, state_places
from pass_dataset.releases.release import Release

__all__ = [
    "ArchiveIndex",
    "IndexSummary",
    "load_index",
    "marks_of",
    "read_index",
    "save_index",
]

logger = logging.getLogger(__name__)

#: Change it whenever the columns or their meaning change: older files are then made anew.
_SCHEMA = 2
_META_KEY = b"pass_dataset"
#: Images whose headers are looked at where a tar may have been written since.
_LOOKED_AT = 512
#: Columns and types, but for the numbers of tars, which are as wide as they have to be.
_TYPES = {
    "hash": "string",
    "offset": "int64",
    "size_bytes": "int64",
    "creator": "string",
    "license": "string",
    "date_taken_text": "string",
    "date_taken": "timestamp[us]",
    "latitude": "double",
    "longitude": "double",
    "by_hash": "int32",
}


@dataclass(frozen=True)
class IndexSummary:
    """What was counted while the index was made.

    Attributes:
      version: release.
      tars: names of the tars, in order; row values of column ``tar`` count in this list.
      parts: part number of each of these tars.
      images: number of images.
      image_bytes: bytes of all images.
      folders: folder entries in the tars.
      others: members that are neither image nor folder.
      without_metadata: images without a row in the CSV.
      without_image: rows of the CSV without an image (with all parts present).
    """

    version: str
    tars: tuple[str, ...]
    parts: tuple[int, ...]
    images: int
    image_bytes: int
    folders: int
    others: int
    without_metadata: int
    without_image: int


@dataclass(frozen=True)
class ArchiveIndex:
    """Images of an archive folder, one row each, in the order they stand in the tars.

    Its table has the images on removal lists too, and is not for readers: these see it through
    `pass_dataset.archives.index_view.IndexView`, which is told what to leave out.

    Attributes:
      summary: what was counted.
      fingerprint: tells the files it is of from others, here and wherever they are copied to.
      marks: of its tars, as they were found when it was opened; empty for archives elsewhere.
    """

    summary: IndexSummary
    #: One record batch with the columns ``hash`` (string), ``tar`` (uint8, or wider), ``offset``,
    #: ``size_bytes`` (int64), ``creator``, ``license``, ``date_taken_text`` (string or null),
    #: ``date_taken`` (timestamp[us] or null), ``latitude``, ``longitude`` (float64 or null), and
    #: ``by_hash`` (int32): row numbers in the order of the hashes.
    _table: pa.RecordBatch = field(repr=False)

    fingerprint: Mapping[str, Any] = field(default_factory=dict, repr=False)
    marks: tuple[FileMark, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def of_files(self, archives: ArchiveFolder, marks: Mapping[str, FileMark]) -> ArchiveIndex:
        """The same, of files that were found in a folder."""
        return replace(
            self,
            fingerprint=_fingerprint(archives.release, marks),
            marks=tuple(marks[name] for name in self.summary.tars),
        )


def marks_of(archives: ArchiveFolder) -> dict[str, FileMark]:
    """The release's files that are there: they differ whenever one was changed, comes, or goes."""
    marks = {
        file.filename: FileMark.at(archives.path / file.filename) for file in archives.release.files
    }
    return {name: mark for name, mark in marks.items() if mark is not None}


def _fingerprint(release: Release, marks: Mapping[str, FileMark]) -> dict[str, Any]:
    """What copies of the files have in common with them, as JSON knows it."""
    files = {name: list(mark.content) for name, mark in marks.items()}
    return {"schema": _SCHEMA, "version": release.version, "name": release.name, "files": files}


def save_index(archives: ArchiveFolder, index: ArchiveIndex, marks: Mapping[str, FileMark]) -> None:
    """Keeps an index for the next time; if that cannot be, it is said."""
    path = archives.state_path(INDEX_NAME, for_writing=True)
    meta = {
        "fingerprint": _fingerprint(archives.release, marks),
        "changed": {name: mark.changed_ns for name, mark in marks.items()},
        "summary": asdict(index.summary),
    }
    try:
        metadata = {_META_KEY: json.dumps(meta).encode()}
        save_batch(path, index._table.replace_schema_metadata(metadata))
    except OSError as error:
        logger.warning("%s: the index cannot be saved and will be made again: %s", path, error)


def load_index(archives: ArchiveFolder, marks: Mapping[str, FileMark]) -> ArchiveIndex | None:
    """The saved index, or None if there is none that fits.

    Args:
      archives: the folder.
      marks: of the files that are there, see `marks_of`.
    """
    for path in state_places(archives.path, INDEX_NAME):
        index = _load(path, archives, marks)
        if index is not None:
            return index
    return None


def _load(
    path: Path, archives: ArchiveFolder, marks: Mapping[str, FileMark]
) -> ArchiveIndex | None:
    try:
        meta, index = _read(path, archives.release)
        changed = {name for name, mark in marks.items() if meta["changed"][name] != mark.changed_ns}
    except FileNotFoundError:
        return None
    except _UNREADABLE as error:
        logger.warning("%s cannot be used (%s); the index is made anew", path, error)
        return None
    if meta["fingerprint"] != _fingerprint(archives.release, marks):
        logger.info("%s: the archives have changed; the index is made anew", path)
        return None
    index = index.of_files(archives, marks)
    if changed & set(index.summary.tars) and not _has_its_headers(archives.path, index):
        logger.warning("%s: the tars have other images now; the index is made anew", path)
        return None
    return index


#: What a file that is no index of this version makes its reading raise.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)


def _read(path: Path, release: Release) -> tuple[dict[str, Any], ArchiveIndex]:
    """A saved index and what is known of the files it was made from.

    Raises:
      OSError, ValueError, KeyError, TypeError, AttributeError, IndexError: it cannot be believed.
    """
    reader = map_file(path, must_be_summed=True)
    meta = json.loads(reader.schema.metadata[_META_KEY])
    if meta["fingerprint"]["schema"] != _SCHEMA:
        raise ValueError(f"schema {meta['fingerprint']['schema']}, expected {_SCHEMA}")
    summary = meta["summary"]
    summary["tars"], summary["parts"] = tuple(summary["tars"]), tuple(summary["parts"])
    index = ArchiveIndex(IndexSummary(**summary), reader.get_batch(0))
    files = meta["fingerprint"]["files"]
    _check(index, release, [files[name][0] for name in index.summary.tars])
    return meta, index


def _check(index: ArchiveIndex, release: Release, tar_bytes: Sequence[int]) -> None:
    """Refuses an index of other files than the release's, or of places outside of them.

    Raises:
      ValueError: with what is wrong.
    """
    summary, table = index.summary, index._table
    named = {(part, file.filename) for part, file in enumerate(release.tars)}
    strangers = set(zip(summary.parts, summary.tars, strict=True)) - named
    if strangers:
        raise ValueError(f"{min(strangers)[1]!r} is no tar of {release.label}")
    types = {field.name: str(field.type) for field in table.schema}
    if types.pop("tar", "none")[:4] != "uint" or types != _TYPES:
        raise ValueError(f"expected other columns than {', '.join(table.schema.names)}")
    if len(index) != summary.images:
        raise ValueError(f"expected {summary.images:,} images, found {len(index):,}")
    tars, starts, sizes, rows = (
        numbers_of(table[name]) for name in ("tar", "offset", "size_bytes", "by_hash")
    )
    if len(index) and (tars.max() >= len(tar_bytes) or rows.min() < 0 or rows.max() >= len(index)):
        raise ValueError("it counts in tars or images that there are none of")
    if (starts < BLOCK_BYTES).any() or (sizes < 0).any():
        raise ValueError("it has images before the beginning of a tar, or of less than no bytes")
    # Not their sum, which may be beyond what 64 bits count.
    if (sizes > np.array(tar_bytes, np.int64)[tars] - starts).any():
        raise ValueError("it has images behind the end of a tar")


def _has_its_headers(folder: Path, index: ArchiveIndex) -> bool:
    """True if some hundred images have the headers that they should have."""
    chosen = np.unique(np.linspace(0, max(0, len(index) - 1), _LOOKED_AT, dtype=np.int64))
    rows = index._table.select(["hash", "tar", "offset", "size_bytes"])
    by_tar: dict[int, list[dict[str, Any]]] = {}
    for row in rows.take(pa.array(chosen[: len(index)])).to_pylist():
        by_tar.setdefault(row["tar"], []).append(row)
    try:
        for tar, images in by_tar.items():
            handle = os.open(folder / index.summary.tars[tar], os.O_RDONLY | os.O_CLOEXEC)
            try:
                read = functools.partial(os.pread, handle)
                if not all(
                    has_image_at(read, row["offset"], row["size_bytes"], row["hash"])
                    for row in images
                ):
                    return False
            finally:
                os.close(handle)
    except OSError:
        return False
    return True


def read_index(path: Path, release: Release) -> ArchiveIndex:
    """An index that was saved elsewhere, for archives that are not here.

    Args:
      path: ``pass_index.arrow`` of an archive folder of the release.
      release: whose tars it is to speak of.

    Raises:
      FolderError: it is no index, or one of other files.
    """
    try:
        meta, index = _read(path, release)
        sizes = {name: facts[0] for name, facts in meta["fingerprint"]["files"].items()}
    except _UNREADABLE as error:
        raise FolderError(
            f"{path}: cannot be read as an index of {release.label}: {error}. pass-dataset index "
            f"makes one, {INDEX_NAME}, in an archive folder."
        ) from error
    expected = {file.filename: file.size_bytes for file in release.files}
    wrong = [name for name, size in sizes.items() if expected.get(name) != size]
    if wrong:
        raise FolderError(
            f"{path}: is the index of other files than those of {release.label}: {wrong[0]} had "
            f"{sizes[wrong[0]]:,} bytes there. Give the index of this release, or none."
        )
    return index
