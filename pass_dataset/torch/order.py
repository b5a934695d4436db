"""The order of an epoch: nearly that of a full shuffle, at nearly the speed of reading on and on.

Records that lie together form blocks. The blocks are put in a random order; then every record is
moved back by a random number of places below the window. So the records of a block are spread over
a window, and the block, read in one go when its first record is due, is soon needed again and again
while it is in the system's page cache. About a window of images is there at a time; no process
holds any.

The order depends on seed and epoch alone: not on ranks, workers or batches, nor on the version of
any library.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.order import random_keys, shuffled_order

__all__ = ["mates_in_batch", "mixed_order"]

#: Fractions of a place, for records that would be moved to the same one.
_FRACTION_BITS = 8


def mixed_order(
    length: int, block_records: int, window_records: int, seed: int, epoch: int
) -> npt.NDArray[np.int64]:
    """A permutation of ``0 … length-1`` (int64): positions in the order in which they are read.

    Args:
      length: number of records.
      block_records: records that are read together.
      window_records: over how many places those of a block are spread.
      seed, epoch: what the order depends on.
    """
    blocks = -(-length // block_records)
    order = shuffled_order(blocks, _subseed("blocks", seed, epoch))
    sizes = np.full(blocks, block_records, np.int64)
    sizes[-1:] = length - block_records * (blocks - 1)
    firsts = np.empty(blocks, np.int64)
    firsts[order] = np.cumsum(sizes[order]) - sizes[order]
    # Whole numbers throughout, as floating point may round differently elsewhere; and in place, as
    # every worker does this: first by how much a record is delayed, then its place added.
    keys = random_keys(0, length, _subseed("places", seed, epoch))
    keys >>= np.uint64(32)
    keys *= np.uint64(window_records << _FRACTION_BITS)
    keys >>= np.uint64(32)
    keys += np.repeat(firsts.astype(np.uint64) << np.uint64(_FRACTION_BITS), sizes)
    within = np.arange(block_records, dtype=np.uint64) << np.uint64(_FRACTION_BITS)
    keys += np.tile(within, blocks)[:length]
    return np.argsort(keys, kind="stable")


def _subseed(use: str, seed: int, epoch: int) -> int:
    digest = hashlib.sha256(f"{use} {seed} {epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def mates_in_batch(
    order: npt.NDArray[np.int64], batch_size: int, neighbourhood_records: int
) -> float:
    """How poorly an order mixes: mean number of neighbours that a record meets in its batch.

    Neighbours are records of the same stretch of the tars. A batch of B records that has M mates of
    each says as much about all images as ``B / (1 + M)`` independent ones if those of a stretch
    are all the same, which is the worst case (Kish's design effect). In a full shuffle M is about
    ``batch_size * neighbourhood_records / len(order)``.

    Args:
      order: a permutation.
      batch_size: records of a batch; an incomplete last one does not count.
      neighbourhood_records: size of a stretch.
    """
    batches = len(order) // batch_size
    stretches = order[: batches * batch_size].reshape(batches, batch_size) // neighbourhood_records
    batch = np.repeat(np.arange(batches), batch_size)
    _, counts = np.unique(
        batch * (len(order) // neighbourhood_records + 1) + stretches.ravel(), return_counts=True
    )
    return float((counts * (counts - 1)).sum() / (batches * batch_size))
