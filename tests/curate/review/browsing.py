"""The page in Chromium, as a reviewer has it: opened, keys pressed, and what is kept of it."""

from __future__ import annotations

import numpy as np

from pass_dataset.curate.review.decisions import read_log
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import ReviewImages
from pass_dataset.curate.review.seats import Seats
from tests.curate.review.served import Served
from tests.support.chromium import Browser, Page

__all__ = [
    "FLAGS",
    "IMAGES",
    "SAVED",
    "accept",
    "click",
    "close",
    "decided",
    "enter",
    "reload",
    "tap",
]

FLAGS = "[...document.querySelectorAll('.tile')].map(t => t.getAttribute('aria-pressed'))"
IMAGES = "[...document.querySelectorAll('.tile img')].map(i => i.src)"
SAVED = "!localStorage.getItem(box.key) && !state.waiting"


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


def click(page: Page, selector: str) -> None:
    x, y = page.evaluate(
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
        f"(document.querySelector({selector!r}).getBoundingClientRect())"
    )
    for kind in ("mousePressed", "mouseReleased"):
        params = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        page.browser.call("Input.dispatchMouseEvent", params, page.session)


def tap(page: Page, selector: str) -> None:
    """Touches the middle of an element, as a finger does."""
    page.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
    x, y = page.evaluate(
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
        f"(document.querySelector({selector!r}).getBoundingClientRect())"
    )
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        params = {"type": kind, "touchPoints": points}
        page.browser.call("Input.dispatchTouchEvent", params, page.session)


def close(page: Page) -> None:
    """Closes the window, without asking it."""
    target = page.browser.call("Target.getTargetInfo", {}, page.session)["targetInfo"]
    page.browser.call("Target.closeTarget", {"targetId": target["targetId"]})
