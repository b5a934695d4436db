"""One shard, from tars to a file that gets its name when it is whole."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.errors import BuildError
from pass_dataset.files.whole import begin_sync, sync_file

__all__ = ["ShardFormat", "name_shard", "write_beside", "write_shard"]

#: Bytes between two reports of progress.
_REPORT_BYTES = 16 << 20


class ShardFormat(Protocol):
    """How a library's shards are written. Worker processes are given it, so it must pickle."""

    @property
    def name(self) -> str:
        """Tells it from others; a half-built folder of another one is not continued."""

    def example_sizes(self, records: pa.RecordBatch) -> np.ndarray[Any, Any]:
        """Bytes of each example without any framing (int64).

        Args:
          records: with the columns of `layout.shuffled_records`, but for ``example_bytes``.
        """

    def write(
        self, records: pa.RecordBatch, tars: OpenTars, path: Path, report: Callable[[int], None]
    ) -> None:
        """Writes a shard.

        Args:
          records: what goes in, as `layout.shuffled_records` gives it.
          tars: where the images are.
          path: the file.
          report: is told the bytes of every few examples.

        Raises:
          ArchiveError: an image cannot be read.
          OSError, BuildError: the file cannot be written.
        """

    def fits(self, path: Path, size_bytes: int, records: int, example_bytes: int) -> bool:
        """True if a file can be the whole shard of so many records and bytes of examples."""


def write_shard(
    records: pa.RecordBatch,
    tars: OpenTars,
    path: Path,
    shard_format: ShardFormat,
    report: Callable[[int], None],
) -> None:
    """Writes one shard; it gets its name when it is whole and on the disk.

    Args:
      records, tars, path, shard_format, report: as those of `write_beside`.

    Raises:
      ArchiveError: an image cannot be read.
      BuildError: the shard cannot be written.
    """
    name_shard(write_beside(records, tars, path, shard_format, report), path)


def write_beside(
    records: pa.RecordBatch,
    tars: OpenTars,
    path: Path,
    shard_format: ShardFormat,
    report: Callable[[int], None],
) -> Path:
    """Writes one shard under another name; `name_shard` gives it its own.

    Args:
      records: what goes in, as `layout.shuffled_records` gives it.
      tars: where the images are.
      path: the file that it is to be.
      shard_format: how.
      report: called with the bytes of examples written since it was called last.

    Returns:
      Where it is: its name begins with ``incomplete.`` and six random characters, which TFDS knows
      to remove too.

    Raises:
      ArchiveError: an image cannot be read.
      BuildError: the shard cannot be written.
    """
    # Random, so that two that write the same shard (as Beam's retries may) do no harm.
    beside = path.with_name(f"incomplete.{secrets.token_hex(3)}.{path.name}")
    written = _Written(report)
    try:
        shard_format.write(records, tars, beside, written.add)
        # Whoever names it waits for that, and has less to wait for.
        begin_sync(beside)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BuildError(_unwritable(path, error)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    written.flush()
    return beside


def name_shard(beside: Path, path: Path) -> None:
    """Gives a shard its name once it is on the disk.

    Raises:
      BuildError: it cannot be.
    """
    try:
        sync_file(beside)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BuildError(_unwritable(path, error)) from error


class _Written:
    """Counts bytes, and reports them many at a time."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._bytes = 0

    def add(self, size_bytes: int) -> None:
        self._bytes += size_bytes
        if self._bytes >= _REPORT_BYTES:
            self.flush()

    def flush(self) -> None:
        self._report(self._bytes)
        self._bytes = 0


def _unwritable(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path}: the disk is full ({error.strerror}); make room and build again"
    if error.errno == errno.EFBIG:
        return f"{path}: files of this size are not allowed here ({error.strerror})"
    return f"{path}: cannot be written: {error.strerror or error}"
