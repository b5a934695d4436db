"""Bounds, plans and agreement: against scipy, tabulated values, and what the words mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pass_dataset.curate.audit.agreement import Agreement
from pass_dataset.curate.audit.finite import bad_images
from pass_dataset.curate.audit.gold import GoldResult, left_over
from pass_dataset.curate.audit.plans import (
    acceptance_plan,
    images_to_claim,
    images_to_claim_at,
    images_to_meet_one,
)
from pass_dataset.curate.audit.strata import Stratum, estimate
from pass_dataset.pages.intervals import (
    chance_of_at_most,
    lower_bound,
    two_sided,
    upper_bound,
)

COUNTS = [
    (found, checked)
    for checked in (1, 2, 7, 100, 2000, 3688)
    for found in sorted({0, 1, 2, 15, checked // 50, checked // 2, checked - 1, checked})
    if found <= checked
] + [(603, 1_600_000)]


@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_intervals_are_scipys(confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    for found, checked in COUNTS:
        compare(stats, found, checked, confidence)


def compare(stats: Any, found: int, checked: int, confidence: float) -> None:
    expected = stats.binomtest(found, checked).proportion_ci(confidence, method="exact")
    assert two_sided(found, checked, confidence) == pytest.approx(tuple(expected), rel=0, abs=1e-9)
    one_sided = stats.beta.ppf(confidence, found + 1, checked - found) if found < checked else 1.0
    assert upper_bound(found, checked, confidence) == pytest.approx(one_sided, rel=0, abs=1e-9)
    below = stats.beta.ppf(1 - confidence, found, checked - found + 1) if found else 0.0
    assert lower_bound(found, checked, confidence) == pytest.approx(below, rel=0, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.001, 0.3, 0.999, 1.0])
def test_chances_are_scipys(share: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    for found, checked in [(-1, 5), *COUNTS]:
        expected = stats.binom.cdf(found, checked, share)
        assert chance_of_at_most(found, checked, share) == pytest.approx(expected, abs=1e-9)


def test_papers_own_audit() -> None:
    """Two samples of 1,000: 2 that were let pass, 15 that were flagged for nothing."""
    low, high = two_sided(2, 2000)
    assert (round(100 * low, 3), round(100 * high, 2)) == (0.012, 0.36)
    low, high = two_sided(15, 2000)
    assert (round(100 * low, 2), round(100 * high, 2)) == (0.42, 1.23)


@pytest.mark.parametrize(
    ("share", "found", "sides", "images"),
    [(0.001, 0, 2, 3688), (0.001, 0, 1, 2995), (0.5, 0, 2, 6), (0.01, 2, 1, 628)],
)
def test_images_to_claim(share: float, found: int, sides: int, images: int) -> None:
    assert images_to_claim(share, found=found, sides=sides) == images
    each = 0.95 if sides == 1 else 0.975
    assert upper_bound(found, images, each) < share <= upper_bound(found, images - 1, each)


def test_images_to_meet_what_was_removed_later() -> None:
    """603 of 1,440,191, which two samples of 1,000 could hardly meet."""
    share = 603 / 1_440_191
    images = images_to_meet_one(share)
    assert 7000 < images < 7200
    assert 1 - (1 - share) ** images >= 0.95 > 1 - (1 - share) ** (images - 1)
    assert 1 - (1 - share) ** 2000 < 0.6


@pytest.mark.parametrize(
    ("good", "bad", "producer", "consumer"),
    [(0.01, 0.06, 0.05, 0.1), (0.0, 0.001, 0.05, 0.05), (0.0002, 0.001, 0.05, 0.05)],
)
def test_acceptance_plans(good: float, bad: float, producer: float, consumer: float) -> None:
    plan = acceptance_plan(good, bad, refused_if_good=producer, accepted_if_bad=consumer)
    assert plan.chance(good) >= 1 - producer
    assert plan.chance(bad) <= consumer
    # None with one image fewer, or one allowed one fewer, does.
    one_fewer = chance_of_at_most(plan.allowed, plan.images - 1, bad)
    assert one_fewer > consumer
    for allowed in range(plan.allowed):
        images = images_to_claim_at(bad, allowed, consumer)
        assert chance_of_at_most(allowed, images, good) < 1 - producer


def test_acceptance_plan_that_tables_have() -> None:
    """Two allowed, 6 % accepted one time in ten: 89 by Poisson's tables (5.32 / 0.06), 88 exact."""
    plan = acceptance_plan(0.01, 0.06, refused_if_good=0.07, accepted_if_bad=0.1)
    assert (plan.images, plan.allowed) == (88, 2)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, math.nan])
def test_shares_that_cannot_be(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        images_to_claim(share)
    with pytest.raises(ValueError, match="between 0 and 1"):
        images_to_meet_one(share)
    with pytest.raises(ValueError, match="bad: expected"):
        acceptance_plan(0.0, share)


def test_shares_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match="good: expected"):
        acceptance_plan(0.1, 0.01)
    with pytest.raises(ValueError, match="found: expected 0 or more"):
        images_to_claim(0.1, found=-1)


def test_one_stratum_is_the_plain_interval() -> None:
    whole = estimate([Stratum("all", 10**9, 2000, 2)])
    assert (whole.low, whole.high) == pytest.approx(two_sided(2, 2000), rel=1e-4)
    assert whole.share == pytest.approx(0.001)


def test_weights_are_the_strata() -> None:
    whole = estimate([Stratum("low", 9000, 100, 0), Stratum("high", 1000, 100, 10)])
    assert whole.share == pytest.approx(0.01)
    assert whole.low < 0.01 < whole.high


