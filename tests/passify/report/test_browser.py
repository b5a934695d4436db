"""The page in a real browser: all of it is there, nothing is asked for, it fits a telephone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from pass_dataset.passify.report.document import write_report
from pass_dataset.passify.report.survey import Choices
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.support.chromium import VIEWS, Browser, Page, browser

__all__ = ["browser"]  # the fixture


@pytest.fixture(scope="module")
def report(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "a report.html"
    return write_report(Results(run), choices=Choices(examples=4, sample=4), out=out)


@pytest.fixture(scope="module", params=VIEWS)
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Page:
    return browser.view(report, request.param)


def test_no_complaint_and_no_request(page: Page, report: Path) -> None:
    page.settle()
    assert page.complaints == []
    assert page.requests == [report.absolute().as_uri()]


def test_pictures_are_there(page: Page) -> None:
    sizes = page.evaluate(
        "Promise.all([...document.images].map(i => i.decode().then(() => "
        "[i.naturalWidth, i.getBoundingClientRect().width])))"
    )
    assert len(sizes) >= 10
    assert all(natural > 0 and shown > 100 for natural, shown in sizes)


def test_plots_are_there(page: Page) -> None:
    bars = page.evaluate(
        "[...document.querySelectorAll('.plot')].map(p => "
        "[...p.querySelectorAll('rect')].filter(r => r.getBoundingClientRect().height > 3).length)"
    )
    assert len(bars) == 2
    assert all(number >= 2 for number in bars)
    # Each text of a plot can be read: its letters are at least 9 pixels high.
    sizes = page.evaluate(
        "[...document.querySelectorAll('.plot text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(sizes) > 11
    colours = page.evaluate(
        "['kept', 'face', 'person', 'other'].map(name => "
        "getComputedStyle(document.querySelector('.overview rect.' + name)).fill)"
    )
    assert len(set(colours)) == 4


def test_boxes_lie_on_their_pictures(page: Page) -> None:
    """The face's box reaches over the edges; what is drawn is the upper half of its picture."""
    found = page.evaluate(
        """[...document.querySelectorAll('#examples figure')].filter(
             f => f.textContent.includes('b/both.png')).map(f => {
             const i = f.querySelector('img'), frame = i.getBoundingClientRect();
             const r = f.querySelector('rect.face').getBoundingClientRect();
             const scale = Math.min(frame.width / i.naturalWidth, frame.height / i.naturalHeight);
             const left = frame.left + (frame.width - scale * i.naturalWidth) / 2;
             const top = frame.top + (frame.height - scale * i.naturalHeight) / 2;
             return [r.left - left, r.top - top, r.width, r.height].map(n => n / scale);
        })[0]"""
    )
    assert found == pytest.approx([0, 0, 40, 25], abs=0.6)  # the image has 40×50 pixels


def test_no_sideways_scrolling(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    # Nothing sticks out but what scrolls for itself.
    assert page.beyond_the_window(".wide, .frame, .paths") == []


def test_contrast(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    contrast, where = page.lowest_contrast()
    assert contrast >= 4.5, where


def test_dark_is_dark(browser: Browser, report: Path) -> None:
    grounds = [
        browser.open(report, scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        )
        for scheme in ("light", "dark")
    ]
    assert min(grounds[0]) > 230
    assert max(grounds[1]) < 60


def test_structure(page: Page) -> None:
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate(
        "[...document.querySelectorAll('nav a')].every(a => "
        "document.querySelector(a.getAttribute('href')))"
    )
    assert page.evaluate("document.title") == "passify · photos & <b>more<b>"


def test_screenshot(page: Page, tmp_path: Path) -> None:
    """It can be drawn, and is no single colour."""
    from PIL import Image

    with Image.open(page.screenshot(tmp_path / "page.png")) as image:
        assert image.height > 2000
        assert len(image.convert("RGB").resize((64, 64)).getcolors(4096) or []) > 50
