"""What the order promises: who is chosen stays chosen, whatever comes or goes besides."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pass_dataset.curate.sampling.choice import ranks, ranks_within
from pass_dataset.curate.sampling.order import Keys, Words, in_order, order_keys
from tests.support.curation import hash_of

#: Photographs by number, with the number of their photographer.
photographs = st.dictionaries(st.integers(0, 200), st.integers(0, 3), max_size=24)
sizes = st.integers(1, 12)


def keys_of(taken: Iterable[int], seed: int) -> tuple[Words, Words]:
    return order_keys(pa.array([hash_of(one) for one in taken], pa.string()), seed)


def capped(taken: dict[int, int], cap: int, seed: int = 0) -> dict[int, int]:
    """Those that the cap lets through."""
    if not taken:
        return {}
    within, _ = keys_of(taken, seed)
    places = ranks_within(Keys.of(within), np.array(list(taken.values()), np.int32))
    return {one: taken[one] for one, place in zip(taken, places, strict=True) if place < cap}


def sampled(taken: dict[int, int], size: int, seed: int = 0) -> dict[int, int]:
    if not taken:
        return {}
    _, overall = keys_of(taken, seed)
    places = ranks(Keys.of(overall))
    return {one: taken[one] for one, place in zip(taken, places, strict=True) if place < size}


def test_keys_are_what_is_documented() -> None:
    """By numbers of Python alone, as `order` has it; and by values that stay."""
    name, seed = "ff379727f52bcec4dfb237ace41627", 7

    def mix(x: int) -> int:
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
        return x ^ x >> 31

    def word(number: int) -> int:
        state = mix((seed + (number + 1) * 0x9E3779B97F4A7C15) % 2**64)
        padded = name.encode().ljust(32, b"\0")
        for at in range(0, 32, 8):
            state = mix(state ^ int.from_bytes(padded[at : at + 8], "little"))
        return state

    within, overall = order_keys(pa.array(["0" * 16, name]).slice(1), seed)
    words = [int(one) for one in (*within[0], *overall[0])]
    assert words == [word(number) for number in range(4)]
    assert words == [
        5933848510854864627,
        10918555225501111603,
        10229841732787436736,
        17528771870337224464,
    ]


def test_name_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="hash: expected 32 characters at most, found 33"):
        order_keys(pa.array(["0" * 33]), 0)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(ValueError, match="seed: expected 0 to"):
        order_keys(pa.array([], pa.string()), seed)


def test_equal_first_words() -> None:
    """The second word decides, also within a photographer's."""
    keys = Keys.of(np.array([[5, 9], [5, 2], [1, 7], [5, 4]], np.uint64))
    assert in_order(keys).tolist() == [2, 1, 3, 0]
    assert in_order(keys, np.array([1, 0, 1, 0], np.int32)).tolist() == [1, 3, 2, 0]


@given(
    keys=st.lists(
        st.tuples(
            *[st.sampled_from([0, 1, 2**63, 2**64 - 1])] * 2, st.integers(-(2**31), 2**31 - 1)
        )
    )
)
def test_one_sort_is_that_of_all_columns(keys: list[tuple[int, int, int]]) -> None:
    """Groups, then both words; what is equal stays as it stands."""
    words = np.array([key[:2] for key in keys], np.uint64).reshape(-1, 2)
    groups = np.array([key[2] % 3 - 1 if key[0] else key[2] for key in keys], np.int32)
    columns = (words[:, 1], words[:, 0])
    assert in_order(Keys.of(words)).tolist() == np.lexsort(columns).tolist()
    assert in_order(Keys.of(words), groups).tolist() == np.lexsort((*columns, groups)).tolist()


@given(taken=photographs, size=sizes, more=st.integers(0, 5), seed=st.integers(0, 3))
def test_larger_has_all_of_smaller(taken: dict[int, int], size: int, more: int, seed: int) -> None:
    assert capped(taken, size, seed).items() <= capped(taken, size + more, seed).items()
    assert sampled(taken, size, seed).items() <= sampled(taken, size + more, seed).items()


@given(taken=photographs, draw=sizes, before=sizes, more=st.integers(0, 5))
def test_larger_sample_before_the_draw(
    taken: dict[int, int], draw: int, before: int, more: int
) -> None:
    """Both steps go by one order: what was drawn of a smaller sample is drawn of a larger."""
    drawn = sampled(sampled(taken, before), draw)
    assert drawn.items() <= sampled(sampled(taken, before + more), draw + more).items()
    if before >= draw:
        assert drawn == sampled(sampled(taken, before + more), draw)


@given(taken=photographs, size=sizes, order=st.randoms())
def test_order_of_input_is_nothing(taken: dict[int, int], size: int, order: random.Random) -> None:
    mixed = list(taken.items())
    order.shuffle(mixed)
    assert capped(dict(mixed), size) == capped(taken, size)
    assert sampled(dict(mixed), size) == sampled(taken, size)


@given(taken=photographs.filter(bool), cap=sizes, which=st.integers(0))
def test_one_is_taken_out_of_the_cap(taken: dict[int, int], cap: int, which: int) -> None:
    gone = sorted(taken)[which % len(taken)]
    before = capped(taken, cap)
    after = capped({one: who for one, who in taken.items() if one != gone}, cap)
    assert before.keys() - {gone} <= after.keys()
    new = after.keys() - before.keys()
    assert len(new) <= (gone in before)
    assert all(taken[one] == taken[gone] for one in new)


@given(taken=photographs.filter(bool), size=sizes, which=st.integers(0))
def test_one_is_taken_out_of_the_sample(taken: dict[int, int], size: int, which: int) -> None:
    gone = sorted(taken)[which % len(taken)]
    before = sampled(taken, size)
    after = sampled({one: who for one, who in taken.items() if one != gone}, size)
    assert before.keys() - {gone} <= after.keys()
    assert len(after.keys() - before.keys()) <= (gone in before)


@given(taken=photographs.filter(bool), cap=sizes, size=sizes, which=st.integers(0))
def test_one_is_taken_out_of_both(taken: dict[int, int], cap: int, size: int, which: int) -> None:
    gone = sorted(taken)[which % len(taken)]
    before = sampled(capped(taken, cap), size)
    after = sampled(capped({one: who for one, who in taken.items() if one != gone}, cap), size)
    out, new = before.keys() - after.keys() - {gone}, after.keys() - before.keys()
    assert len(new) <= 1
    assert len(out) <= (gone not in before)
    if out:
        last = max(before, key=lambda one: keys_of([one], 0)[1].tolist())
        assert out == {last}


def test_cap_does_not_favour_the_busy() -> None:
    """A uniform sample of what the cap lets through has each photographer by their share of it."""
    taken = dict.fromkeys(range(4000), 0) | {one: one for one in range(4000, 4100)}
    of_cap = capped(taken, 100)
    assert len(of_cap) == 200
    shares = [sum(who == 0 for who in sampled(of_cap, 100, seed).values()) for seed in range(3)]
    # Each has 50 ± 3.5 of the busy one's (hypergeometric); were both orders one, it would be 100.
    assert all(abs(share - 50) < 18 for share in shares), shares
