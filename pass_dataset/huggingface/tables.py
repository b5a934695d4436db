"""Records as Arrow tables, without a Python value for each of their fields being looked at.

Row by row `datasets` encodes, checks and collects Python values; here each image is read into the
table's own memory, and its metadata is sliced out of the index. Records that come from elsewhere
are put together many at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.records import ImageRecord, PassArchive
from pass_dataset.archives.streaming import RemoteArchive
from pass_dataset.huggingface.features import FEATURES

__all__ = ["joined", "read_tables", "stream_tables", "tables_of"]

_COLUMNS = (
    *("hash", "tar", "offset", "size_bytes"),
    *("creator", "latitude", "longitude", "date_taken"),
)
#: Rows of a table at most: what `datasets` itself takes for images, so that one row is soon found.
_TABLE_ROWS = 100
#: Bytes of images in a table, unless a single one has more.
_TABLE_BYTES = 32 << 20


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same positions in as few ranges as there can be, in the same order."""
    longer: list[tuple[int, int]] = []
    for first, last in ranges:
        if longer and longer[-1][1] == first:
            longer[-1] = (longer[-1][0], last)
        else:
            longer.append((first, last))
    return longer


def read_tables(archive: PassArchive, ranges: Iterable[tuple[int, int]]) -> Iterator[pa.Table]:
    """Tables with `FEATURES` of some ranges of positions.

    Raises:
      ArchiveError: an image cannot be read.
    """
    batches = _batches(archive, ranges)
    batch = next(batches, None)
    while batch is not None:
        coming = next(batches, None)
        if coming is not None:
            # The disk reads the next images while these are copied and written.
            _expect(archive, coming)
        for piece in _pieces(batch):
            yield _table(archive, piece)
        batch = coming


def tables_of(records: Iterable[ImageRecord]) -> Iterator[pa.Table]:
    """The same of records, in the order in which they come."""
    coming = iter(records)
    for first in coming:
        some, size_bytes = [first], len(first.jpeg)
        # The limit is looked at after a record: a table has one more at most.
        for record in itertools.islice(coming, _TABLE_ROWS - 1):
            some.append(record)
            size_bytes += len(record.jpeg)
            if size_bytes >= _TABLE_BYTES:
                break
        yield _table_of(some)


def stream_tables(archive: RemoteArchive, ranges: Iterable[tuple[int, int]]) -> Iterator[pa.Table]:
    """The same of ranges of an archive elsewhere.

    Raises:
      DownloadError, ArchiveError: images cannot be had, or are damaged.
    """
    blocks = archive.blocks(ranges, most_rows=_TABLE_ROWS, most_bytes=_TABLE_BYTES)
    for block in blocks:
        yield _assembled(block.jpegs, block.columns)


def _table_of(records: list[ImageRecord]) -> pa.Table:
    hashes = pa.array([record.hash for record in records], pa.string())
    sizes = np.array([len(record.jpeg) for record in records], np.int64)
    memory = _JpegMemory(sizes)
    for number, record in enumerate(records):
        memory.of(number)[:] = record.jpeg
    rows = {
        "hash": hashes,
        "creator": pa.array([record.creator for record in records], pa.string()),
        "latitude": pa.array([record.latitude for record in records], pa.float64()),
        "longitude": pa.array([record.longitude for record in records], pa.float64()),
        "date_taken": pa.array([record.date_taken for record in records], pa.timestamp("us")),
    }
    return _assembled(memory.array(), rows)


def _batches(archive: PassArchive, ranges: Iterable[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
    for first, last in joined(ranges):
        for start in range(first, last, _TABLE_ROWS):
            yield archive[start : min(start + _TABLE_ROWS, last)].columns(_COLUMNS)


def _expect(archive: PassArchive, rows: pa.RecordBatch) -> None:
    for tar, offset, size_bytes in zip(
        *(rows[name].to_pylist() for name in ("tar", "offset", "size_bytes")), strict=True
    ):
        archive.tars.expect(tar, offset, size_bytes)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch, in pieces of bounded size."""
    ends = np.cumsum(batch["size_bytes"].to_numpy())
    first, before = 0, 0
    while first < batch.num_rows:
        last = max(first + 1, int(np.searchsorted(ends, before + _TABLE_BYTES, side="right")))
        yield batch.slice(first, last - first)
        first, before = last, int(ends[last - 1])


def _table(archive: PassArchive, rows: pa.RecordBatch) -> pa.Table:
    return _assembled(_jpegs(archive, rows), rows)


def _assembled(jpegs: pa.BinaryArray, rows: pa.RecordBatch | dict[str, pa.Array]) -> pa.Table:
    names = pc.binary_join_element_wise(rows["hash"], ".jpg", "")
    image = pa.StructArray.from_arrays([jpegs, names], ["bytes", "path"])
    columns: dict[str, Any] = {
        "image": image,
        "creator_uname": rows["creator"],
        "hash": rows["hash"],
        "gps_lat": rows["latitude"].cast(pa.float32()),
        "gps_lon": rows["longitude"].cast(pa.float32()),
        "date_taken": rows["date_taken"],
    }
    return pa.table({name: columns[name] for name in FEATURES})


def _jpegs(archive: PassArchive, rows: pa.RecordBatch) -> pa.BinaryArray:
    memory = _JpegMemory(rows["size_bytes"].to_numpy())
    places = zip(
        rows["tar"].to_pylist(), rows["offset"].to_pylist(), rows["hash"].to_pylist(), strict=True
    )
    for number, (tar, offset, image_hash) in enumerate(places):
        archive.tars.read_into(tar, offset, memory.of(number), image_hash)
    return memory.array()


class _JpegMemory:
    """Memory for images' bytes, one after the other in one piece."""

    def __init__(self, sizes: npt.NDArray[np.int64]) -> None:
        self._ends = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=self._ends[1:])
        self._data = pa.allocate_buffer(int(self._ends[-1]))
        self._view = memoryview(self._data).cast("B")

    def of(self, number: int) -> memoryview:
        """That of an image."""
        return self._view[self._ends[number] : self._ends[number + 1]]

    def array(self) -> pa.BinaryArray:
        """All of them."""
        # 32 bits count the bytes of an Arrow binary array; one image of 2 GiB would be no
        # photograph.
        offsets = pa.py_buffer(self._ends.astype(np.int32))
        buffers = [None, offsets, self._data]
        return pa.BinaryArray.from_buffers(pa.binary(), len(self._ends) - 1, buffers)
