"""A folder of small pictures, and a review of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from pass_dataset.curate.review.desk import Desk
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.listing import Gold, begin_review
from pass_dataset.curate.review.serving import open_desk
from pass_dataset.curate.review.settings import ReviewSettings
from tests.curate.review.browsing import enter
from tests.curate.review.served import Served
from tests.support.chromium import Browser, Page

pytest.importorskip("PIL")

#: Names that would do harm if they were not shown as text, or were taken for paths.
ODD_NAMES = ("<img src=x onerror=alert(1)>.jpg", "..%2f..%2fetc.jpg", "a&b \"c\" 'd'.jpg")


def draw(path: Path, number: int, size: tuple[int, int] = (64, 48)) -> None:
    """A picture with colours of its own."""
    from PIL import Image

    random = np.random.default_rng(number)
    small = random.integers(0, 255, (6, 8, 3), np.uint8)
    Image.fromarray(small).resize(size).save(path, "JPEG", quality=80)


def make_pictures(folder: Path, count: int, odd: tuple[str, ...] = ()) -> Path:
    """A folder of pictures ``0000.jpg`` and so on."""
    folder.mkdir(parents=True)
    for number in range(count):
        draw(folder / f"{number:04d}.jpg", number)
    for number, name in enumerate(odd):
        draw(folder / name, 10_000 + number)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures."""
    return make_pictures(tmp_path_factory.mktemp("pictures") / "photographs", 60)


@pytest.fixture(scope="session")
def odd_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures, and three with names that nobody should have."""
    return make_pictures(tmp_path_factory.mktemp("odd") / "photographs", 60, ODD_NAMES)


@pytest.fixture
def served(odd_pictures: Path, tmp_path: Path) -> Iterator[Served]:
    """The command, serving these; two pages of twelve are a block."""
    server = Served(odd_pictures, tmp_path / "review", "--block", "24")
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Page:
    """Its page, as Anna has it."""
    return enter(browser, served, "anna")


Begin = Callable[..., ReviewFolder]

#: Two pages of six.
SMALL_BLOCKS = ReviewSettings(block=12)


@pytest.fixture
def begin(tmp_path: Path, pictures: Path) -> Begin:
    """Begins a review in a folder of its own."""

    def begin(settings: ReviewSettings = SMALL_BLOCKS, **gold: Path) -> ReviewFolder:
        folder = ReviewFolder(tmp_path / "review")
        begin_review(folder, pictures, settings, Gold(**gold))
        return folder

    return begin


@contextmanager
def desk_of(folder: ReviewFolder) -> Iterator[Desk]:
    """The desk, as a server that starts has it."""
    with open_desk(folder) as desk:
        yield desk


def accept_next(desk: Desk, reviewer: str, queue: str = "all", size: int = 6, **flags: str) -> int:
    """Accepts the next page; returns the number of its images, 0 if nothing is left.

    Args:
      desk, reviewer, queue, size: which page.
      flags: of images, by their names without ending, such as ``_0003="person"``.
    """
    view = desk.next_page(queue, reviewer, size)
    if view is None:
        return 0
    place = (view.block, view.page)
    names = desk.images.names(np.array(view.images))
    for image, name in zip(view.images, names, strict=True):
        flag = flags.get(f"_{name.removesuffix('.jpg')}")
        if flag is not None:
            desk.mark(reviewer, view.queue, place, image, flag, "")
    desk.accept(reviewer, view.queue, place, view.images)
    return len(view.images)


def accept_all(desk: Desk, reviewer: str, queue: str = "all", size: int = 6, **flags: str) -> int:
    """Accepts all pages that are left; returns the number of images."""
    total = 0
    while found := accept_next(desk, reviewer, queue, size, **flags):
        total += found
    return total
