"""The page about duplicates: pairs side by side, blurred where the filter found something."""

from __future__ import annotations

import base64
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pass_dataset.commands.curate.main import main
from pass_dataset.commands.passify.main import main as passify
from tests.curate.duplicates.images import SHARED
from tests.support.chromium import VIEWS, Browser, Page, browser

__all__ = ["browser"]  # the fixture


@pytest.fixture(scope="module")
def report(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "out"
    sources = [str(collection / "a"), str(collection / "b.tar")]
    assert main(["duplicates", *sources, "--out", str(out), "--workers", "1"]) == 0
    return out / "report.html"


def pictures(report: Path) -> dict[str, np.ndarray]:
    """Pictures of a page, by what they show."""
    found = re.findall(
        r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"', report.read_text()
    )
    return {
        text: np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"), np.float64)
        for data, text in found
    }


def test_pairs_are_side_by_side(report: Path) -> None:
    text = report.read_text()
    for title in ("The same file", "The same pixels", "Nearly the same"):
        assert title in text
    assert text.count('class="pair"') == 5
    assert len(pictures(report)) == 10
    assert "bits of 256 differ" in text
    assert "Nothing is blurred here" in text
    assert "a/0.jpg" not in text  # source and path, each for itself


@pytest.mark.slow
def test_faces_are_blurred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run of the filter found, and whole images that it did not look at."""
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(SHARED.parent / "weights"))
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(SHARED / "astronaut.jpg", images / "1.jpg")
    shutil.copy(SHARED / "astronaut.jpg", images / "2.jpg")
    run, out = tmp_path / "run", tmp_path / "out"
    arguments = [str(images), "--out", str(run), "--detectors", "face", "--workers", "1"]
    assert passify(["run", *arguments]) == 0
    duplicates = ["duplicates", str(images), "--out", str(out), "--workers", "1"]
    assert main(duplicates) == 0
    plain = pictures(out / "report.html")["1.jpg, made small"]
    assert main([*duplicates, "--filter-run", str(run)]) == 0
    blurred = pictures(out / "report.html")["1.jpg, made small"]
    assert "Nothing is blurred here" not in (out / "report.html").read_text()
    # The face is in the upper middle; the lower left is untouched.
    height, width = plain.shape
    face = np.s_[height // 8 : height // 3, width * 2 // 5 : width // 2]
    rest = np.s_[height * 3 // 4 :, : width // 4]
    assert np.abs(plain[rest] - blurred[rest]).mean() < 1
    assert np.abs(plain[face] - blurred[face]).mean() > 8
    shutil.copy(SHARED / "coffee.jpg", images / "3.jpg")
    shutil.copy(SHARED / "coffee.jpg", images / "4.jpg")
    assert main([*duplicates, "--filter-run", str(run)]) == 0
    unknown = pictures(out / "report.html")["3.jpg, made small"]
    assert np.abs(np.diff(unknown)).max() < 12  # no edge is left


@pytest.fixture(scope="module", params=VIEWS)
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Page:
    return browser.view(report, request.param)


@pytest.mark.browser
def test_the_page_in_a_browser(page: Page, report: Path) -> None:
    page.settle()
    assert page.complaints == []
    assert page.requests == [report.absolute().as_uri()]
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    assert page.beyond_the_window(".wide, .frame") == []
    contrast, where = page.lowest_contrast()
    assert contrast >= 4.5, where
    sizes = page.evaluate(
        "[...document.querySelectorAll('.pair')].map(pair => [...pair.querySelectorAll('img')]"
        ".map(i => { const r = i.getBoundingClientRect(); return [r.left, r.top, r.width]; }))"
    )
    for left, right in sizes:
        assert left[0] < right[0]
        assert left[1] == pytest.approx(right[1], abs=1)
        assert min(left[2], right[2]) > 100
