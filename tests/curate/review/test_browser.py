"""The page in Chromium: marking, undo, two reviewers, a server that is killed, keys."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from pass_dataset.curate.review.decisions import read_log
from pass_dataset.curate.review.folder import ReviewFolder
from tests.curate.review.browsing import (
    FLAGS,
    IMAGES,
    SAVED,
    accept,
    click,
    close,
    decided,
    enter,
    tap,
)
from tests.curate.review.conftest import ODD_NAMES, make_pictures
from tests.curate.review.served import Served
from tests.support.chromium import Browser, Page, browser

__all__ = ["browser"]  # the fixture


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
    close(page)
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


def test_browser_closed_while_the_server_is_gone(browser: Browser, served: Served) -> None:
    """What could not be saved is sent by the next window that is opened."""
    page = enter(browser, served, "anna")
    served.kill()
    page.press("2")
    page.press("Enter")
    page.wait_for("!document.querySelector('#trouble').hidden")
    close(page)
    served.start()
    page = browser.open(served.link)
    page.wait_for(f"state.view && {SAVED}")
    assert not page.evaluate("Object.keys(localStorage).some(key => key.startsWith('outbox:'))")
    looks, flags = decided(served)
    assert (looks, list(flags["anna"].values())) == (12, ["body-part"])


def test_touch(browser: Browser, served: Served) -> None:
    page = enter(browser, served, "anna", "telephone")
    params = {"enabled": True, "maxTouchPoints": 2}
    browser.call("Emulation.setTouchEmulationEnabled", params, page.session)
    # Nothing glides: a finger would find another image than the one it was meant for.
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    for number in (5, 2, 5, 9):  # never twice at one place: two quick taps open the image
        tap(page, f".grid li:nth-child({number}) .tile")
        page.wait_for(f"state.at == {number - 1} && {SAVED}")
    tap(page, "#flags [data-flag=plate]")
    tap(page, ".grid li:nth-child(3) .zoom")
    page.wait_for("document.querySelector('#full').open")
    tap(page, "#full-flags [data-flag=face]")
    tap(page, "#close")
    page.wait_for(f"!document.querySelector('#full').open && {SAVED}")
    before = page.evaluate(IMAGES)
    tap(page, "#accept")
    page.wait_for(f"{SAVED} && JSON.stringify({IMAGES}) != JSON.stringify({before!r})")
    looks, flags = decided(served)
    assert looks == 12
    assert sorted(flags["anna"].values()) == ["face", "person", "plate"]


def test_everything_is_reached_by_keyboard(page: Page, served: Served) -> None:
    """Tab goes through all controls and never stays; Escape closes what was opened."""
    seen: list[str] = []
    here = "document.activeElement.id || document.activeElement.className || 'other'"
    for _ in range(30):
        page.press("Tab")
        seen.append(page.evaluate(here))
        if page.evaluate("document.activeElement != document.body"):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", seen[-1]
    assert {*seen} >= {"back", "forth", "goto", "size", "next", "help", "undo", "accept"}
    # One stop for the whole grid; then it begins anew.
    assert 1 <= sum(one.startswith("tile") for one in seen) <= 2
    page.evaluate("document.querySelector('.tile').focus()")
    for key, dialog in (("h", "keys"), ("v", "full")):
        page.press(key)
        page.wait_for(f"document.querySelector('#{dialog}').open")
        page.press("Escape")
        page.wait_for(f"!document.querySelector('#{dialog}').open")
        assert page.evaluate("document.activeElement.className").startswith("tile")
    # Back in the grid, and nothing was decided by all this.
    page.press("ArrowRight")
    assert page.evaluate("state.at") == 1
    assert decided(served)[0] == 0


def test_hundreds_of_images_in_one_go(browser: Browser, tmp_path: Path) -> None:
    """As fast as keys can be pressed: every page and every mark is in the log once."""
    pictures = make_pictures(tmp_path / "photographs", 312)
    served = Served(pictures, tmp_path / "review", "--block", "48")
    try:
        page = enter(browser, served, "anna")
        marked = 0
        while not page.evaluate("state.view.done"):
            before = page.evaluate(IMAGES)
            for _ in range(2):
                page.press("ArrowRight")
                page.press("4")
                marked += 1
            page.press("Enter")
            page.wait_for(f"!state.waiting && JSON.stringify({IMAGES}) != JSON.stringify({before})")
    finally:
        served.stop()
    log = list(read_log(ReviewFolder(served.out).decisions_path))
    accepted = [image for entry in log if entry["do"] == "accept" for image in entry["images"]]
    assert sorted(accepted) == list(range(312))
    marks = [entry["image"] for entry in log if entry["do"] == "mark"]
    assert len(marks) == len({*marks}) == marked == 2 * 312 // 12
    assert len({entry["id"] for entry in log if "id" in entry}) == marked + 312 // 12


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
    # The key that ended the note did nothing to the image that has the focus again.
    page.settle()
    assert page.evaluate(FLAGS).count("true") == 1
    assert page.complaints == []


def test_key_that_is_held_down(page: Page, served: Served) -> None:
    """It accepts one page, and marks one image."""
    for key, code in (("x", 88), ("Enter", 13)):
        before = page.evaluate(IMAGES)
        for is_again in (False, True, True, True):
            params = {"type": "keyDown", "key": key, "windowsVirtualKeyCode": code}
            params |= {"text": "\r" if key == "Enter" else key, "autoRepeat": is_again}
            page.browser.call("Input.dispatchKeyEvent", params, page.session)
            if is_again and key == "Enter":
                page.wait_for(f"JSON.stringify({IMAGES}) != JSON.stringify({before})")
        page.wait_for(SAVED)
    page.settle()
    assert page.evaluate("state.view.position") == 12
    looks, flags = decided(served)
    assert (looks, len(flags["anna"])) == (12, 1)


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
