"""The page in a real browser: plots and map are there, it fits a telephone, light and dark."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.archives.records import PassArchive
from pass_dataset.reports.stats.collect import collect_stats
from pass_dataset.reports.stats.document import write_page
from pass_dataset.reports.stats.places import Cell
from tests.reports.stats.conftest import make_collection
from tests.support.chromium import VIEWS, Browser, Page, browser

__all__ = ["browser"]  # the fixture

#: One of each colour of the map, with most images first.
CELLS = (
    Cell(51, -1, 5000),
    Cell(-34, 151, 2000),
    Cell(89, -180, 500),
    Cell(-90, 179, 200),
    Cell(0, 0, 99),
    Cell(35, 139, 29),
    Cell(40, -75, 9),
    Cell(64, -22, 1),
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stats")
    made = make_collection(folder / "archives")
    stats = collect_stats(PassArchive(made.folder, made.describe(), save_index=False))
    assert stats.places is not None
    places = replace(stats.places, cells=CELLS, known=sum(cell.images for cell in CELLS), outside=0)
    return write_page(replace(stats, places=places), folder / "the statistics.html")


@pytest.fixture(scope="module", params=VIEWS)
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Page:
    return browser.view(report, request.param)


def test_no_complaint_and_no_request(page: Page, report: Path) -> None:
    page.settle()
    assert page.complaints == []
    assert page.requests == [report.absolute().as_uri()]


def test_plots_are_there(page: Page) -> None:
    bars = page.evaluate(
        "[...document.querySelectorAll('.plot:not(.map)')].map(p => "
        "[...p.querySelectorAll('rect')].filter(r => r.getBoundingClientRect().height > 3).length)"
    )
    assert len(bars) == 7
    assert all(number >= 2 for number in bars)
    # Each text of a plot can be read: its letters are at least 9 pixels high.
    sizes = page.evaluate(
        "[...document.querySelectorAll('.plot text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(sizes) > 11
    assert max(sizes) < 30


def test_texts_of_plots_do_not_meet(page: Page) -> None:
    """Nor do they lie beyond the plot, where they would be cut."""
    meeting = page.evaluate(
        """[...document.querySelectorAll('.plot')].flatMap(plot => {
             const whole = plot.getBoundingClientRect();
             const texts = [...plot.querySelectorAll('text')].map(
               t => [t.textContent, t.getBoundingClientRect()]);
             const cut = texts.filter(([, r]) => r.left < whole.left - 1 ||
               r.right > whole.right + 1 || r.bottom > whole.bottom + 1);
             const meet = texts.filter(([, a], i) => texts.slice(i + 1).some(([, b]) =>
               a.left < b.right && b.left < a.right &&
               a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3));
             return [...cut, ...meet].map(([text]) => text);
        })"""
    )
    assert meeting == []


def test_cells_lie_where_they_should(page: Page) -> None:
    """Left and upper edge in the map's degrees, from few images to many."""
    corners = page.evaluate(
        """(() => {
          const sea = document.querySelector('.map .sea').getBoundingClientRect();
          return [...document.querySelectorAll('.map path')].map(p => {
            const r = p.getBoundingClientRect();
            return [r.left - sea.left, r.top - sea.top].map(n => n * 360 / sea.width);
          });
        })()"""
    )
    expected = [[cell.west + 180, 89 - cell.south] for cell in reversed(CELLS)]
    assert corners == [pytest.approx(corner, abs=0.1) for corner in expected]


def test_colours_of_the_map_differ(page: Page) -> None:
    """Step by step from the sea on, those of many images most."""
    fills = page.evaluate(
        "[document.querySelector('.map .sea'), ...document.querySelectorAll('.legend rect')]"
        ".map(e => getComputedStyle(e).fill.match(/\\d+/g).map(Number))"
    )
    assert len(fills) == 1 + len(CELLS)
    apart = [sum(map(abs, map(int.__sub__, fill, fills[0]))) for fill in fills]
    assert all(before + 15 < after for before, after in itertools.pairwise(apart))


def test_no_sideways_scrolling(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    # Nothing sticks out but what scrolls for itself.
    assert page.beyond_the_window(".wide") == []


def test_contrast(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    contrast, where = page.lowest_contrast()
    assert contrast >= 4.5, where


def test_structure(page: Page) -> None:
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate(
        "[...document.querySelectorAll('nav a')].every(a => "
        "document.querySelector(a.getAttribute('href')))"
    )
    assert page.evaluate(
        "[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label') || "
        "s.getAttribute('aria-hidden'))"
    )
    assert page.evaluate("document.title") == "pass 1.0.0 · statistics"
