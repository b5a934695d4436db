"""The page in a real browser: on a desk and on a telephone, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.reports.credits import read_credits
from pass_dataset.reports.credits.page import page_pieces
from tests.reports.credits.hostile import NAMES, write_csv
from tests.support.chromium import VIEWS, Browser, Page, browser

__all__ = ["browser"]  # the fixture


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("credits")
    write_csv(folder / "hostile.csv")
    path = folder / "a page.html"
    credits_ = read_credits(folder / "hostile.csv", release="3.0.0")
    path.write_text("".join(page_pieces(credits_)), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=VIEWS)
def page(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Page:
    opened = browser.view(file, request.param)
    opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    return opened


def test_no_complaint_and_no_request(page: Page, file: Path) -> None:
    page.settle()
    assert page.complaints == []
    assert page.requests == [file.absolute().as_uri()]


def test_fits(page: Page) -> None:
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    assert page.beyond_the_window("pre") == []


def test_can_be_read(page: Page) -> None:
    contrast, where = page.lowest_contrast()
    assert contrast >= 4.5, where
    names = page.evaluate("[...document.querySelectorAll('bdi')].map(e => e.textContent)")
    assert set(NAMES) <= set(names)
    assert page.evaluate(
        "[...document.querySelectorAll('nav a')].every(a => "
        "document.querySelector(a.getAttribute('href')))"
    )


def test_dark_is_dark(browser: Browser, file: Path) -> None:
    grounds = [
        browser.open(file, scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        )
        for scheme in ("light", "dark")
    ]
    assert min(grounds[0]) > 230
    assert max(grounds[1]) < 60
