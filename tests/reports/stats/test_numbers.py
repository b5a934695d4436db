"""Numbers in short, and counted in bins."""

from __future__ import annotations

import numpy as np
import pytest

from pass_dataset.reports.stats.numbers import histogram_of, round_step, spread_of


def test_spread() -> None:
    found = spread_of(np.arange(1, 101))
    assert found is not None
    assert (found.count, found.total, found.mean) == (100, 5050, 50.5)
    assert (found.minimum, found.percent_5, found.percent_25, found.median) == (1, 5, 25, 50)
    assert (found.percent_75, found.percent_95, found.percent_99) == (75, 95, 99)
    assert found.maximum == 100
    assert all(isinstance(value, int) for value in (found.total, found.median, found.maximum))


def test_spread_of_one_and_of_none() -> None:
    found = spread_of(np.array([7]))
    assert found is not None
    assert (found.minimum, found.median, found.maximum, found.mean) == (7, 7, 7, 7.0)
    assert spread_of(np.array([], np.int64)) is None


def test_histogram() -> None:
    values = np.array([0, 99, 100, 4999, 5000])
    found = histogram_of(values)
    assert found is not None
    assert (found.start, found.width, found.end, found.above) == (0, 100, 5100, 0)
    assert dict(enumerate(found.counts)) | {0: 2, 1: 1, 49: 1, 50: 1} == dict(
        enumerate(found.counts)
    )
    assert sum(found.counts) == 5
    assert list(found.bins())[1] == (100, 200, 1)


def test_few_large_numbers_do_not_make_it_flat() -> None:
    values = np.concatenate([np.arange(1000), [10**9]])
    found = histogram_of(values)
    assert found is not None
    assert found.width == 20
    assert sum(found.counts) + found.above == 1001
    assert found.above == (values >= found.end).sum() >= 1


@pytest.mark.parametrize("value", [0, 1, 500, 10**12])
def test_histogram_of_one_number(value: int) -> None:
    found = histogram_of(np.full(9, value))
    assert found is not None
    assert found.counts[-1] == 9
    assert sum(found.counts) == 9
    assert len(found.counts) <= 51


def test_histogram_of_none() -> None:
    assert histogram_of(np.array([], np.int64)) is None


@pytest.mark.parametrize(
    ("at_least", "step"), [(0, 1), (1, 1), (1.5, 2), (3, 5), (5.1, 10), (101, 200), (499, 500)]
)
def test_round_step(at_least: float, step: int) -> None:
    assert round_step(at_least) == step
