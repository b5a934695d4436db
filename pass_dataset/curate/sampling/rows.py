"""Photographs of all shards at once, and what is said of them, shard by shard."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.ledger import StepWriter, rows_of
from pass_dataset.curate.sampling.order import Keys, order_keys, overall_keys
from pass_dataset.files.arrow import numbers_of
from pass_dataset.progress import Progress, Silent

__all__ = ["Rows", "not_fewer", "read_rows"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """Photographs that a step was given, of all shards in order.

    Attributes:
      within, overall: their keys, see `order`; `within` is empty where nobody asked.
      photographers: a number for each of them, ``(photographs,)`` of int32; empty likewise.
      unknown: photographs of nobody who is known; each has a number of its own.
      rows: their numbers in the ledger, int64.
      bounds: where each shard begins, and the end.
    """

    within: Keys
    overall: Keys
    photographers: npt.NDArray[np.int32]
    unknown: int
    rows: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.overall)

    def of(self, shard: int) -> slice:
        """Positions of a shard's photographs."""
        return slice(int(self.bounds[shard]), int(self.bounds[shard + 1]))


@dataclass
class _Photographers:
    """Numbers of photographers: of each shard's at first, and of all in the end."""

    names: list[pa.Array] = field(default_factory=list)
    count: int = 0
    unknown: int = 0

    def of(self, given: pa.Table) -> npt.NDArray[np.int32]:
        """Numbers that `merged` knows; below 0 where a photographer is not known."""
        encoded = _identities(given)
        found: npt.NDArray[np.int32] = numbers_of(encoded.indices.fill_null(-1)) + np.int32(
            self.count
        )
        self.names.append(encoded.dictionary)
        lone = np.flatnonzero(found < self.count)
        self.count += len(encoded.dictionary)
        # Nobody says that they are of one person: a cap on all of them would be one on not knowing.
        found[lone] = -1 - self.unknown - np.arange(len(lone), dtype=np.int32)
        self.unknown += len(lone)
        return found

    def merged(self) -> npt.NDArray[np.int32]:
        """For each number that was given, the number that the same name has everywhere."""
        if not self.names:
            return np.zeros(0, np.int32)
        numbers: npt.NDArray[np.int32] = numbers_of(
            pa.concat_arrays(self.names).dictionary_encode().indices
        )
        return numbers


def _identities(given: pa.Table) -> pa.DictionaryArray:
    """Who took it: the NSID, which stays; else the name, which a user may change. Null: unknown.

    Args:
      given: `nsid` and `unickname`, encoded as dictionaries.
    """
    nsid = _named("nsid", given["nsid"])
    if not nsid.null_count:
        return nsid
    name = _named("name", given["unickname"])
    found = pc.coalesce(nsid.cast(pa.string()), name.cast(pa.string()))
    return found.dictionary_encode()


def _named(prefix: str, column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A column's values behind a prefix, that an NSID is no name; empty ones as null."""
    encoded = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.cast(pa.string()).dictionary_encode()
    values = encoded.dictionary.cast(pa.string())
    indices, empty = encoded.indices, pc.index(values, "").as_py()
    if empty >= 0:
        indices = pc.if_else(pc.equal(indices, empty), pa.scalar(None, indices.type), indices)
    return pa.DictionaryArray.from_arrays(
        indices, pc.binary_join_element_wise(prefix, values, " ")
    )


def read_rows(
    writer: StepWriter, seed: int, *, by_photographer: bool, progress: Progress | None = None
) -> Rows:
    """Reads the photographs that a step was given.

    Args:
      writer: of the step.
      seed: of their order.
      by_photographer: also who took them.
      progress: where progress is shown.

    Raises:
      CurationError: the ledger cannot be read.
    """
    # Of 17 million: made once, at their size, and not of pieces that are there beside them.
    total = _came(writer)
    within = np.empty((total if by_photographer else 0, 2), np.uint64)
    overall = np.empty((total, 2), np.uint64)
    who = np.empty(len(within), np.int32)
    numbers = np.empty(total, np.int64)
    photographers = _Photographers()
    shards = writer.ledger.shards()
    bounds = np.zeros(shards + 1, np.int64)
    names = ("nsid", "unickname") if by_photographer else ()
    task = (progress or Silent()).task(f"{writer.step}: order", shards, "files")
    for shard in range(shards):
        given = writer.given(shard, ("hash", *names), encoded=names)
        first, last = int(bounds[shard]), int(bounds[shard]) + given.num_rows
        numbers[first:last] = rows_of(given)
        if by_photographer:
            within[first:last], overall[first:last] = order_keys(given["hash"], seed)
            who[first:last] = photographers.of(given)
        else:
            overall[first:last] = overall_keys(given["hash"], seed)
        bounds[shard + 1] = last
        task.advance(1)
    task.finish()
    numbers_of_all, is_known = photographers.merged(), who >= 0
    who[is_known] = numbers_of_all[who[is_known]]
    return Rows(within, overall, who, photographers.unknown, numbers, bounds)


def _came(writer: StepWriter) -> int:
    """How many photographs a step was given."""
    before = writer.ledger.record(writer.after) if writer.after is not None else None
    return 0 if before is None else before.left


def not_fewer(step: str, asked: int, there: int) -> None:
    """Warns where fewer photographs are left than a step is to choose: all go on then."""
    if asked and there < asked:
        logger.warning(
            "%s: %s photographs are left, %s are asked for: all of them go on",
            step,
            f"{there:,}",
            f"{asked:,}",
        )
