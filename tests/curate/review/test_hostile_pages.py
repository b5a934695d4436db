"""Pages of others in the same browser, other reviews at the same address, names that are HTML."""

from __future__ import annotations

import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from tests.curate.review.browsing import IMAGES, SAVED, close, decided, enter
from tests.curate.review.conftest import make_pictures
from tests.curate.review.served import Served
from tests.support.chromium import Browser, Page, browser

__all__ = ["browser"]  # the fixture

#: Tries all that a page of somebody else's can, and notes what came of it.
ATTACK = """<!DOCTYPE html><title>Elsewhere</title><script>
const at = "{address}", found = {{}};
const body = JSON.stringify({{ id: "attack-0001", reviewer: "anna", queue: "all", block: 0,
  page: 0, images: [0, 1, 2], size: 12 }});
const tried = (name, work) => work().then(
  answer => found[name] = answer.type + answer.status, () => found[name] = "refused");
const seen = (name, tag, address) => new Promise(done => {{
  const e = document.createElement(tag);
  e.onload = () => done(found[name] = "shown");
  e.onerror = () => done(found[name] = "refused");
  e.src = address;
  document.documentElement.append(e);
}});
Promise.all([
  tried("read", () => fetch(at + "/api/start", {{ credentials: "include" }})),
  tried("post", () => fetch(at + "/api/accept", {{ method: "POST", credentials: "include",
    headers: {{ "content-type": "application/json" }}, body }})),
  tried("blind", () => fetch(at + "/api/accept", {{ method: "POST", mode: "no-cors",
    credentials: "include", body }})),
  seen("image", "img", at + "/image/0"),
  seen("thumbnail", "img", at + "/thumbnail/0"),
  seen("script", "script", at + "/review.js"),
]).then(() => window.found = found);
</script>"""


@pytest.fixture
def elsewhere() -> Iterator[tuple[int, list[str]]]:
    """A server of somebody else's on this machine: its port, and what it says (one page)."""
    said = [""]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(said[0].encode())

        def log_message(self, *what: object) -> None:
            pass

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], said
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_pages_of_others(
    page: Page, served: Served, elsewhere: tuple[int, list[str]], host: str
) -> None:
    """Of the same machine, whose pages get the review's cookie sent, and of another name."""
    port, said = elsewhere
    said[0] = ATTACK.format(address=served.address)
    assert page.evaluate("state.reviewer") == "anna"  # the cookie is there
    attack = page.browser.open(f"http://{host}:{port}/")
    attack.wait_for("window.found")
    found = attack.evaluate("window.found")
    # Of what is sent without asking, nobody is told what became of it.
    assert found.pop("blind") in ("opaque0", "refused")
    assert {*found.values()} == {"refused"}
    assert decided(served) == (0, {})
    # In a frame of somebody else's page nothing can be clicked.
    said[0] = f'<title>Frame</title><iframe id="f" src="{served.link}"></iframe>'
    framed = page.browser.open(f"http://{host}:{port}/frame")
    framed.settle()
    inside = "(() => { try { return document.querySelector('#f').contentDocument !== null } "
    assert framed.evaluate(inside + "catch { return false } })()") is False
    assert any("frame" in one for one in framed.complaints)


def test_another_review_at_the_same_address(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    """What is not saved waits for its own review, and pictures of one are not shown in another."""
    page = enter(browser, served, "anna")
    first = page.evaluate(PICTURE)
    served.kill()
    page.press("2")
    page.press("Enter")
    page.wait_for("!document.querySelector('#trouble').hidden")
    pictures = make_pictures(tmp_path / "others", 30)
    (pictures / "0000.jpg").rename(pictures / "z.jpg")  # rows are of other pictures
    other = Served(pictures, tmp_path / "other", "--block", "24", port=served.port)
    try:
        again = enter(browser, other, "anna")
        page.wait_for("document.querySelector('#trouble').textContent.includes('another server')")
        assert again.evaluate(PICTURE) != first
        assert again.evaluate("box.list.length") == 0
        assert decided(other) == (0, {})
        again.press("Enter")
        again.wait_for(f"{SAVED} && state.view.position == 12")
        assert decided(other) == (12, {"anna": {}})
    finally:
        close(again)
        other.stop()
    served.start()
    # The cookie is the other one's by now: the link gives it back.
    close(page)
    page = enter(browser, served, "anna")
    page.wait_for(SAVED)
    looks, flags = decided(served)
    assert (looks, list(flags["anna"].values())) == (12, ["body-part"])


#: The bytes of the first image of a review, as the page gets it.
PICTURE = (
    "fetch(`/thumbnail/0?of=${state.review}`).then(r => r.arrayBuffer())"
    ".then(b => [...new Uint8Array(b)].join())"
)


def test_names_that_are_html(browser: Browser, tmp_path: Path) -> None:
    """Of the folder, of the reviewer, in notes: shown as text."""
    name = "<img src=x onerror=document.title=1>"
    pictures = make_pictures(tmp_path / name, 6)
    served = Served(pictures, tmp_path / "review")
    try:
        page = browser.open(served.link)
        page.wait_for("document.querySelector('#hello').open")
        page.evaluate(f"document.querySelector('#name').value = {name!r}")
        page.press("Enter")
        page.wait_for("document.querySelectorAll('.tile').length == 6")
        page.press("n")
        page.wait_for("document.querySelector('#full').open")
        page.evaluate(f"document.querySelector('#note').value = {name!r}")
        page.press("Enter")
        page.wait_for(f"!document.querySelector('#full').open && {SAVED}")
        assert page.evaluate("document.querySelector('#title').textContent") == name
        assert name in page.evaluate("document.querySelector('#who').textContent")
        assert page.evaluate(f"{IMAGES}.length") == 6
        assert page.evaluate("document.querySelectorAll('[onerror]').length") == 0
        label = page.evaluate("document.querySelector('.tile').getAttribute('aria-label')")
        assert label == f"Image 1 of 6, OK, note: {name}"
        assert page.evaluate("document.title") == f"Review: {name}"
        assert page.complaints == []
    finally:
        served.stop()
