"""From tars to a shard: each JPEG read once and written once."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pass_dataset.errors import BuildError
from pass_dataset.records import OpenTars
from pass_dataset.tfds.building.shards import FORMATS
from pass_dataset.tfds.building.wire import GPS_BYTES, before_jpeg

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write_shard"]

#: Records whose columns are turned into Python values at a time.
_BLOCK_ROWS = 1024
#: How far ahead the system is told what will be read. Records of a shard lie all over the tars:
#: without this a disk would do one request after the other.
_AHEAD_BYTES = 16 << 20
#: Bytes between two reports of progress.
_REPORT_BYTES = 16 << 20


class _Place(NamedTuple):
    tar: int
    offset: int
    size_bytes: int
    image_hash: bytes
    creator: bytes
    date_taken: bytes
    gps: bytes


def write_shard(
    records: pa.RecordBatch,
    tars: OpenTars,
    path: Path,
    file_format: str,
    report: Callable[[int], None],
) -> None:
    """Writes one shard; it gets its name when it is whole.

    Args:
      records: what goes in, as `layout.shuffled_records` gives it.
      tars: where the images are.
      path: the file; while it is written, its name begins with ``incomplete.`` and six random
        characters, which TFDS knows to remove too.
      file_format: a key of `shards.FORMATS`.
      report: called with the bytes of examples written since it was called last.

    Raises:
      ArchiveError: an image cannot be read.
      BuildError: the shard cannot be written.
    """
    # Random, so that two that write the same shard (as Beam's retries may) do no harm.
    beside = path.with_name(f"incomplete.{secrets.token_hex(3)}.{path.name}")
    reported = 0
    try:
        with FORMATS[file_format](beside) as shard:
            for place in _with_readahead(records, tars):
                jpeg = tars.read(
                    place.tar, place.offset, place.size_bytes, place.image_hash.decode()
                )
                head = before_jpeg(
                    len(jpeg), place.creator, place.date_taken, place.gps, place.image_hash
                )
                shard.add(head, jpeg)
                reported += len(head) + len(jpeg)
                if reported >= _REPORT_BYTES:
                    report(reported)
                    reported = 0
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BuildError(_unwritable(path, error)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    report(reported)


def _unwritable(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path}: the disk is full ({error.strerror}); make room and build again"
    if error.errno == errno.EFBIG:
        return f"{path}: files of this size are not allowed here ({error.strerror})"
    return f"{path}: cannot be written: {error.strerror or error}"


def _with_readahead(records: pa.RecordBatch, tars: OpenTars) -> Iterator[_Place]:
    """The places, each announced to the system some megabytes before it is read."""
    expected = 0
    announced = _places(records)
    for place in _places(records):
        while expected < _AHEAD_BYTES:
            coming = next(announced, None)
            if coming is None:
                break
            tars.expect(coming.tar, coming.offset, coming.size_bytes)
            expected += coming.size_bytes
        yield place
        expected -= place.size_bytes


def _places(records: pa.RecordBatch) -> Iterator[_Place]:
    for start in range(0, records.num_rows, _BLOCK_ROWS):
        yield from _block(records.slice(start, _BLOCK_ROWS))


def _block(records: pa.RecordBatch) -> Iterator[_Place]:
    import numpy as np
    import pyarrow as pa

    gps = np.stack([records[name].to_numpy() for name in ("latitude", "longitude")], axis=1)
    gps_bytes = gps.astype("<f4").tobytes()
    pairs = [
        gps_bytes[start : start + 2 * GPS_BYTES]
        for start in range(0, len(gps_bytes), 2 * GPS_BYTES)
    ]
    numbers = (records[name].to_numpy().tolist() for name in ("tar", "offset", "size_bytes"))
    texts = (
        records[name].cast(pa.binary()).to_pylist() for name in ("hash", "creator", "date_taken")
    )
    yield from map(_Place, *numbers, *texts, pairs)
