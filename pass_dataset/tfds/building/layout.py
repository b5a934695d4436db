"""Which record goes into which shard: an order fixed by the hashes, and where shards begin.

The order is that of TFDS, so that a build through its own generator path has the same records in
the same places: records sorted by the MD5 of the split's name and the record's key
(tensorflow_datasets/core/hashing.py and shuffle.py), cut into shards of nearly equal count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pass_dataset.tfds.building.wire import example_sizes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pass_dataset.records import PassArchive

__all__ = ["ORDER_VERSION", "Layout", "hashed_order", "lay_out", "shuffled_records"]

#: Change it when order or bytes of the records change: half-built folders are then begun anew.
ORDER_VERSION = 1


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
    import numpy as np

    length = records.num_rows
    if not 1 <= num_shards <= length:
        raise ValueError(
            f"expected between 1 and {length:,} shards for {length:,} records, found {num_shards:,}"
        )
    stops = tuple(round(length * number / num_shards) for number in range(1, num_shards + 1))
    ends = np.cumsum(records["example_bytes"].to_numpy())[np.array(stops) - 1]
    return Layout(records, stops, tuple(np.diff(ends, prepend=0).tolist()))


def hashed_order(hashes: Sequence[str], split: str) -> np.ndarray[Any, Any]:
    """Positions (int64) in the order of the salted MD5 of the hashes."""
    import numpy as np

    salted = hashlib.md5(split.encode())
    digests = bytearray()
    for image_hash in hashes:
        digest = salted.copy()
        digest.update(image_hash.encode())
        digests += digest.digest()
    halves = np.frombuffer(digests, ">u8").reshape(-1, 2)
    return np.lexsort((halves[:, 1], halves[:, 0]))


def shuffled_records(archive: PassArchive, split: str, limit: int | None = None) -> pa.RecordBatch:
    """What a writer must know of each record, in the order of writing.

    Args:
      archive: the records.
      split: name of the split, the salt of the order.
      limit: only so many, the first in the order of the archives; None for all.

    Returns:
      The columns ``hash``, ``creator``, ``date_taken`` (string, empty where not known), ``tar``
      (uint8, counting in ``archive.summary.tars``), ``offset``, ``size_bytes`` (int64),
      ``example_bytes`` (int64, size of the example), ``latitude`` and ``longitude`` (float32,
      NaN where not known).
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    table = archive.index.table.select(
        [
            "hash",
            "tar",
            "offset",
            "size_bytes",
            "creator",
            "date_taken_text",
            "latitude",
            "longitude",
        ]
    )
    rows = np.asarray(archive.rows[:limit], dtype=np.int64)
    order = hashed_order(table["hash"].take(pa.array(rows)).to_pylist(), split)
    taken = table.take(pa.array(rows[order]))
    creator, date = (pc.fill_null(taken[name], "") for name in ("creator", "date_taken_text"))
    sizes = example_sizes(
        taken["size_bytes"].to_numpy(),
        *(
            pc.binary_length(text).to_numpy(zero_copy_only=False)
            for text in (creator, date, taken["hash"])
        ),
    )
    return pa.RecordBatch.from_pydict(
        {
            "hash": taken["hash"],
            "creator": creator,
            "date_taken": date,
            "tar": taken["tar"],
            "offset": taken["offset"],
            "size_bytes": taken["size_bytes"],
            "example_bytes": pa.array(sizes, pa.int64()),
            "latitude": _float32(taken["latitude"]),
            "longitude": _float32(taken["longitude"]),
        }
    )


def _float32(degrees: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(pc.fill_null(degrees, float("nan")), pa.float32(), safe=False)
