"""How the page looks and sounds: on desktop and telephone, light and dark, to screen readers."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from tests.curate.review.browsing import SAVED, enter
from tests.curate.review.served import Served
from tests.support.chromium import VIEWS, Browser, Page, browser

__all__ = ["browser"]  # the fixture


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(browser: Browser, served: Served, view: str) -> None:
    page = enter(browser, served, "anna", view)
    page.press("1")
    page.press("Enter")
    page.wait_for(f"{SAVED} && state.view.position == 12")
    page.press("1")
    page.wait_for(SAVED)
    page.settle()
    assert page.complaints == []
    assert all(one.startswith(served.address) for one in page.requests)
    assert page.beyond_the_window(".flags") == []
    contrast, where = page.lowest_contrast()
    assert contrast >= 4.5, where
    sizes = page.evaluate(
        "[...document.querySelectorAll('#flags button, #accept, #undo')]"
        ".map(b => b.getBoundingClientRect().height)"
    )
    assert min(sizes) >= (44 if "telephone" in view else 30)
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select, progress')].filter(e => "
        "!(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))"
        ".map(e => e.outerHTML)"
    )
    assert unnamed == []


@pytest.mark.parametrize("view", VIEWS)
def test_instructions(browser: Browser, served: Served, view: str) -> None:
    enter(browser, served, "anna")
    page = browser.view(f"{served.address}/instructions", view)
    page.settle()
    assert page.complaints == []
    assert page.beyond_the_window("svg") == []
    assert page.lowest_contrast()[0] >= 4.5
    assert page.evaluate("document.querySelectorAll('svg[aria-label]').length") == 6
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_screen_reader(page: Page) -> None:
    """What Chromium gives to screen readers: names, states, and what was just said."""
    page.press("1")
    page.wait_for(SAVED)
    tree = page.browser.call("Accessibility.getFullAXTree", {}, page.session)["nodes"]
    found = {
        (node["role"]["value"], node["name"]["value"])
        for node in tree
        if not node["ignored"] and "name" in node
    }
    assert ("button", "Image 1 of 12, marked: person") in found
    assert ("button", "Accept page") in found
    assert ("button", "Undo") in found
    assert ("progressbar", "Images looked at") in found
    assert any(role == "list" for role, _ in found)
    assert page.evaluate("document.querySelector('#said').textContent") == "Image 1: person"
    pressed = [
        prop["value"]["value"]
        for node in tree
        if node.get("name", {}).get("value", "").startswith("Image 1 of 12")
        for prop in node.get("properties", ())
        if prop["name"] == "pressed"
    ]
    assert pressed == ["true"]
