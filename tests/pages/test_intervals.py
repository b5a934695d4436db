"""Confidence bounds: tabulated values, and the meaning of the word."""

from __future__ import annotations

import math

import pytest

from pass_dataset.pages.intervals import lower_bound, two_sided, upper_bound


@pytest.mark.parametrize(
    ("found", "checked", "low", "high"),
    [
        # Clopper and Pearson's interval: quantiles of beta distributions.
        (0, 10, 0.0, 0.3084971),
        (1, 10, 0.002528579, 0.4450161),
        (5, 10, 0.187086, 0.812914),
        (10, 10, 0.6915029, 1.0),
        (2, 100, 0.002431337, 0.07038393),
        (0, 1000, 0.0, 0.003682084),
    ],
)
def test_two_sided(found: int, checked: int, low: float, high: float) -> None:
    assert two_sided(found, checked) == pytest.approx((low, high), rel=2e-6, abs=1e-12)


def test_rule_of_three() -> None:
    for checked in (100, 1000, 100_000):
        assert upper_bound(0, checked) == pytest.approx(3 / checked, rel=0.02)


def test_bound_is_where_the_finding_becomes_improbable() -> None:
    bound = upper_bound(3, 50)
    exact = sum(math.comb(50, k) * bound**k * (1 - bound) ** (50 - k) for k in range(4))
    assert exact == pytest.approx(0.05, rel=1e-9)


def test_large_numbers() -> None:
    low, high = two_sided(72_000, 144_000)
    half = 1.96 * math.sqrt(0.25 / 144_000)
    assert low == pytest.approx(0.5 - half, abs=1e-5)
    assert high == pytest.approx(0.5 + half, abs=1e-5)


def test_edges() -> None:
    assert upper_bound(0, 0) == 1.0
    assert lower_bound(0, 0) == 0.0
    assert lower_bound(0, 7) == 0.0
    assert upper_bound(7, 7) == 1.0


@pytest.mark.parametrize(("found", "checked"), [(-1, 5), (6, 5)])
def test_impossible_counts(found: int, checked: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= found <= checked"):
        upper_bound(found, checked)


def test_impossible_confidence() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        upper_bound(0, 5, 1.0)
