"""The page of a comparison, as text and in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pass_dataset.evaluate.comparison.bootstrap import difference
from pass_dataset.evaluate.comparison.comparing import (
    ComparedSet,
    CompareSettings,
    Comparison,
    Row,
)
from pass_dataset.evaluate.comparison.page import render_comparison
from pass_dataset.evaluate.protocols.statistics import Correct, Outcome
from tests.support.chromium import VIEWS, Browser, browser

__all__ = ["browser"]  # the fixture


def made() -> Comparison:
    random = np.random.default_rng(0)

    def outcome(name: str, share: float, runs: int = 1) -> Outcome:
        correct = Correct((random.random((runs, 600)) < share).astype(np.float64))
        values = tuple(100 * float(run.mean()) for run in correct.correct)
        return Outcome(name, "top-1", correct, values, ("a note <of this>",))

    same = outcome("kNN k=20", 0.5)
    pairs = [
        (same, same),
        (outcome("linear lr 30", 0.1, 3), outcome("linear lr 30", 0.9, 3)),
        (outcome("SVM k=16", 0.6, 5), outcome("SVM k=16", 0.4, 5)),
        (outcome("logistic, tuned", 0.6), outcome("logistic, tuned", 0.61)),
    ]
    rows = tuple(Row(a, b, difference(a, b)) for a, b in pairs)
    sets = tuple(
        ComparedSet(name, 1000, 600, 10, overlap, rows, copies)
        for name, overlap, copies in (
            ("/data/a<b>/labelled", 3, None),
            ("hf:" + "long" * 20, 0, 1),
        )
    )
    return Comparison(
        "runs/passified/backbone.pt", "random:resnet50", ("a" * 64, "b" * 64),
        CompareSettings(), sets,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render_comparison(made(), written_at=0.0))
    return path


def test_text(page: Path) -> None:
    text = page.read_text()
    assert "B better by" in text and "A better by" in text
    assert "no difference: both gave the same answers" in text
    assert "no difference visible" in text
    assert "3 test images are in the training set too, byte for byte" in text
    assert "1 test image is in the training set too, or nearly; 0 of them byte for byte" in text
    assert "a&lt;b&gt;" in text and "<of this>" not in text
    assert "46.5" in text and 'class="number grey">67.5' in text
    assert "1970-01-01" in text


@pytest.mark.browser
@pytest.mark.parametrize("view", VIEWS)
def test_in_a_browser(browser: Browser, page: Path, view: str) -> None:
    opened = browser.view(page, view)
    opened.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    opened.settle()
    assert opened.complaints == []
    assert opened.requests == [page.absolute().as_uri()]
    assert opened.beyond_the_window(".wide") == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert opened.lowest_contrast()[0] > 4.5
    assert opened.evaluate("document.querySelectorAll('.plot circle').length") == 8
    sizes = opened.evaluate(
        "[...document.querySelectorAll('.plot text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(sizes) > 11
    beyond = opened.evaluate(
        "[...document.querySelectorAll('.plot text')].filter(t => "
        "t.getBoundingClientRect().right > t.closest('svg').getBoundingClientRect().right)"
        ".map(t => t.textContent)"
    )
    assert beyond == []
    colours = opened.evaluate(
        "['first', 'second', 'none'].map(name => "
        "getComputedStyle(document.querySelector('.plot .' + name + ' circle')).fill)"
    )
    assert len(set(colours)) == 3
