"""Orders of records, and shares of them: the same on every machine, in every version."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

__all__ = ["random_keys", "shard_bounds", "shuffled_order"]


def shard_bounds(length: int, shard: tuple[int, int]) -> tuple[int, int]:
    """First and last-plus-one position of a share; shares differ by one record at most.

    Raises:
      ValueError: not ``0 <= number < count``.
    """
    number, count = shard
    if not 0 <= number < count:
        raise ValueError(f"shard: expected (number, count) with 0 <= number < count, found {shard}")
    return length * number // count, length * (number + 1) // count


def shuffled_order(length: int, seed: int) -> np.ndarray[Any, Any]:
    """A permutation of ``0 … length-1`` (int64) that depends on the seed alone."""
    order: np.ndarray[Any, Any] = np.argsort(random_keys(0, length, seed), kind="stable")
    return order


def random_keys(start: int, count: int, seed: int) -> np.ndarray[Any, Any]:
    """Random numbers (uint64) of the positions ``start … start+count-1``.

    They are SplitMix64 of seed and position: unlike a random generator's, they stay the same in
    every version of every library, and do not depend on which positions are asked for together.
    """
    # The constants are those of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
    # number generators, OOPSLA 2014); arithmetic is modulo 2**64.
    state: np.ndarray[Any, Any] = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    state += np.uint64(_mixed_seed(seed))
    state *= np.uint64(0x9E3779B97F4A7C15)
    # In place, as there may be millions.
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state


def _mixed_seed(seed: int) -> int:
    # Neighbouring seeds must not give the same sequence shifted by one.

    digest = hashlib.sha256(str(seed).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
