"""From tars to a shard of TFDS: each JPEG read once and written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.builds.writing.readahead import with_readahead
from pass_dataset.tfds.frames import FORMATS, shard_size
from pass_dataset.tfds.wire import GPS_BYTES, before_jpeg, example_sizes

__all__ = ["TfdsFormat"]

#: Records whose columns are turned into Python values at a time.
_BLOCK_ROWS = 1024


class _Place(NamedTuple):
    tar: int
    offset: int
    size_bytes: int
    image_hash: bytes
    creator: bytes
    date_taken: bytes
    gps: bytes


@dataclass(frozen=True)
class TfdsFormat:
    """A file format of TFDS.

    Attributes:
      name: a key of `shards.FORMATS`.
    """

    name: str

    def example_sizes(self, records: pa.RecordBatch) -> np.ndarray[Any, Any]:
        """Bytes of each ``tf.train.Example``."""
        texts = (
            pc.fill_null(pc.binary_length(records[name]), 0).to_numpy(zero_copy_only=False)
            for name in ("creator", "date_taken_text", "hash")
        )
        return example_sizes(records["size_bytes"].to_numpy(), *texts)

    def write(
        self, records: pa.RecordBatch, tars: OpenTars, path: Path, report: Callable[[int], None]
    ) -> None:
        """Writes a shard, see `building.shard_files.ShardFormat`."""
        with FORMATS[self.name](path) as shard:
            for place in with_readahead(lambda: _places(records), tars):
                jpeg = tars.read(
                    place.tar, place.offset, place.size_bytes, place.image_hash.decode()
                )
                head = before_jpeg(
                    len(jpeg), place.creator, place.date_taken, place.gps, place.image_hash
                )
                shard.add(head, jpeg)
                report(len(head) + len(jpeg))

    def fits(self, path: Path, size_bytes: int, records: int, example_bytes: int) -> bool:
        """True if the file has the size of such a shard, or may have where that is not known."""
        expected = shard_size(self.name, records, example_bytes)
        return size_bytes == expected if expected is not None else size_bytes > example_bytes


def _places(records: pa.RecordBatch) -> Iterator[_Place]:
    for start in range(0, records.num_rows, _BLOCK_ROWS):
        yield from _block(records.slice(start, _BLOCK_ROWS))


def _block(records: pa.RecordBatch) -> Iterator[_Place]:
    # What is not known is NaN or empty in TFDS.
    degrees = (
        pc.fill_null(records[name], float("nan")).to_numpy() for name in ("latitude", "longitude")
    )
    gps_bytes = np.stack(list(degrees), axis=1).astype("<f4").tobytes()
    pairs = [
        gps_bytes[start : start + 2 * GPS_BYTES]
        for start in range(0, len(gps_bytes), 2 * GPS_BYTES)
    ]
    numbers = (records[name].to_numpy().tolist() for name in ("tar", "offset", "size_bytes"))
    texts = (
        pc.fill_null(records[name], "").cast(pa.binary()).to_pylist()
        for name in ("hash", "creator", "date_taken_text")
    )
    yield from map(_Place, *numbers, *texts, pairs)
