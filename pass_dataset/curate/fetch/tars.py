"""The tar that a shard becomes: the photographs that are kept in order of row, bytes untouched.

Plain ustar without times and owners, so the same photographs give the same bytes.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pass_dataset.archives.tars import BLOCK_BYTES
from pass_dataset.curate.fetch.spool import Spool, disk_error
from pass_dataset.files.whole import writing_whole

__all__ = ["write_tar"]

_END = bytes(2 * BLOCK_BYTES)


def write_tar(
    path: Path, folder: str, names: Mapping[int, str], spool: Spool, check: Callable[[], None]
) -> dict[int, int]:
    """Writes a tar; it gets its name when it is whole.

    Args:
      path: its name.
      folder: within the tar.
      names: hash of each photograph, by row.
      spool: what was fetched.
      check: called before each photograph; raises if the work is to stop.

    Returns:
      Where the bytes of each photograph begin in it, by row.

    Raises:
      DiskSpaceError: the disk is full.
      OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    offsets: dict[int, int] = {}
    position = 0
    try:
        with writing_whole(path) as file:
            for row in sorted(row for row, receipt in spool.receipts.items() if receipt.is_kept):
                check()
                body = spool.body(row)
                info = tarfile.TarInfo(f"{folder}/{names[row]}.jpg")
                info.size = len(body)
                header = info.tobuf(tarfile.USTAR_FORMAT)
                offsets[row] = position + len(header)
                padding = -len(body) % BLOCK_BYTES
                file.write(header)
                file.write(body)
                file.write(bytes(padding))
                position += len(header) + len(body) + padding
            file.write(_END)
    except OSError as error:
        raise disk_error(path, error) from error
    return offsets
