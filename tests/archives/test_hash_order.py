"""Hashes in order: as Arrow has them, comparing text with text."""

from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pass_dataset.archives.hash_order import hash_order


def some_hashes(kind: str) -> list[str]:
    chance = random.Random(kind)
    letters = {
        "hashes": "0123456789abcdef",
        "alike": "a",
        "few letters": "ab",
        "zeros": "\0a",
        "beyond ascii": "aé字😀",
    }[kind]
    longest = 32 if kind == "hashes" else 12
    return ["".join(chance.choices(letters, k=chance.randrange(longest))) for _ in range(700)]


@pytest.mark.parametrize("kind", ["hashes", "alike", "few letters", "zeros", "beyond ascii"])
def test_order_is_that_of_the_text(kind: str) -> None:
    hashes = some_hashes(kind)
    # In pieces, of which some begin in the middle of what Arrow holds.
    column = pa.chunked_array([pa.array(hashes[:100]), pa.array(["x", *hashes[100:]])[1:], []])
    order = hash_order(column)
    assert order.rows.tolist() == pc.sort_indices(column).to_pylist()
    text = [hashes[row] for row in order.rows]
    assert order.repeats.tolist() == [n for n in range(1, 700) if text[n] == text[n - 1]]


def test_all_share_their_beginning() -> None:
    hashes = [f"same beginning {number * 7919 % 1000}" for number in range(1000)]
    order = hash_order(pa.chunked_array([hashes]))
    assert [hashes[row] for row in order.rows] == sorted(hashes)
    assert not len(order.repeats)


@pytest.mark.parametrize("column", [[], [[]], [["one"]]])
def test_few(column: list[list[str]]) -> None:
    order = hash_order(pa.chunked_array(column, pa.string()))
    assert order.rows.tolist() == list(range(sum(map(len, column))))
    assert not len(order.repeats)
