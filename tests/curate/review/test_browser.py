"""The page in Chromium: marking, undo, two reviewers, a server that is killed, telephones, keys."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from pass_dataset.curate.review.decisions import read_log
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import ReviewImages
from pass_dataset.curate.review.seats import Seats
from tests.curate.review.conftest import ODD_NAMES, make_pictures
from tests.curate.review.served import Served
from tests.support.chromium import VIEWS, Browser, Page, browser

__all__ = ["browser"]  # the fixture

FLAGS = "[...document.querySelectorAll('.tile')].map(t => t.getAttribute('aria-pressed'))"
IMAGES = "[...document.querySelectorAll('.tile img')].map(i => i.src)"
SAVED = "!localStorage.getItem(box.key) && !state.waiting"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pictures(tmp_path_factory.mktemp("browser") / "photographs", 60, ODD_NAMES)


@pytest.fixture
def served(source: Path, tmp_path: Path) -> Iterator[Served]:
    server = Served(source, tmp_path / "review", "--block", "24")
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Page:
    return enter(browser, served, "anna")


def enter(browser: Browser, served: Served, name: str, view: str = "desktop") -> Page:
    """Opens the page and says who is looking, 12 images a page."""
    page = browser.view(served.link, view)
    page.wait_for("document.querySelector('#hello').open || state.view")
    page.evaluate(f"localStorage.setItem('reviewer', {name!r}), localStorage.setItem('size', '12')")
    reload(page)
    return page


def reload(page: Page) -> None:
    page.evaluate("window.isOld = true")
    page.browser.call("Page.reload", {}, page.session)
    page.wait_for("!window.isOld && document.readyState == 'complete' && state.view")


def decided(served: Served) -> tuple[int, dict[str, dict[str, str]]]:
    """Number of looks, and the flags of each reviewer by name of image, as the log has them."""
    folder = ReviewFolder(served.out)
    images = ReviewImages(folder.images_path)
    seats = Seats(len(images))
    for entry in read_log(folder.decisions_path):
        seats.apply(entry)
    flags = {}
    for reviewer, seat in seats.first.items():
        found = seat.flagged()
        names = images.names(np.array(list(found), np.int64))
        flags[reviewer] = dict(zip(names, found.values(), strict=True))
    return int(seats.looks.sum()), flags


def accept(page: Page) -> None:
    before = page.evaluate(IMAGES)
    page.press("Enter")
    page.wait_for(f"{SAVED} && JSON.stringify({IMAGES}) != JSON.stringify({before!r})")


def test_name_is_asked_for_once(browser: Browser, served: Served) -> None:
    page = browser.open(served.link)
    page.wait_for("document.querySelector('#hello').open")
    for letter in "Ada":
        page.press(letter)
    page.press("Enter")
    page.wait_for("document.querySelectorAll('.tile').length")
    assert page.evaluate("state.reviewer") == "Ada"
    assert "token" not in page.evaluate("location.href")
    assert "HttpOnly" not in page.evaluate("document.cookie")
    assert page.evaluate("document.cookie") == ""


def test_keyboard_alone(page: Page, served: Served) -> None:
    page.press("x")
    for key in ("ArrowRight", "ArrowRight", "4"):
        page.press(key)
    page.press("ArrowDown")
    page.press(" ")
    assert page.evaluate(FLAGS).count("true") == 3
    page.press(" ")
    assert page.evaluate(FLAGS).count("true") == 2
    labels = page.evaluate(
        "[...document.querySelectorAll('.tile')].map(t => t.getAttribute('aria-label'))"
    )
    assert labels[:3] == [
        "Image 1 of 12, marked: person",
        "Image 2 of 12, OK",
        "Image 3 of 12, marked: plate",
    ]
    accept(page)
    looks, flags = decided(served)
    assert looks == 12
    assert sorted(flags["anna"].values()) == ["person", "plate"]
    # The focus is on the new page's first image.
    assert page.evaluate("document.activeElement == document.querySelector('.tile')")


def test_clicks(page: Page, served: Served) -> None:
    click(page, ".grid li:nth-child(5) .tile")
    page.wait_for("document.querySelector('.grid li:nth-child(5) .tag')")
    click(page, "#flags [data-flag=plate]")
    click(page, ".grid li:nth-child(7) .tile")
    click(page, ".grid li:nth-child(7) .tile")
    before = page.evaluate(IMAGES)
    click(page, "#accept")
    page.wait_for(f"{SAVED} && JSON.stringify({IMAGES}) != JSON.stringify({before!r})")
    looks, flags = decided(served)
    assert (looks, list(flags["anna"].values())) == (12, ["plate"])


def click(page: Page, selector: str) -> None:
    x, y = page.evaluate(
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
        f"(document.querySelector({selector!r}).getBoundingClientRect())"
    )
    for kind in ("mousePressed", "mouseReleased"):
        params = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        page.browser.call("Input.dispatchMouseEvent", params, page.session)


def test_undo_goes_back_over_pages(page: Page, served: Served) -> None:
    first = page.evaluate(IMAGES)
    page.press("2")
    accept(page)
    page.press("u")
    page.wait_for(f"{SAVED} && JSON.stringify({IMAGES}) == JSON.stringify({first!r})")
    assert page.evaluate(FLAGS)[0] == "true"
    page.press("z", ctrl=True)
    page.wait_for(f"{SAVED} && {FLAGS}[0] == 'false'")
    page.press("u")
    page.wait_for("document.querySelector('#said').textContent == 'There is nothing to undo.'")
    assert decided(served) == (0, {"anna": {}})


def test_resume_after_the_browser_was_closed(browser: Browser, served: Served) -> None:
    page = enter(browser, served, "anna")
    accept(page)
    page.press("ArrowRight")
    page.press("3")
    page.wait_for(SAVED)
    images = page.evaluate(IMAGES)
    target = page.browser.call("Target.getTargetInfo", {}, page.session)["targetInfo"]
    page.browser.call("Target.closeTarget", {"targetId": target["targetId"]})
    again = enter(browser, served, "anna")
    assert again.evaluate(IMAGES) == images
    assert again.evaluate(FLAGS)[:2] == ["false", "true"]


def test_two_reviewers_and_two_windows(browser: Browser, served: Served) -> None:
    anna, same = enter(browser, served, "anna"), enter(browser, served, "anna")
    assert anna.evaluate(IMAGES) == same.evaluate(IMAGES)
    ben = enter(browser, served, "ben")
    assert not {*anna.evaluate(IMAGES)} & {*ben.evaluate(IMAGES)}
    for page in (anna, same, ben, anna, ben):
        accept(page)
    looks, _ = decided(served)
    assert looks == 4 * 12  # the second window's page was the first one's


def test_killed_server_loses_nothing(page: Page, served: Served) -> None:
    accept(page)
    served.kill()
    images = page.evaluate(IMAGES)
    page.press("1")
    page.press("Enter")
    page.wait_for("!document.querySelector('#trouble').hidden")
    assert "Not saved yet" in page.evaluate("document.querySelector('#trouble').textContent")
    assert page.evaluate(IMAGES) == images  # no page turns that is not kept
    served.start()
    page.wait_for(f"{SAVED} && JSON.stringify({IMAGES}) != JSON.stringify({images!r})")
    assert page.evaluate("document.querySelector('#trouble').hidden")
    looks, flags = decided(served)
    assert (looks, list(flags["anna"].values())) == (24, ["person"])


def test_lost_connection(page: Page, served: Served) -> None:
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    params = {"offline": True, **offline}
    page.browser.call("Network.emulateNetworkConditions", params, page.session)
    page.press("5")
    page.wait_for("!document.querySelector('#trouble').hidden")
    # What is not saved outlives the page.
    assert page.evaluate("Object.keys(localStorage).some(key => key.startsWith('outbox:'))")
    params["offline"] = False
    page.browser.call("Network.emulateNetworkConditions", params, page.session)
    page.wait_for(f"{SAVED} && document.querySelector('#trouble').hidden")
    accept(page)
    assert list(decided(served)[1]["anna"].values()) == ["text-or-name"]


def test_full_size(page: Page, served: Served) -> None:
    odd = page.evaluate(
        "(async () => { for (let row = 0; row < 63; row++) {"
        " const a = await fetch(`/image/${row}`);"
        " if (a.headers.get('x-image-name').includes('onerror')) return row; } })()"
    )
    page.evaluate(f"state.view.images[0] = {odd}, undefined")
    page.press("v")
    page.wait_for("document.querySelector('#full-image').naturalWidth == 64")
    page.wait_for("document.querySelector('#full-name').textContent")
    # A name is text, whatever it says.
    assert page.evaluate("document.querySelector('#full-name').textContent") == ODD_NAMES[0]
    assert page.evaluate("document.querySelectorAll('#full-name *').length") == 0
    page.press("+")
    page.press("+")
    assert page.evaluate("zoom.scale") == pytest.approx(2.25)
    page.press("0")
    assert page.evaluate("zoom.scale") == 1
    page.press("ArrowRight")
    page.press("4")
    page.press("n")
    for letter in "two":
        page.press(letter)
    page.press("Enter")
    page.wait_for(f"!document.querySelector('#full').open && {SAVED}")
    assert page.evaluate("[state.view.flags[1], state.view.notes[1]]") == ["plate", "two"]
    assert page.complaints == []


def test_jump(page: Page) -> None:
    page.press("g")
    for letter in "40":
        page.press(letter)
    page.press("Enter")
    page.wait_for("state.view.position == 36")
    page.press("Tab")
    page.evaluate("document.querySelector('#forth').click()")
    page.wait_for("state.view.position == 48")
    page.evaluate("document.querySelector('#next').click()")
    page.wait_for("state.view.position == 0")


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
