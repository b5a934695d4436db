"""Contact sheets in a real browser: they fit, and nothing in a blurred one can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pass_dataset.curate.ranking.folder import RankFolder
from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers.text import Text
from pass_dataset.curate.ranking.run import rank_source
from pass_dataset.curate.ranking.scores import open_scores
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.curate.ranking.sheets import write_sheets
from pass_dataset.curate.ranking.work import RankWork
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.sources.opening import SourceSettings
from tests.support.chromium import VIEWS, Browser, Page, browser
from tests.support.rankers import BLUE

__all__ = ["browser"]  # the fixture

pytestmark = pytest.mark.browser

TEXTS = ("HN48 KXA", "www.example.org", "+49 30 1234 5678", "Anna Berg")
BACKGROUNDS = ("coffee", "china_temple", "flower", "rocket")


@pytest.fixture(scope="module")
def sheets(
    photographs: Path, tmp_path_factory: pytest.TempPathFactory, other_rankers: Path
) -> dict[str, Path]:
    """A blurred page and a clear one of photographs across which there is text."""
    folder = tmp_path_factory.mktemp("sheets")
    source = folder / ("photographs with a name as long as the window of a telephone, and " * 2)
    source.mkdir()
    for text, name in zip(TEXTS, BACKGROUNDS, strict=True):
        with Image.open(photographs / f"{name}.jpg") as opened:
            image = opened.convert("RGB").resize((480, 360))
        draw = ImageDraw.Draw(image)
        draw.rectangle((10, 100, 470, 180), "white")
        draw.text((30, 115), text, "black", ImageFont.load_default(44))
        image.save(source / f"{name}.jpg")
    (source / "cut.jpg").write_bytes((source / "coffee.jpg").read_bytes())
    ranking = RankFolder(folder / "ranking")
    executor = LocalExecutor(RankWork(workers=1, rankers=(BLUE,)))
    rank_source(ranking, SourceSettings.of(source), RankSettings((BLUE,)), executor)
    (source / "cut.jpg").write_bytes(b"")
    scores = open_scores(ranking.path)
    return {
        name: write_sheets(
            scores, ["blue"], 5, folder / f"{name}.html", what=source.name, is_blurred=is_blurred
        )
        for name, is_blurred in (("blurred", True), ("clear", False))
    }


def texts_on_pictures(page: Page, path: Path) -> list[str]:
    """What the reader of the ranker `text` reads on the pictures as they are shown."""
    reader: Any = Text(RankerSettings())._open()
    with Image.open(page.screenshot(path)) as opened:
        shot = opened.convert("RGB")
    # The picture alone: the reader takes the edge of what is around it for a "1".
    places = page.evaluate(
        "[...document.images].map(i => { const r = i.getBoundingClientRect(); "
        "const scale = Math.min(r.width / i.naturalWidth, r.height / i.naturalHeight); "
        "const [w, h] = [scale * i.naturalWidth / 2 - 2, scale * i.naturalHeight / 2 - 2]; "
        "const [x, y] = [(r.left + r.right) / 2, (r.top + r.bottom) / 2 + scrollY]; "
        "return [x - w, y - h, x + w, y + h].map(side => side * devicePixelRatio); })"
    )
    assert len(places) == len(TEXTS)
    found: list[str] = []
    for place in places:
        tile = shot.crop([round(side) for side in place])
        assert min(tile.size) > 90
        found += reader(np.array(tile)[..., ::-1]).txts or ()
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(browser: Browser, sheets: dict[str, Path], view: str, tmp_path: Path) -> None:
    page = browser.view(sheets["blurred"], view)
    page.settle()
    assert page.complaints == []
    assert page.requests == [sheets["blurred"].absolute().as_uri()]
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    assert page.beyond_the_window(".wide") == []
    contrast, where = page.lowest_contrast()
    assert contrast >= 4.5, where
    assert page.evaluate("document.querySelectorAll('figure').length") == 5
    assert page.evaluate("document.querySelector('.missing').innerText").startswith("it cannot be")


@pytest.mark.parametrize("view", ["desktop", "telephone"])
def test_nothing_is_readable(
    browser: Browser, sheets: dict[str, Path], view: str, tmp_path: Path
) -> None:
    pytest.importorskip("rapidocr")
    blurred = browser.view(sheets["blurred"], view)
    assert texts_on_pictures(blurred, tmp_path / "blurred.png") == []
    clear = browser.view(sheets["clear"], view)
    assert len(texts_on_pictures(clear, tmp_path / "clear.png")) >= len(TEXTS)
