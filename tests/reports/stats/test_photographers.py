"""Images of each photographer, and the bound of the paper."""

from __future__ import annotations

import pyarrow as pa

from pass_dataset.reports.stats.photographers import Photographers, count_photographers


def counted(names: list[str | None]) -> Photographers:
    return count_photographers(pa.array(names, pa.string()))


def test_counts() -> None:
    found = counted(["a"] * 80 + ["b"] * 81 + ["c"] * 120 + ["NA", "null", "None"] + [None] * 4)
    assert (found.photographers, found.unknown) == (6, 4)
    assert found.numbers == ((1, 3), (80, 1), (81, 1), (120, 1))
    assert (found.bound, found.over_bound, found.over_bound_images) == (80, 2, 201)
    assert found.images_each is not None
    assert (found.images_each.total, found.images_each.maximum) == (284, 120)
    assert found.largest_tenth == 120


def test_largest_tenth() -> None:
    names: list[str | None] = [f"{n}" for n in range(20) for _ in range(1 + n)]
    assert counted(names).largest_tenth == 19 + 20


def test_nobody() -> None:
    found = counted([None])
    assert (found.photographers, found.unknown, found.images_each) == (0, 1, None)
    assert (found.numbers, found.over_bound, found.largest_tenth) == ((), 0, 0)
    assert counted([]).unknown == 0
