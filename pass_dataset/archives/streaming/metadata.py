"""The metadata table by hash: fetched once, verified, and then read through a memory map.

The CSV of a whole release has 150 MB, and reading it takes a second and a gigabyte of memory.
"""

from __future__ import annotations

import bisect
import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.archives.hash_order import first_bytes
from pass_dataset.archives.metadata import METADATA_COLUMNS, read_metadata
from pass_dataset.downloads.downloader import download_metadata
from pass_dataset.errors import FolderError
from pass_dataset.files.arrow import column_of, map_file, save_batch
from pass_dataset.folders.lock import hold
from pass_dataset.progress import Progress
from pass_dataset.releases.release import Release

__all__ = ["MetadataTable", "fetch_metadata"]

logger = logging.getLogger(__name__)

#: Change it when the columns or their order change.
_SCHEMA = b"1"
_SCHEMA_KEY = b"pass_dataset_schema"
_SHA256_KEY = b"pass_dataset_csv_sha256"
#: Rows from one mark to the next.
_MARK_ROWS = 32


@dataclass(frozen=True)
class MetadataTable:
    """Rows of a metadata CSV, sorted by hash.

    Attributes:
      table: the columns of `pass_dataset.archives.metadata.read_metadata`.
    """

    table: pa.RecordBatch

    @classmethod
    def open(cls, path: Path) -> MetadataTable:
        """Opens what `fetch_metadata` keeps."""
        try:
            return cls(map_file(path).get_batch(0))
        except ValueError as error:
            raise FolderError(
                f"{path}: cannot be read: {error}; remove it, and it is made anew"
            ) from error

    def __contains__(self, image_hash: object) -> bool:
        return isinstance(image_hash, str) and self._row(image_hash) is not None

    def row(self, image_hash: str) -> dict[str, Any]:
        """What is known of an image; None for everything if it has no row."""
        row = self._row(image_hash)
        if row is None:
            return dict.fromkeys(METADATA_COLUMNS) | {"hash": image_hash}
        return {name: column[row].as_py() for name, column in self._columns}

    def rows(self, hashes: Sequence[str]) -> npt.NDArray[np.int64]:
        """Where the rows of images are; -1 for one that has none."""
        wanted = [image_hash.encode("utf-8", "surrogateescape") for image_hash in hashes]
        firsts = first_bytes(pa.array(wanted, pa.binary()))
        # Between one that is before a hash and one that is behind it few are left to look at.
        before = np.searchsorted(self._marks, firsts, side="left") - 1
        behind = np.searchsorted(self._marks, firsts, side="right")
        firsts_rows = np.maximum(before, 0) * _MARK_ROWS
        last_rows = np.minimum(behind * _MARK_ROWS, len(self._hashes))
        rows = map(self._row_between, wanted, firsts_rows.tolist(), last_rows.tolist())
        return np.array([-1 if row is None else row for row in rows], np.int64)

    def columns(self, rows: npt.NDArray[np.int64], names: Sequence[str]) -> dict[str, pa.Array]:
        """What is known of images; null where they have no row.

        Args:
          rows: of the images, as `rows` has them.
          names: of the columns wanted.
        """
        places = pa.array(rows, mask=rows < 0)
        return {name: self.table[name].take(places) for name in names}

    def _row(self, image_hash: str) -> int | None:
        wanted = image_hash.encode("utf-8", "surrogateescape")
        return self._row_between(wanted, 0, len(self._hashes))

    def _row_between(self, wanted: bytes, first: int, last: int) -> int | None:
        row = bisect.bisect_left(self._hashes, wanted, first, last)
        return row if row < len(self._hashes) and self._hashes[row] == wanted else None

    @functools.cached_property
    def _columns(self) -> list[tuple[str, pa.Array]]:
        return list(zip(self.table.schema.names, self.table.columns, strict=True))

    @functools.cached_property
    def _marks(self) -> npt.NDArray[np.uint64]:
        """The first bytes of some hashes in equal distances, to be searched many at a time."""
        rows = np.arange(0, len(self._hashes), _MARK_ROWS)
        return first_bytes(self.table["hash"].take(column_of(rows)))

    @functools.cached_property
    def _hashes(self) -> _Texts:
        return _Texts(self.table["hash"])


class _Texts(Sequence[bytes]):
    """Strings of Arrow as UTF-8, where they lie; a scalar of each would take ten times as long."""

    def __init__(self, strings: pa.StringArray) -> None:
        _, ends, text = strings.buffers()
        self._length = len(strings)
        self._ends = memoryview(ends or b"").cast("i")[strings.offset :]
        self._text = memoryview(text or b"")

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: Any) -> Any:
        return bytes(self._text[self._ends[index] : self._ends[index + 1]])


def fetch_metadata(
    folder: Path, release: Release, *, mirrors: Sequence[str], progress: Progress
) -> Path:
    """Sees to it that the folder has the metadata of a release.

    Args:
      folder: where it is kept; made if missing.
      release: whose.
      mirrors: base URLs tried before the published place.
      progress: where the download is shown.

    Returns:
      The path for `MetadataTable.open`.

    Raises:
      DownloadError, DiskSpaceError, FolderError: it cannot be fetched, or not be kept.
      MetadataError: it cannot be read.
    """
    path = folder / "pass_metadata.arrow"
    sha256 = release.metadata.sha256.encode()
    if _is_of(path, sha256):
        return path
    logger.warning(
        "%s: streaming needs the metadata of %s; fetching it once (%.0f MB), for this and all "
        "later runs",
        folder,
        release.label,
        release.metadata.size_bytes / 1e6,
    )
    csv = download_metadata(folder, release, mirrors=mirrors, progress=progress)
    with hold(folder, is_needed=False):
        if not _is_of(path, sha256):  # else another process was faster
            _write(csv, path, sha256)
    return path


def _is_of(path: Path, sha256: bytes) -> bool:
    try:
        kept = map_file(path, must_be_summed=True).schema.metadata or {}
    except (OSError, ValueError):
        return False
    return kept.get(_SCHEMA_KEY) == _SCHEMA and kept.get(_SHA256_KEY) == sha256


def _write(csv: Path, path: Path, sha256: bytes) -> None:
    table = read_metadata(csv).sort_by("hash").combine_chunks()
    table = table.replace_schema_metadata({_SCHEMA_KEY: _SCHEMA, _SHA256_KEY: sha256})
    batches = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    try:
        save_batch(path, batches[0])
    except OSError as error:
        raise FolderError(f"{path}: cannot be written: {error.strerror or error}") from error
