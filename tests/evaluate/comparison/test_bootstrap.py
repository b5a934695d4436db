from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.comparison.bootstrap import difference
from pass_dataset.evaluate.comparison.comparing import Row
from pass_dataset.evaluate.comparison.published import NOTES, PUBLISHED_NUMBERS
from pass_dataset.evaluate.protocols.knn import knn
from pass_dataset.evaluate.protocols.statistics import (
    Clusters,
    Correct,
    MeanPrecision,
    Outcome,
    adjusted_rand,
)


def outcome(correct: Any) -> Outcome:
    statistic = Correct(np.atleast_2d(correct).astype(np.float64))
    runs = tuple(100 * float(run.mean()) for run in statistic.correct)
    return Outcome("kNN", "top-1", statistic, runs)


def row(first: Outcome, second: Outcome) -> Row:
    return Row(first, second, difference(first, second))


def test_interval_is_that_of_paired_images() -> None:
    random = np.random.default_rng(0)
    first = random.random(1000) < 0.7
    second = first.copy()
    second[:40] = ~second[:40]
    found = difference(outcome(first), outcome(second))
    gains = second.astype(float) - first
    error = 100 * gains.std() / np.sqrt(1000)
    assert found.high - found.value == pytest.approx(1.96 * error + 0.05, rel=0.1)


def test_sentences() -> None:
    random = np.random.default_rng(0)
    worse, better = random.random(500) < 0.3, random.random(500) < 0.8
    assert row(outcome(worse), outcome(worse)).sentence.startswith("no difference: both gave")
    assert row(outcome(worse), outcome(better)).sentence.startswith("B better by ")
    assert row(outcome(better), outcome(worse)).sentence.startswith("A better by ")
    near = worse.copy()
    near[:3] = ~near[:3]
    assert row(outcome(worse), outcome(near)).sentence.startswith("no difference visible (")


def test_runs_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    runs = np.stack([random.random(4000) < share for share in (0.5, 0.6, 0.7)])
    still = np.stack([random.random(4000) < 0.6 for _ in range(3)])
    found = difference(outcome(still), outcome(runs))
    assert found.high - found.low > 20
    assert not found.is_visible


def test_clusters_and_precisions() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(0, 3, 200)
    good = Clusters(classes[None], classes, adjusted_rand)
    bad = Clusters(random.integers(0, 3, 200)[None], classes, adjusted_rand)
    found = difference(
        Outcome("k-means", "aRI", bad, (bad.value(),)),
        Outcome("k-means", "aRI", good, (good.value(),)),
    )
    assert found.is_visible
    labels = np.where(random.random((200, 2)) < 0.3, 1, -1).astype(np.int8)
    scores = labels[None] + random.normal(size=(1, 200, 2)).astype(np.float32)
    one, two = MeanPrecision(scores, labels), MeanPrecision(scores + 1, labels)
    found = difference(
        Outcome("SVM", "mAP", one, (one.value(),)), Outcome("SVM", "mAP", two, (two.value(),))
    )
    assert found.value == 0 and found.high < 1e-9  # the same order, so the same precision
    with pytest.raises(EvaluationError, match="one protocol"):
        difference(Outcome("a", "mAP", one, (1.0,)), Outcome("b", "mAP", two, (1.0,)))


def test_equal_encoders_hold_zero() -> None:
    """Two encoders whose features are the same but for noise of one kind, drawn a hundred times."""
    held = 0
    for draw in range(100):
        random = np.random.default_rng(draw)
        centres = random.normal(size=(5, 8))
        labels = np.arange(500) % 5
        test_labels = np.arange(400) % 5
        first, second = (
            knn(
                (centres[labels] + 1.2 * random.normal(size=(500, 8))).astype(np.float16),
                labels,
                (centres[test_labels] + 1.2 * random.normal(size=(400, 8))).astype(np.float16),
                test_labels,
            )
            for _ in range(2)
        )
        held += not difference(first, second, seed=draw).is_visible
    assert held >= 94


def test_published_numbers() -> None:
    tables = [number.table for number in PUBLISHED_NUMBERS]
    assert sum(tables.count(table) for table in ("2a", "2b", "2c", "10")) == 219
    assert {"4", "5", "6", "8"} <= set(tables)
    assert set(NOTES) <= set(tables)

    def number(table: str, row: str, column: str) -> float:
        (found,) = [
            each.value
            for each in PUBLISHED_NUMBERS
            if (each.table, each.row, each.column) == (table, row, column)
        ]
        return found

    assert number("2a", "MoCo-v2 PASS", "Flowers aRI") == 30.1
    assert number("2b", "MoCo-v2 IN-1k*", "CIFAR-10") == 90.7
    assert number("2c", "MoCo-v2 PASS", "VOC07 k=16") == 70.3
    assert number("4", "DINO (ViT-S/16)", "aRI Flowers") == 43.1
    assert number("6", "≈IN800", "linear IN-1k") == 62.4
    assert number("10", "MoCo-v2 PASS", "CLEVR-count") == 73.1
    grey = {(each.row, each.column) for each in PUBLISHED_NUMBERS if not each.is_transfer}
    assert ("MoCo-v2 IN-1k", "ObjN") in grey and ("MoCo-v2 Places", "Places k=4") in grey
    assert not any(row.endswith("PASS") for row, _ in grey)
