"""Codes with neighbours planted among them, and groups found the plain way."""

from __future__ import annotations

import numpy as np

from pass_dataset.curate.bits import popcount
from pass_dataset.curate.duplicates.hamming import Codes
from pass_dataset.curate.duplicates.unions import Numbers, Unions


def flipped(code: Codes, bits: int, random: np.random.Generator) -> Codes:
    """A code with so many other bits."""
    found = code.copy()
    for bit in random.choice(64 * len(code), bits, replace=False):
        found[bit // 64] ^= np.uint64(1 << int(bit % 64))
    return found


def planted(
    count: int, words: int, clusters: int, size: int, spread: int, pairs: int, radius: int
) -> tuple[Codes, list[tuple[int, int]]]:
    """Random codes: clusters around one each, pairs within the radius, and others.

    Returns:
      The codes, and the pairs.
    """
    random = np.random.default_rng(7)
    codes = random.integers(0, 1 << 64, (count, words), np.uint64, endpoint=False)
    for number in range(clusters):
        first = number * size
        for place in range(first + 1, first + size):
            codes[place] = flipped(codes[first], int(random.integers(0, spread + 1)), random)
    start = clusters * size
    found = [(start + 2 * number, start + 2 * number + 1) for number in range(pairs)]
    for left, right in found:
        codes[right] = flipped(codes[left], int(random.integers(0, radius + 1)), random)
    where = random.permutation(count)
    shuffled = np.empty_like(codes)
    shuffled[where] = codes
    return shuffled, [(int(where[left]), int(where[right])) for left, right in found]


def plainly_grouped(codes: Codes, radius: int) -> Numbers:
    """Groups by all pairs."""
    away = sum(
        popcount(codes[:, None, word] ^ codes[None, :, word]).astype(np.int32)
        for word in range(codes.shape[1])
    )
    unions = Unions(len(codes))
    unions.join(*np.nonzero(away <= radius))
    return unions.names()