def test_what_was_all_looked_at_is_known() -> None:
    whole = estimate([Stratum("high", 50, 50, 7), Stratum("none", 0, 0, 0)])
    assert (whole.share, whole.low, whole.high) == (7 / 50, 7 / 50, 7 / 50)


def test_what_nobody_looked_at_may_be_anything() -> None:
    whole = estimate([Stratum("high", 50, 50, 0), Stratum("low", 50, 0, 0)])
    assert (whole.share, whole.low, whole.high) == (None, 0.0, 0.5)


def test_strata_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="expected found <= checked <= images"):
        Stratum("odd", 10, 11, 0)
    with pytest.raises(ValueError, match="expected images"):
        estimate([])


@pytest.mark.parametrize(
    ("checked", "images"), [(1, 2), (1, 40), (30, 31), (60, 68), (500, 600), (2000, 1_440_191)]
)
def test_bounds_of_finite_sets_are_scipys(checked: int, images: int) -> None:
    """A number is within them if the sample is not in either tail of the hypergeometric one."""
    stats = pytest.importorskip("scipy.stats")
    for found in sorted({0, 1, checked // 7, checked - 1, checked}):
        low, high = bad_images(found, checked, images, 0.975)
        tails = [
            (stats.hypergeom.sf(found - 1, images, bad, checked), bad >= low)
            for bad in range(max(found, low - 2), min(low + 2, images - checked + found) + 1)
        ]
        tails += [
            (stats.hypergeom.cdf(found, images, bad, checked), bad <= high)
            for bad in range(max(found, high - 2), min(high + 2, images - checked + found) + 1)
        ]
        assert all((tail > 0.025) == is_within for tail, is_within in tails)


def test_bounds_of_finite_sets_hold() -> None:
    """For every number of bad images, also where most were looked at."""
    stats = pytest.importorskip("scipy.stats")
    for images, checked in ((68, 60), (50, 5), (30, 15)):
        bounds = [bad_images(found, checked, images, 0.975) for found in range(checked + 1)]
        for bad in range(images + 1):
            chances = stats.hypergeom.pmf(range(checked + 1), images, bad, checked)
            within = [low <= bad <= high for low, high in bounds]
            assert chances[within].sum() >= 0.95


def test_finite_sets_that_cannot_be() -> None:
    for numbers in ((2, 1, 10), (1, 11, 10), (-1, 1, 10)):
        with pytest.raises(ValueError, match="expected found <= checked"):
            bad_images(*numbers, 0.95)
    with pytest.raises(ValueError, match="confidence"):
        bad_images(0, 1, 10, 1.0)


def test_stratified_bounds_hold() -> None:
    """As often as they say or more, also where most strata have no finding."""
    random = np.random.default_rng(0)
    sizes, shares, checked = [90_000, 9_000, 1_000], [0.0001, 0.002, 0.05], [500, 500, 400]
    truth = sum(n * p for n, p in zip(sizes, shares, strict=True)) / sum(sizes)
    held = 0
    for _ in range(100):
        strata = [
            Stratum(str(n), n, k, int(random.binomial(k, p)))
            for n, p, k in zip(sizes, shares, checked, strict=True)
        ]
        found = estimate(strata)
        held += found.low <= truth <= found.high
    assert held >= 95


def test_gold() -> None:
    result = GoldResult(bad=40, missed=2, good=60, flagged=0)
    rate, low, high = result.miss_rate()
    assert (rate, low, high) == (0.05, *two_sided(2, 40))
    assert result.false_alarm_rate()[0] == 0.0
    assert GoldResult(0, 0, 0, 0).miss_rate() == (None, 0.0, 1.0)
    assert left_over(95, 0.05) == pytest.approx(5)
    with pytest.raises(ValueError, match="miss_rate"):
        left_over(1, 1.0)


def test_agreement_of_a_textbook() -> None:
    """Fleiss, Cohen and Everitt's formula, by hand: 20, 5, 10, 15 of 50 give kappa 0.4."""
    two = Agreement(20, 5, 10, 15)
    assert two.kappa == pytest.approx(0.4)
    assert two.positive()[0] == pytest.approx(40 / 55)
    assert two.negative == pytest.approx(30 / 45)
    bounds = two.kappa_bounds()
    assert bounds is not None
    assert bounds == pytest.approx((0.151, 0.649), abs=0.01)


def test_kappa_misleads_where_little_is_bad() -> None:
    """Both find 9 of 10 flags of the other, of 1,000: kappa is near; of chance alone it is 0."""
    good = Agreement(9, 1, 1, 989)
    assert good.positive()[0] == pytest.approx(0.9)
    assert good.kappa == pytest.approx(0.899, abs=0.001)
    chance = Agreement(0, 10, 10, 980)
    assert chance.positive()[0] == 0.0
    assert chance.kappa == pytest.approx(-0.0101, abs=0.001)
    assert (chance.both + chance.neither) / chance.images == 0.98


def test_agreement_without_flags() -> None:
    none = Agreement(0, 0, 0, 100)
    assert none.positive() == (None, 0.0, 1.0)
    assert none.kappa is None
    assert none.kappa_bounds() is None
    assert none.negative == 1.0
    with pytest.raises(ValueError, match="0 or more"):
        Agreement(-1, 0, 0, 1)


def test_kappas_bounds_hold() -> None:
    random = np.random.default_rng(1)
    shares = [0.1, 0.05, 0.05, 0.8]
    truth = Agreement(100, 50, 50, 800).kappa
    assert truth is not None
    held = 0
    for _ in range(300):
        bounds = Agreement(*map(int, random.multinomial(800, shares))).kappa_bounds()
        assert bounds is not None
        held += bounds[0] <= truth <= bounds[1]
    assert 275 <= held <= 297
