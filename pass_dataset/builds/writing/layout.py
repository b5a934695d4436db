"""Which record goes into which shard: an order fixed by the hashes, and where shards begin.

The order is that of TFDS, for every library, so that a build through TFDS's own generator path has
the same records in the same places: records sorted by the MD5 of the split's name and the record's
key (tensorflow_datasets/core/hashing.py and shuffle.py), cut into shards of nearly equal count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.archives.records import PassArchive
from pass_dataset.builds.writing.shard_files import ShardFormat

__all__ = ["ORDER_VERSION", "Layout", "hashed_order", "lay_out", "shuffled_records"]

#: Change it when order or bytes of the records change: half-built folders are then begun anew.
ORDER_VERSION = 2

_COLUMNS = [
    "hash",
    "tar",
    "offset",
    "size_bytes",
    "creator",
    "date_taken_text",
    "date_taken",
    "latitude",
    "longitude",
]

_TEXTS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Layout:
    """The records of a split in the order in which they are written, and their shards.

    Attributes:
      records: one batch with the columns of `shuffled_records`.
      stops: for each shard, the position after its last record.
      shard_bytes: for each shard, bytes of its examples without any framing.
    """

    records: pa.RecordBatch
    stops: tuple[int, ...]
    shard_bytes: tuple[int, ...]

    @property
    def shard_lengths(self) -> list[int]:
        """Number of records of each shard."""
        starts = (0, *self.stops[:-1])
        return [stop - start for start, stop in zip(starts, self.stops, strict=True)]

    def shard(self, number: int) -> pa.RecordBatch:
        """The records of one shard."""
        start = self.stops[number - 1] if number else 0
        return self.records.slice(start, self.stops[number] - start)


def lay_out(records: pa.RecordBatch, num_shards: int) -> Layout:
    """Cuts records into shards, at the places where TFDS's `get_shard_boundaries` does.

    Raises:
      ValueError: there are fewer records than shards.
    """
    length = records.num_rows
    if not 1 <= num_shards <= length:
        raise ValueError(
            f"expected between 1 and {length:,} shards for {length:,} records, found {num_shards:,}"
        )
    stops = tuple(round(length * number / num_shards) for number in range(1, num_shards + 1))
    ends = np.cumsum(records["example_bytes"].to_numpy())[np.array(stops) - 1]
    return Layout(records, stops, tuple(np.diff(ends, prepend=0).tolist()))


def hashed_order(hashes: Iterable[str], split: str) -> np.ndarray[Any, Any]:
    """Positions (int64) in the order of the salted MD5 of the hashes."""
    salted = hashlib.md5(split.encode())
    digests = bytearray()
    for image_hash in hashes:
        digest = salted.copy()
        digest.update(image_hash.encode())
        digests += digest.digest()
    halves = np.frombuffer(digests, ">u8").reshape(-1, 2)
    return np.lexsort((halves[:, 1], halves[:, 0]))


def _texts(hashes: pa.Array) -> Iterator[str]:
    """An array's values, of which only some are Python text at a time: that is 90 bytes each."""
    for start in range(0, len(hashes), _TEXTS_AT_ONCE):
        yield from hashes.slice(start, _TEXTS_AT_ONCE).to_pylist()


def shuffled_records(
    archive: PassArchive, split: str, shard_format: ShardFormat, limit: int | None = None
) -> pa.RecordBatch:
    """What a writer must know of each record, in the order of writing.

    Args:
      archive: the records.
      split: name of the split, the salt of the order.
      shard_format: knows the sizes of the examples.
      limit: only so many, the first in the order of the archives; None for all.

    Returns:
      The columns ``hash`` (string), ``tar`` (uint8, counting in ``archive.summary.tars``),
      ``offset``, ``size_bytes`` (int64), ``creator``, ``date_taken_text`` (string), ``date_taken``
      (timestamp[us]), ``latitude`` and ``longitude`` (float32), null where not known, and
      ``example_bytes`` (int64, size of the example).
    """
    chosen = archive[:limit]
    order = hashed_order(_texts(chosen.columns(["hash"])["hash"]), split)
    taken = chosen[order].columns(_COLUMNS)
    for name in ("latitude", "longitude"):
        place = taken.schema.get_field_index(name)
        taken = taken.set_column(place, name, taken[name].cast(pa.float32(), safe=False))
    return taken.append_column("example_bytes", pa.array(shard_format.example_sizes(taken)))
