"""Groups of codes that differ in few bits: exactly those that all pairs give."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pass_dataset.curate import bits
from pass_dataset.curate.bits import popcount
from pass_dataset.curate.duplicates.blocks import choices
from pass_dataset.curate.duplicates.hamming import group
from pass_dataset.curate.duplicates.unions import Unions
from tests.curate.duplicates.planted import plainly_grouped, planted


@pytest.mark.parametrize(
    ("words", "radius", "spread"),
    [(1, 6, 3), (1, 6, 9), (1, 0, 1), (4, 31, 15), (4, 31, 40), (2, 15, 9), (4, 3, 2)],
)
def test_groups_are_those_of_all_pairs(words: int, radius: int, spread: int) -> None:
    codes, _ = planted(1000, words, 4, 80, spread, 60, radius)
    codes[5:9] = codes[500:504]  # equal ones
    assert np.array_equal(group(codes, radius), plainly_grouped(codes, radius))


def test_one_large_cluster_and_strays() -> None:
    """Long stretches of equal blocks, in which some codes belong to no group."""
    random = np.random.default_rng(1)
    codes = np.full((1500, 4), 0x0123456789ABCDEF, np.uint64)
    codes[:, 3] ^= np.uint64(1) << random.integers(0, 64, 1500, np.uint64)
    # These share three words with all others, and the fourth with none.
    codes[:40, 3] = random.integers(0, 1 << 64, 40, np.uint64, endpoint=False)
    codes[:40, 0] ^= np.uint64(0xFFFFFFFF)
    assert np.array_equal(group(codes, 31), plainly_grouped(codes, 31))


def test_clusters_that_touch_are_one() -> None:
    """Two balls, one radius apart: every code of one is compared with the other."""
    codes = np.zeros((400, 1), np.uint64)
    codes[:200, 0] = np.uint64(1) << (np.arange(200, dtype=np.uint64) % np.uint64(6))
    codes[200:, 0] = np.uint64(0b1111110000) | (
        np.uint64(1) << (np.arange(200, dtype=np.uint64) % np.uint64(6) + np.uint64(20))
    )
    for radius in range(1, 9):
        assert np.array_equal(group(codes, radius), plainly_grouped(codes, radius)), radius


def test_faiss_finds_the_same_pairs() -> None:
    faiss = pytest.importorskip("faiss")
    codes, pairs = planted(2500, 4, 3, 120, 15, 200, 31)
    index = faiss.IndexBinaryFlat(256)
    index.add(codes.view(np.uint8))
    # Below, not up to.
    bounds, _, found = index.range_search(codes.view(np.uint8), 32)
    unions = Unions(len(codes))
    unions.join(np.repeat(np.arange(len(codes)), np.diff(bounds.astype(np.int64))), found)
    groups = group(codes, 31)
    assert np.array_equal(groups, unions.names())
    assert all(groups[left] == groups[right] for left, right in pairs)


def test_bits_are_counted_alike_without_numpy_2() -> None:
    numbers = np.random.default_rng(0).integers(0, 1 << 64, (50, 3), np.uint64, endpoint=False)
    counted = bits._counted_by_table(numbers)
    assert np.array_equal(counted, popcount(numbers))
    assert counted.dtype == popcount(numbers).dtype


def test_choices_change_one_block_at_a_time() -> None:
    listed = list(choices(7, 3))
    assert len(set(listed)) == len(listed) == 35
    assert listed[0] == (0, 1, 2)
    pairs = itertools.pairwise(listed)
    assert all(len(set(left) & set(right)) == 2 for left, right in pairs)


def test_nothing_and_wrong_radius() -> None:
    assert len(group(np.zeros((0, 4), np.uint64), 31)) == 0
    assert group(np.zeros((1, 4), np.uint64), 31).tolist() == [0]
    with pytest.raises(ValueError, match="radius: expected 0 to 127, found 128"):
        group(np.zeros((2, 4), np.uint64), 128)
