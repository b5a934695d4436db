"""Photographs of all shards at once, and what is said of them, shard by shard."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.sampling.order import OVERALL, WITHIN, Keys, Words, key_words
from pass_dataset.curate.step_writer import StepWriter
from pass_dataset.files.arrow import numbers_of
from pass_dataset.progress import Progress, Silent
from pass_dataset.workers.cores import available_cores
from pass_dataset.workers.threads import in_threads

__all__ = ["Rows", "not_fewer", "read_rows"]

#: Shards that are read at a time.
_READING_THREADS = 4
#: Photographs that are renumbered at a time.
_BLOCK = 1 << 16

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """Photographs that a step was given, of all shards in order.

    Attributes:
      within, overall: their keys, see `order`; `within` is of none where nobody asked.
      photographers: a number for each of them, ``(photographs,)`` of int32; empty likewise.
      unknown: photographs of nobody who is known; each has a number of its own.
      bounds: where each shard begins, and the end.
    """

    within: Keys
    overall: Keys
    photographers: npt.NDArray[np.int32]
    unknown: int
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

    def of(self, encoded: pa.DictionaryArray) -> npt.NDArray[np.int32]:
        """Numbers that `merged` knows; below 0 where a photographer is not known.

        Args:
          encoded: who took the photographs of the next shard, see `_identities`.
        """
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
    return pa.DictionaryArray.from_arrays(indices, pc.binary_join_element_wise(prefix, values, " "))


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
    within = np.empty(total if by_photographer else 0, np.uint64)
    overall = np.empty(total, np.uint64)
    who = np.empty(len(within), np.int32)
    photographers = _Photographers()
    shards = writer.ledger.shards()
    bounds = np.zeros(shards + 1, np.int64)
    task = (progress or Silent()).task(f"{writer.step}: order", shards, "files")
    read = partial(_read, writer, seed, by_photographer)
    threads = min(_READING_THREADS, available_cores())
    for shard, (words, photographed) in enumerate(in_threads(read, range(shards), threads)):
        first, last = int(bounds[shard]), int(bounds[shard]) + len(words)
        overall[first:last] = words[:, -1]
        if photographed is not None:
            within[first:last] = words[:, 0]
            who[first:last] = photographers.of(photographed)
        bounds[shard + 1] = last
        task.advance(1)
    task.finish()
    _renumber(who, photographers.merged())

    def second(numbers: tuple[int, int]) -> Callable[[npt.NDArray[np.int64]], Words]:
        return lambda positions: _words_at(writer, bounds, positions, seed, numbers[1])

    return Rows(
        Keys(within, second(WITHIN)),
        Keys(overall, second(OVERALL)),
        who,
        photographers.unknown,
        bounds,
    )


def _read(
    writer: StepWriter, seed: int, by_photographer: bool, shard: int
) -> tuple[Words, pa.DictionaryArray | None]:
    """Of a shard: the words that come first, and who took its photographs where that is asked."""
    if not by_photographer:
        return key_words(writer.given(shard, ["hash"])["hash"], seed, OVERALL[:1]), None
    who = ("nsid", "unickname")
    given = writer.given(shard, ("hash", *who), encoded=who)
    return key_words(given["hash"], seed, (WITHIN[0], OVERALL[0])), _identities(given)


def _renumber(who: npt.NDArray[np.int32], numbers: npt.NDArray[np.int32]) -> None:
    """Puts for each number of a photographer the one of all shards; those below 0 stay."""
    for start in range(0, len(who), _BLOCK):
        block = who[start : start + _BLOCK]
        is_known = block >= 0
        block[is_known] = numbers[block[is_known]]


def _words_at(
    writer: StepWriter,
    bounds: npt.NDArray[np.int64],
    positions: npt.NDArray[np.int64],
    seed: int,
    number: int,
) -> Words:
    """One word of the keys of the photographs at some positions, which are few."""
    found = np.empty(len(positions), np.uint64)
    shards = np.searchsorted(bounds, positions, side="right") - 1
    for shard in np.unique(shards).tolist():
        is_here = shards == shard
        hashes = writer.given(shard, ["hash"])["hash"].combine_chunks()
        here = hashes.take(pa.array(positions[is_here] - bounds[shard]))
        found[is_here] = key_words(here, seed, (number,))[:, 0]
    return found


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
