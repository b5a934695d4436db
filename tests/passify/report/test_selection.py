"""Rows chosen in passing: the same whatever the portions."""

from __future__ import annotations

import numpy as np
import pytest

from pass_dataset.passify.report.selection import Lowest, RowId, RowRange


@pytest.mark.parametrize("portion", [1, 7, 100, 1000])
def test_same_as_sorting(portion: int) -> None:
    keys = np.random.default_rng(1).integers(0, 50, 1000).astype(float)
    keys[::9] = np.nan
    lowest = Lowest(20)
    for start in range(0, 1000, portion):
        lowest.add(keys[start : start + portion], RowRange(start))
    expected = np.argsort(keys, kind="stable")[:20]  # NaN comes last
    assert [row.shard + row.position for row in lowest.rows] == expected.tolist()


def test_few_or_none() -> None:
    lowest = Lowest(5)
    lowest.add(np.array([np.nan, 2.0, 1.0]), RowRange(3))
    assert lowest.rows == [RowId(3, 2), RowId(3, 1)]
    none = Lowest(0)
    none.add(np.array([1.0]), RowRange(0))
    assert none.rows == []
