"""The order that all draws go by: that of a keyed hash of each photograph's name.

A photograph's key is

    BLAKE2b(hash, key=seed, person="pass-order-1", digest of 32 bytes)

where `hash` is the name of its file in ASCII (16 to 32 characters) and `seed` a decimal number in
ASCII. The first 16 bytes order the photographs of one photographer, the last 16 order all; both are
numbers whose first byte weighs most, and who has the smaller one comes first. The two halves are
independent: were they one, those whom the cap lets through would have the smallest numbers of all,
and a sample of these would be one of the busiest photographers.

The key depends on seed and name alone: not on what else is there, in which order it came, in which
shard it lies, or on which machine. Anyone with BLAKE2b can repeat it in three lines.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["ORDER_VERSION", "Keys", "check_seed", "in_order", "order_keys"]

#: Part of the settings that a step is begun with: another order is another release.
ORDER_VERSION = "pass-order-1"
_DIGEST_BYTES = 32
#: Two big-endian words of 64 bits for each half of the digest.
_WORDS = np.dtype(">u8")
#: BLAKE2b takes a key of up to 64 bytes; seeds are numbers of 64 bits.
_MAX_SEED = 2**63 - 1

#: Keys of photographs, ``(photographs, 2)`` of uint64: the first word weighs most.
Keys = npt.NDArray[np.uint64]


def order_keys(hashes: pa.Array | pa.ChunkedArray, seed: int) -> tuple[Keys, Keys]:
    """The keys of photographs.

    Args:
      hashes: names of their files (strings), see `pass_dataset.archives.hash_lists.is_hash`.
      seed: 0 to 2**63 - 1.

    Returns:
      Keys within a photographer's photographs, and keys among all; each ``(photographs, 2)`` of
      uint64.

    Raises:
      ValueError: the seed is out of range.
    """
    check_seed(seed)
    keyed = hashlib.blake2b(
        digest_size=_DIGEST_BYTES, key=str(seed).encode(), person=ORDER_VERSION.encode()
    )
    digests = []
    for name in hashes.cast(pa.binary()).to_pylist():
        # A copy has the key in it already: half the time, of 17 million.
        digest = keyed.copy()
        digest.update(name)
        digests.append(digest.digest())
    words = np.frombuffer(b"".join(digests), _WORDS).astype(np.uint64).reshape(-1, 4)
    return words[:, :2], words[:, 2:]


def in_order(keys: Keys, groups: npt.NDArray[np.int32] | None = None) -> npt.NDArray[np.int64]:
    """Positions of keys from first to last.

    Args:
      keys: ``(photographs, 2)``; those that are equal stay as they stand.
      groups: numbers, ``(photographs,)``; photographs are in order of these first.

    Returns:
      A permutation, int64 ``(photographs,)``.
    """
    first = np.ascontiguousarray(keys[:, 0])
    by = (first,) if groups is None else (first, groups)
    order = np.lexsort(by)
    ordered = first[order]
    # Two of 17 million share a first word once in 100,000 seeds: only then all is sorted again.
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((keys[:, 1], *by))
    return order


def check_seed(seed: int) -> None:
    """Raises ValueError for a seed that is out of range."""
    if not 0 <= seed <= _MAX_SEED:
        raise ValueError(f"seed: expected 0 to {_MAX_SEED}, found {seed}")
