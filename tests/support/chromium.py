"""A real browser without a window, driven by its DevTools protocol over two pipes."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

__all__ = ["VIEWS", "Browser", "Page", "browser"]

_TIMEOUT_S = 300.0

#: Width of a telephone, in CSS pixels.
_TELEPHONE_PX = 390
#: How every page is looked at.
VIEWS = ("desktop", "telephone", "dark", "dark telephone")

#: Contrast of each text with the ground it stands on, by WCAG 2.1's definition; the lowest.
_CONTRAST = """
(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ''];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.getClientRects().length || element.closest('svg')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, element.outerHTML.slice(0, 200)];
  }
  return lowest;
})()
"""


@dataclass
class Page:
    """A page that was opened.

    Attributes:
      complaints: what the console, the loader and the security policy said.
      requests: addresses that were asked for, but for ``data:`` ones.
    """

    browser: Browser
    session: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def evaluate(self, script: str) -> Any:
        """The value of an expression of JavaScript, awaited."""
        answer = self.browser.call(
            "Runtime.evaluate",
            {"expression": script, "returnByValue": True, "awaitPromise": True},
            self.session,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> Path:
        """The whole page, as PNG."""
        answer = self.browser.call(
            "Page.captureScreenshot",
            {"format": "png", "captureBeyondViewport": True},
            self.session,
        )
        path.write_bytes(base64.b64decode(answer["data"]))
        return path

    def press(self, key: str, text: str = "", *, ctrl: bool = False) -> None:
        """Presses a key; `text` is what it writes, where that is not the key itself."""
        written = text or (key if len(key) == 1 else "\r" if key == "Enter" else "")
        params = {"key": key, "code": key, "modifiers": 2 if ctrl else 0}
        if len(key) == 1 and key.isalpha():
            params["code"] = f"Key{key.upper()}"
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40}  # fmt: skip
        params["windowsVirtualKeyCode"] = codes.get(key, ord(key[0].upper()))
        down = {**params, "type": "keyDown", "text": "" if ctrl else written}
        self.browser.call("Input.dispatchKeyEvent", down, self.session)
        self.browser.call("Input.dispatchKeyEvent", {**params, "type": "keyUp"}, self.session)

    def wait_for(self, script: str, timeout_s: float = 60) -> None:
        """Waits until an expression of JavaScript is true, also while the page is loaded anew."""
        deadline = time.monotonic() + timeout_s
        while not self._is_true(script):
            assert time.monotonic() < deadline, f"never true: {script}; {self.complaints}"
            time.sleep(0.02)

    def _is_true(self, script: str) -> bool:
        try:
            return bool(self.evaluate(f"Boolean({script})"))
        except AssertionError as error:
            if "has ended" in str(error):
                raise
            return False  # of a page that is not there yet, nothing can be said

    def settle(self) -> None:
        """Waits a little: what was said after the page was there is heard with the next answer."""
        self.evaluate("new Promise(done => setTimeout(done, 200))")

    def beyond_the_window(self, within: str) -> list[str]:
        """Elements that stick out at the right, but for those within what scrolls for itself.

        Args:
          within: selectors of that.
        """
        found: list[str] = self.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => "
            "e.getBoundingClientRect().right > innerWidth + 1 && "
            f"!e.closest({json.dumps(within)})).map(e => e.outerHTML.slice(0, 200))"
        )
        return found

    def lowest_contrast(self) -> tuple[float, str]:
        """The lowest contrast of a text with its ground, by WCAG 2.1, and the element; no plots."""
        contrast, where = self.evaluate(_CONTRAST)
        return contrast, where

    def hear(self, event: dict[str, Any]) -> None:
        params = event["params"]
        name = event["method"]
        if name == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif name == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))
        elif name == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(params["entry"]["text"]))
        elif name == "Network.requestWillBeSent":
            address = params["request"]["url"]
            if not address.startswith("data:"):
                self.requests.append(address)


class Browser:
    """The process, and its protocol: JSON messages that end in NUL, on descriptors 3 and 4."""

    def __init__(self, program: str, profile: Path) -> None:
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        for descriptor in (to_child, from_child):
            os.set_inheritable(descriptor, True)
        arguments = [
            program,
            "--headless=new",
            "--no-sandbox",  # CI runs as root, for whom there is none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        # The shell puts the pipes where Chromium looks for them.
        script = f'exec "$@" 3<&{to_child} 4>&{from_child}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "chromium", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_child, from_child),
        )
        os.close(to_child)
        os.close(from_child)
        self._pages: dict[str, Page] = {}
        self._number = 0
        self._unread = b""

    def call(self, method: str, params: dict[str, Any], session: str | None = None) -> Any:
        """The answer to a command; what happens meanwhile is told to the pages."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._next()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard["error"]
                return heard["result"]
            page = self._pages.get(heard.get("sessionId", ""))
            if page is not None and "method" in heard:
                page.hear(heard)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            data = os.read(self._in, 1 << 20)
            assert data, "the browser has ended"
            self._unread += data
        message, _, self._unread = self._unread.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(
        self,
        file: Path | str,
        *,
        width: int = 1280,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
        scale: float = 1,
    ) -> Page:
        """Opens a file and waits until all of it is there.

        Args:
          file: HTML; or the address of a page, of which the part from ``?`` on may change.
          width, height: of the window, in CSS pixels; under 600 as on a telephone.
          scheme: what the user prefers.
          scale: device pixels a CSS pixel.
        """
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, session["sessionId"])
        self._pages[page.session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", {}, page.session)
        metrics = {"width": width, "height": height, "mobile": width < 600}
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {**metrics, "deviceScaleFactor": scale},
            page.session,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", {"features": features}, page.session)
        address = file if isinstance(file, str) else file.absolute().as_uri()
        self.call("Page.navigate", {"url": address}, page.session)
        deadline = time.monotonic() + _TIMEOUT_S
        here = json.dumps(address.partition("?")[0])
        loaded = f"document.readyState == 'complete' && location.href.split('?')[0] == {here}"
        while not page.evaluate(loaded):
            assert time.monotonic() < deadline, f"{file}: did not load"
            time.sleep(0.05)
        return page

    def view(self, file: Path | str, view: str) -> Page:
        """Opens a file as one of `VIEWS`."""
        scheme: Literal["light", "dark"] = "dark" if "dark" in view else "light"
        if "telephone" in view:
            return self.open(file, width=_TELEPHONE_PX, height=844, scheme=scheme, scale=2)
        return self.open(file, scheme=scheme)

    def close(self) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self.call("Browser.close", {})
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        os.close(self._in)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; where it is not installed, the test is skipped."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("needs Chromium")
    opened = Browser(program, tmp_path_factory.mktemp("chromium"))
    try:
        yield opened
    finally:
        opened.close()
